"""One's own account: language, palette, passkeys."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Redirect, Template

from port2port.web.access import BEFORE_PASSKEY, CurrentVisitor
from port2port.web.door import begin_session
from port2port.web.origin import origin_of, relying_party, same_page_on_localhost
from port2port.web.pages import Form, local_or, page, see_other
from port2port.web.passkeys import MAX_CREDENTIAL_BYTES
from port2port.web.routes.sign_in import PasskeyAnswer, named_party
from port2port.web.state import shared

AnyRequest = Request[Any, Any, Any]
OWN = {BEFORE_PASSKEY: True}


@get("/account", opt=OWN, sync_to_thread=True)
def account_page(request: AnyRequest, visitor: CurrentVisitor) -> Template:
    at = shared(request)
    origin = origin_of(request.scope, at.settings)
    return page(
        "web/account.html",
        visitor=visitor,
        passkeys=at.accounts.passkeys_of(visitor.account.id),
        passkeys_here=relying_party(origin) is not None,
        on_localhost=same_page_on_localhost(origin, "/account"),
    )


@post("/account", opt=OWN, sync_to_thread=True)
def prefer(data: Form, request: AnyRequest, visitor: CurrentVisitor) -> Redirect:
    """Language and palette; also from the header of every page, which then says where to go back to."""
    shared(request).accounts.prefer(visitor.account.id, language=data.get("language"), theme=data.get("theme"))
    return see_other(local_or(data.get("next", ""), "/account"))


@post("/account/passkeys/options", opt=OWN, sync_to_thread=True, status_code=200)
def passkey_options(request: AnyRequest, visitor: CurrentVisitor) -> dict[str, Any]:
    at = shared(request)
    return at.accounts.passkey_options(visitor, named_party(request)[0], at.surface.party.name)


@post(
    "/account/passkeys",
    opt=OWN,
    sync_to_thread=True,
    status_code=200,
    request_max_body_size=MAX_CREDENTIAL_BYTES,
)
def add_passkey(data: JSONBody[PasskeyAnswer], request: AnyRequest, visitor: CurrentVisitor) -> dict[str, str]:
    party, origin = named_party(request)
    token = shared(request).accounts.add_passkey(visitor, data.challenge, data.credential, data.title, party, origin)
    begin_session(request, token)
    return {"status": "added"}


@post("/account/passkeys/{key:str}/remove", opt=OWN, sync_to_thread=True)
def remove_passkey(key: FromPath[str], request: AnyRequest, visitor: CurrentVisitor) -> Redirect:
    shared(request).accounts.remove_passkey(visitor, key)
    return see_other("/account")


HANDLERS = [account_page, prefer, passkey_options, add_passkey, remove_passkey]
