"""Requests that change something must come from our own pages.

Three gates, each enough against most attacks: the cookie is SameSite=Lax; Sec-Fetch-Site and Origin name
this very origin (a neighbouring port of the same host is another origin); and a token that only our pages
know. The token is derived one-way from the session's token, so that it needs no storage and dies with it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from litestar.connection import Request

from port2port.core.errors import NotAllowed
from port2port.web.state import visit_of

FIELD = "_csrf"
HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_TOKEN_CHARS = 128
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class ForeignRequest(NotAllowed):
    """The request did not come from a page of this node. `reason` is a short, countable word."""

    def __init__(self, reason: str) -> None:
        super().__init__("web.error.foreign", hint="web.error.foreign.hint")
        self.reason = reason


def token_for(session_token: str) -> str:
    """The form token of a session, or of a visit before sign-in."""
    return hmac.new(session_token.encode(), b"port2port form", hashlib.sha256).hexdigest()


async def check(request: Request[Any, Any, Any], origin: str) -> None:
    """Raise `ForeignRequest` unless the request came from a page of this node, served at `origin`."""
    if request.method in SAFE_METHODS:
        return
    _check_origin(request, origin)
    given = request.headers.get(HEADER) or await _from_form(request)
    if not given:
        raise ForeignRequest("token-missing")
    expected = token_for(visit_of(request.scope).token)
    if len(given) > MAX_TOKEN_CHARS or not hmac.compare_digest(given.encode(), expected.encode()):
        raise ForeignRequest("token-wrong")


def _check_origin(request: Request[Any, Any, Any], origin: str) -> None:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise ForeignRequest("site")
    named = request.headers.get("origin")
    if named is not None and named != origin:
        raise ForeignRequest("origin")


async def _from_form(request: Request[Any, Any, Any]) -> str:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
        return ""
    value = (await request.form()).get(FIELD, "")
    return value if isinstance(value, str) else ""
