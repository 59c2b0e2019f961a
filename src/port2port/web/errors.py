"""What a person or a program is told when something went wrong: one table, no internals."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from litestar.connection import Request
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Response

from port2port.core import errors as core
from port2port.web.access import PasskeyNeeded
from port2port.web.limits import TooOften
from port2port.web.pages import back_to, language_of, local_or, page
from port2port.web.state import shared

log = logging.getLogger("port2port.web")

PROBLEM = "application/problem+json"
"""RFC 9457."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of error is answered."""

    word: str
    """Word key under `web.problem.`: `.title`, `.kept` and `.next` say what happened, what was kept, what to do."""
    status: int


_CORE: tuple[tuple[type[core.Port2PortError], Kind], ...] = (
    (TooOften, Kind("too-often", 429)),
    (core.BadInput, Kind("bad-input", 400)),
    (core.NotAllowed, Kind("not-allowed", 403)),
    (core.NotFound, Kind("not-found", 404)),
    (core.Conflict, Kind("conflict", 409)),
    (core.Unavailable, Kind("unavailable", 503)),
)
"""Most particular first."""
_HTTP = {
    400: Kind("bad-input", 400),
    401: Kind("sign-in", 401),
    403: Kind("not-allowed", 403),
    404: Kind("not-found", 404),
    405: Kind("method", 405),
    406: Kind("bad-input", 406),
    413: Kind("too-large", 413),
    415: Kind("bad-input", 415),
    422: Kind("bad-input", 422),
    429: Kind("too-often", 429),
    503: Kind("unavailable", 503),
}
UNFORESEEN = Kind("unforeseen", 500)

Answer = Response[Any]
AnyRequest = Request[Any, Any, Any]


def kind_of(error: Exception) -> Kind:
    """The one place where an error becomes a status."""
    if isinstance(error, core.Port2PortError):
        return next((kind for of, kind in _CORE if isinstance(error, of)), UNFORESEEN)
    if isinstance(error, HTTPException):
        return _HTTP.get(error.status_code, UNFORESEEN if error.status_code >= 500 else _HTTP[400])
    return UNFORESEEN


def answer(request: AnyRequest, error: Exception) -> Answer:
    """The answer to a request that ended in `error`: a page or a problem, or the way to sign in."""
    kind = kind_of(error)
    if kind.status == 401 and not wants_json(request):
        return _to_sign_in(request)
    if isinstance(error, PasskeyNeeded) and not wants_json(request):
        return Redirect("/account", status_code=303)
    reference = _logged(request, error) if kind is UNFORESEEN else ""
    write = _problem if wants_json(request) else _page
    response = write(request, error, kind, reference)
    if isinstance(error, TooOften):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def wants_json(request: AnyRequest) -> bool:
    """Programs get problems: paths under /api/, and whoever asks for JSON before HTML."""
    accept = request.headers.get("accept", "")
    return request.scope["path"].startswith("/api/") or ("json" in accept and "text/html" not in accept)


def _to_sign_in(request: AnyRequest) -> Answer:
    """What was asked for is opened after signing in; a form that was posted is not repeated."""
    return Redirect(f"/sign-in?next={quote(local_or(back_to(request)), safe='')}", status_code=303)


def _page(request: AnyRequest, error: Exception, kind: Kind, reference: str) -> Answer:
    message, hint = _said(request, error)
    return page(
        "web/error.html", status_code=kind.status, kind=kind.word, message=message, hint=hint, reference=reference
    )


def _problem(request: AnyRequest, error: Exception, kind: Kind, reference: str) -> Answer:
    message, hint = _said(request, error)
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": _say(request, f"web.problem.{kind.word}.title"),
        "status": kind.status,
        "detail": message or _say(request, f"web.problem.{kind.word}.kept"),
        "kind": kind.word,
    }
    if hint:
        problem["hint"] = hint
    if reference:
        problem["reference"] = reference
    return Response(msgspec.json.encode(problem), status_code=kind.status, media_type=PROBLEM)


def _said(request: AnyRequest, error: Exception) -> tuple[str, str]:
    """What our own errors say, in the visitor's language when it is a word key. Others say nothing of themselves."""
    if not isinstance(error, core.Port2PortError):
        return "", ""
    return _say(request, error.message), _say(request, error.hint) if error.hint else ""


def _say(request: AnyRequest, text: str) -> str:
    words = shared(request).surface.words
    return words.say(language_of(request), text) if words.has(text) else text


def _logged(request: AnyRequest, error: Exception) -> str:
    reference = secrets.token_hex(4)
    log.error("unforeseen error %s at %s %r", reference, request.method, request.scope["path"][:200], exc_info=error)
    shared(request).surface.counters.add("web.failed.unforeseen")
    return reference


HANDLERS: dict[int | type[Exception], Any] = {
    core.Port2PortError: answer,
    HTTPException: answer,
    Exception: answer,
}
