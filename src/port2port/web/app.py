"""Puts the browser side of a node together: the toolkit's own pages, and the capabilities' routes."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware

from port2port.web import routes
from port2port.web.access import provide_actor, provide_visitor, signed_in
from port2port.web.accounts import Accounts
from port2port.web.door import Door, cookies_to_send
from port2port.web.errors import HANDLERS
from port2port.web.headers import add_headers
from port2port.web.hub import Hub
from port2port.web.pages import template_config
from port2port.web.settings import MAX_BODY_BYTES, WebSettings
from port2port.web.state import Shared, visit_of
from port2port.web.static import static_route
from port2port.web.surface import FOLDER, OWNER, Surface


def build_app(surface: Surface, settings: WebSettings | None = None) -> Litestar:
    """The app of one node. Makes the toolkit's tables when they are not there yet."""
    settings = settings or WebSettings()
    surface.store.migrate(OWNER, FOLDER / "migrations")
    accounts = Accounts(surface.store, surface.clock, surface.new_id, settings, surface.counters)
    at = Shared(surface, settings, accounts, Hub(surface.store, surface.counters))
    folders = surface.owners()
    return Litestar(
        route_handlers=[_all_routes([*routes.own(surface), static_route(folders), *surface.routes])],
        middleware=[DefineMiddleware(Door, at=at)],
        guards=[signed_in],
        dependencies={
            "actor": Provide(provide_actor),
            "visitor": Provide(provide_visitor),
        },
        exception_handlers=HANDLERS,
        before_send=[_sender(at)],
        on_startup=[_start(at)],
        on_shutdown=[_stop(at)],
        template_config=template_config(folders, at),
        state=State({"port2port": at}),
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def _all_routes(handlers: list[Any]) -> Router:
    """One router for all. Litestar 2.25 wraps a synchronous handler once more each time another method of the same
    path is registered on the app itself; its second wrapping never awaits the first."""
    return Router("/", route_handlers=handlers)


def hub_of(app: Litestar) -> Hub:
    """The live stream of an app: stopped first at shutdown, so that open streams end at once."""
    found = app.state["port2port"]
    assert isinstance(found, Shared)
    return found.hub


def accounts_of(app: Litestar) -> Accounts:
    """The accounts of an app, for the command line and for tests."""
    found = app.state["port2port"]
    assert isinstance(found, Shared)
    return found.accounts


def _sender(at: Shared) -> Any:
    async def before_send(message: Any, scope: Any) -> None:
        if message["type"] != "http.response.start":
            return
        add_headers(message, scope, at.settings)
        visit = visit_of(scope)
        for cookie in cookies_to_send(scope, visit, at.settings, at.surface.party.node_id):
            message["headers"].append((b"set-cookie", cookie.encode("latin-1")))

    return before_send


def _start(at: Shared) -> Any:
    async def start() -> None:
        at.hub.start()

    return start


def _stop(at: Shared) -> Any:
    async def stop() -> None:
        at.hub.stop()

    return stop
