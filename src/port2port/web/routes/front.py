"""The front door: the index, whether the node is well, and the words for the browser's scripts."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from port2port.core.errors import NotFound
from port2port.web.access import BEFORE_PASSKEY, PUBLIC, visitor_of
from port2port.web.model import LANGUAGES
from port2port.web.pages import page
from port2port.web.state import shared

MAX_PREFIX_CHARS = 60
MAP = "/map"
AnyRequest = Request[Any, Any, Any]


@get("/", opt={BEFORE_PASSKEY: True}, sync_to_thread=False)
def index(request: AnyRequest) -> Template | Redirect:
    """The map where there is one and the visitor may see it, else the list of pages."""
    visitor = visitor_of(request)
    if visitor.is_restricted:
        return Redirect("/account", status_code=303)
    for entry in shared(request).surface.pages:
        if entry.path == MAP and visitor.account.role in entry.roles:
            return Redirect(MAP, status_code=303)
    return page("web/index.html")


@get("/health", opt={PUBLIC: True}, sync_to_thread=False)
def health(request: AnyRequest) -> dict[str, str]:
    """For a watchdog: that we answer, and who we are."""
    return {"status": "ok", "node": shared(request).surface.party.name}


@get("/api/words/{file:str}", opt={PUBLIC: True}, sync_to_thread=False)
def words(file: FromPath[str], request: AnyRequest, prefix: FromQuery[str] = "") -> Response[dict[str, str]]:
    """`/api/words/nl.json?prefix=picture.`: the words of one language for the browser's scripts."""
    language = file.removesuffix(".json")
    if language not in LANGUAGES or not file.endswith(".json") or len(prefix) > MAX_PREFIX_CHARS:
        raise NotFound("web.error.not-found")
    table = shared(request).surface.words.table(language, prefix)
    return Response(table, headers={"Cache-Control": "max-age=300"})


HANDLERS = [index, health, words]
