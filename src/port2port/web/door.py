"""The middleware every request passes: right host, living session, our own form."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import Any

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from port2port.web import csrf
from port2port.web.access import OWN_SIGN_IN
from port2port.web.accounts import MAX_TOKEN_CHARS, TOKEN_BYTES
from port2port.web.origin import is_https, origin_of
from port2port.web.settings import WebSettings
from port2port.web.state import Connection, Shared, Visit, shared, visit_of

WITHOUT_SESSION = ("/static/", "/health")
MAX_COOKIE_CHARS = 4096


class Door:
    """ASGI middleware: fills the request's `Visit`, and lets through only what came from our own pages."""

    def __init__(self, app: ASGIApp, at: Shared) -> None:
        self._app, self._at = app, at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = origin_of(scope, self._at.settings)
        if not _needs_no_session(scope):
            await self._recognise(scope)
            await self._check(scope, receive, origin)
        await self._app(scope, receive, send)

    async def _recognise(self, scope: Scope) -> None:
        visit, cookies = visit_of(scope), _cookies(scope)
        session = cookies.get(self._names(scope)[0], "")
        if session:
            visit.visitor = await asyncio.to_thread(self._at.accounts.visitor, session)
        if visit.visitor:
            visit.token = session
            return
        visit.token = cookies.get(self._names(scope)[1], "")[:MAX_TOKEN_CHARS]
        if not visit.token:
            visit.token, visit.is_new = secrets.token_urlsafe(TOKEN_BYTES), True

    async def _check(self, scope: Scope, receive: Receive, origin: str) -> None:
        try:
            if scope["type"] == ScopeType.WEBSOCKET:
                _check_websocket(scope, origin)
            else:
                await csrf.check(Request(scope, receive), origin)
        except csrf.ForeignRequest as refused:
            self._at.surface.counters.add(f"web.refused.{refused.reason}")
            raise

    def _names(self, scope: Scope) -> tuple[str, str]:
        return cookie_names(self._at.surface.party.node_id, is_https(scope, self._at.settings))


def _needs_no_session(scope: Scope) -> bool:
    handler = scope.get("route_handler")
    return scope["path"].startswith(WITHOUT_SESSION) or bool(handler and handler.opt.get(OWN_SIGN_IN))


def cookie_names(node_id: str, https: bool) -> tuple[str, str]:
    """Names of the session's cookie and of that before sign-in. Cookies know no ports, so each node has its own."""
    suffix = hashlib.sha256(node_id.encode()).hexdigest()[:8]
    prefix = "__Host-" if https else ""
    return f"{prefix}port2port-{suffix}", f"{prefix}port2port-visit-{suffix}"


def begin_session(request: Connection, token: str) -> None:
    """Give the browser a session's token."""
    at = shared(request)
    name, _ = cookie_names(at.surface.party.node_id, is_https(request.scope, at.settings))
    seconds = at.settings.session_hours * 3600
    visit_of(request.scope).cookies.append(_set_cookie(name, token, is_https(request.scope, at.settings), seconds))


def end_session(request: Connection) -> None:
    """Take the session's token away from the browser."""
    at = shared(request)
    name, _ = cookie_names(at.surface.party.node_id, is_https(request.scope, at.settings))
    visit_of(request.scope).cookies.append(_set_cookie(name, "", is_https(request.scope, at.settings), 0))


def cookies_to_send(scope: Any, visit: Visit, settings: WebSettings, node_id: str) -> list[str]:
    """Set-Cookie values of an answer."""
    https = is_https(scope, settings)
    if visit.form_shown and visit.is_new:
        _, name = cookie_names(node_id, https)
        return [*visit.cookies, _set_cookie(name, visit.token, https, None)]
    return visit.cookies


def _set_cookie(name: str, value: str, https: bool, max_age_s: int | None) -> str:
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{'; Secure' if https else ''}"


def _cookies(scope: Scope) -> dict[str, str]:
    raw = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    found: dict[str, str] = {}
    for part in raw[:MAX_COOKIE_CHARS].split(";"):
        name, separator, value = part.strip().partition("=")
        if separator:
            found.setdefault(name, value)
    return found


def _check_websocket(scope: Scope, origin: str) -> None:
    """A socket is opened by any page that likes to: only ours may (RFC 6455, 10.2)."""
    named = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), "")
    if named != origin:
        raise csrf.ForeignRequest("origin")
