"""Signing in: passkey first, password second, and one button per role in the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromQuery, JSONBody
from litestar.response import Redirect, Template

from port2port.core.errors import BadInput, NotAllowed
from port2port.core.party import Role
from port2port.web.access import BEFORE_PASSKEY, PUBLIC, CurrentVisitor
from port2port.web.door import begin_session, end_session
from port2port.web.limits import TooOften
from port2port.web.origin import origin_of, relying_party, same_page_on_localhost
from port2port.web.pages import Form, local_or, page, see_other
from port2port.web.passkeys import MAX_CREDENTIAL_BYTES, PasskeyRefused
from port2port.web.settings import MAX_NAME_CHARS, MAX_PASSWORD_CHARS
from port2port.web.state import shared, visit_of

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True)
class PasskeyAnswer:
    """What the browser's script sends after an authenticator answered."""

    challenge: str
    credential: dict[str, Any]
    title: str = ""


@get("/sign-in", opt={PUBLIC: True}, sync_to_thread=False)
def sign_in_page(request: AnyRequest, next: FromQuery[str] = "/") -> Template | Redirect:
    if visit_of(request.scope).visitor:
        return see_other(local_or(next))
    return _page(request, local_or(next))


@post("/sign-in", opt={PUBLIC: True}, sync_to_thread=True)
def sign_in(data: Form, request: AnyRequest) -> Template | Redirect:
    """With name and password."""
    name, password, next_path = data.get("name", ""), data.get("password", ""), local_or(data.get("next", "/"))
    if len(name) > MAX_NAME_CHARS or len(password) > MAX_PASSWORD_CHARS:
        raise BadInput("web.error.form", hint="web.error.form.hint")
    try:
        token = shared(request).accounts.sign_in_with_password(name, password, address_of(request))
    except NotAllowed as refused:
        return _page(request, next_path, status_code=403, message=refused.message, name=name)
    except TooOften as refused:
        answer = _page(request, next_path, status_code=429, message=refused.message, name=name)
        answer.headers["Retry-After"] = str(refused.retry_after_s)
        return answer
    begin_session(request, token)
    return see_other(next_path)


@post("/sign-in/passkey/options", opt={PUBLIC: True}, sync_to_thread=True, status_code=200)
def passkey_options(request: AnyRequest) -> dict[str, Any]:
    return shared(request).accounts.passkey_sign_in_options(named_party(request)[0], address_of(request))


@post(
    "/sign-in/passkey",
    opt={PUBLIC: True},
    sync_to_thread=True,
    status_code=200,
    request_max_body_size=MAX_CREDENTIAL_BYTES,
)
def sign_in_with_passkey(data: JSONBody[PasskeyAnswer], request: AnyRequest) -> dict[str, str]:
    party, origin = named_party(request)
    token = shared(request).accounts.sign_in_with_passkey(
        data.challenge, data.credential, party, origin, address_of(request)
    )
    begin_session(request, token)
    return {"status": "signed-in"}


@post("/sign-in/demonstration", opt={PUBLIC: True}, sync_to_thread=True)
def for_demonstration(data: Form, request: AnyRequest) -> Redirect:
    """One click for each role. This route does not exist on a node with real data."""
    assert shared(request).surface.demonstration, "only where the data is invented"
    try:
        role = Role(data.get("role", ""))
    except ValueError as error:
        raise BadInput("web.error.form", hint="web.error.form.hint") from error
    begin_session(request, shared(request).accounts.sign_in_for_demonstration(role))
    return see_other(local_or(data.get("next", "/")))


@post("/sign-out", opt={BEFORE_PASSKEY: True}, sync_to_thread=True)
def sign_out(request: AnyRequest, visitor: CurrentVisitor) -> Redirect:
    shared(request).accounts.sign_out(visitor)
    end_session(request)
    return see_other("/sign-in")


def address_of(request: AnyRequest) -> str:
    """The client's address, for rate limits."""
    return request.client.host if request.client else ""


def named_party(request: AnyRequest) -> tuple[str, str]:
    """Relying party id and origin. Raises `PasskeyRefused` on a bare address, where passkeys cannot be."""
    origin = origin_of(request.scope, shared(request).settings)
    party = relying_party(origin)
    if party is None:
        raise PasskeyRefused
    return party, origin


def _page(request: AnyRequest, next_path: str, status_code: int = 200, message: str = "", name: str = "") -> Template:
    origin = origin_of(request.scope, shared(request).settings)
    return page(
        "web/sign_in.html",
        status_code=status_code,
        next=next_path,
        message=message,
        name=name,
        roles=tuple(Role),
        passkeys_here=relying_party(origin) is not None,
        on_localhost=same_page_on_localhost(origin, "/sign-in"),
    )


HANDLERS = [sign_in_page, sign_in, passkey_options, sign_in_with_passkey, sign_out]
