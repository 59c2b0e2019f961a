"""What the toolkit keeps beside a request, and beside the app."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from litestar.connection import ASGIConnection

from port2port.web.accounts import Accounts
from port2port.web.hub import Hub
from port2port.web.model import Visitor
from port2port.web.settings import WebSettings
from port2port.web.surface import Surface

_KEY = "port2port"
Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass
class Visit:
    """One request: who makes it, and what binds its forms."""

    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    visitor: Visitor | None = None
    token: str = ""
    """The session's token, or that of the visit before sign-in; forms are bound to it."""
    is_new: bool = False
    """The token is not in the browser yet."""
    form_shown: bool = False
    """A form was rendered: the browser needs the token."""
    cookies: list[str] = field(default_factory=list)
    """Set-Cookie values to send with the answer."""


@dataclass(frozen=True)
class Shared:
    """What handlers of one app share."""

    surface: Surface
    settings: WebSettings
    accounts: Accounts
    hub: Hub


def visit_of(scope: Any) -> Visit:
    """The visit of a request; made when the request never came as far as the session."""
    state = scope.setdefault("state", {})
    found = state.get(_KEY)
    if not isinstance(found, Visit):
        found = state[_KEY] = Visit()
    return found


def shared(connection: Connection) -> Shared:
    found = connection.app.state["port2port"]
    assert isinstance(found, Shared)
    return found
