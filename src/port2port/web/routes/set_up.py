"""Making an account with an invitation: the first administrator of an empty node, and everyone after."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from port2port.core.errors import BadInput, Conflict
from port2port.web.access import PUBLIC
from port2port.web.door import begin_session
from port2port.web.pages import Form, language_of, page, see_other
from port2port.web.routes.sign_in import address_of
from port2port.web.state import shared

AnyRequest = Request[Any, Any, Any]


@get("/set-up", opt={PUBLIC: True}, sync_to_thread=True)
def set_up_page(request: AnyRequest, token: FromQuery[str] = "") -> Template:
    invitation = shared(request).accounts.invitation(token)
    return page("web/set_up.html", token=token, role=invitation.role, name="", message="")


@post("/set-up", opt={PUBLIC: True}, sync_to_thread=True)
def set_up(data: Form, request: AnyRequest) -> Template | Redirect:
    accounts = shared(request).accounts
    token, name = data.get("token", ""), data.get("name", "")
    invitation = accounts.invitation(token)
    try:
        session = accounts.accept(token, name, data.get("password", ""), language_of(request), address_of(request))
    except (BadInput, Conflict) as refused:
        return page(
            "web/set_up.html", status_code=400, token=token, role=invitation.role, name=name, message=refused.message
        )
    begin_session(request, session)
    return see_other("/account")


HANDLERS = [set_up_page, set_up]
