"""Who can sign in here: for administrators."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from port2port.core.errors import BadInput
from port2port.core.party import Role
from port2port.web.access import Actor, allow
from port2port.web.origin import origin_of
from port2port.web.pages import Form, page, see_other
from port2port.web.state import shared

AnyRequest = Request[Any, Any, Any]
ADMINISTRATORS = [allow(Role.ADMINISTRATOR)]


@get("/accounts", guards=ADMINISTRATORS, sync_to_thread=True)
def accounts_page(request: AnyRequest) -> Template:
    return page("web/accounts.html", accounts=shared(request).accounts.all(), roles=tuple(Role), link="")


@post("/accounts/invite", guards=ADMINISTRATORS, sync_to_thread=True)
def invite(data: Form, request: AnyRequest, actor: Actor) -> Template:
    """The link is shown once; it is kept nowhere."""
    at = shared(request)
    token = at.accounts.invite(_role(data), actor.account)
    link = f"{origin_of(request.scope, at.settings)}/set-up?token={token}"
    return page("web/accounts.html", accounts=at.accounts.all(), roles=tuple(Role), link=link)


@post("/accounts/{account_id:str}/role", guards=ADMINISTRATORS, sync_to_thread=True)
def set_role(account_id: FromPath[str], data: Form, request: AnyRequest, actor: Actor) -> Redirect:
    shared(request).accounts.set_role(account_id, _role(data), actor.account)
    return see_other("/accounts")


@post("/accounts/{account_id:str}/disable", guards=ADMINISTRATORS, sync_to_thread=True)
def disable(account_id: FromPath[str], request: AnyRequest, actor: Actor) -> Redirect:
    shared(request).accounts.disable(account_id, actor.account)
    return see_other("/accounts")


@post("/accounts/{account_id:str}/enable", guards=ADMINISTRATORS, sync_to_thread=True)
def enable(account_id: FromPath[str], request: AnyRequest, actor: Actor) -> Redirect:
    shared(request).accounts.enable(account_id, actor.account)
    return see_other("/accounts")


def _role(data: dict[str, str]) -> Role:
    try:
        return Role(data.get("role", ""))
    except ValueError as error:
        raise BadInput("web.error.form", hint="web.error.form.hint") from error


HANDLERS = [accounts_page, invite, set_role, disable, enable]
