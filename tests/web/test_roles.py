"""Every route of the toolkit by every role: the table says who may."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from port2port.capability import Site
from port2port.core.party import Role
from port2port.testing.browser import Browser, browser
from port2port.web.access import roles_of

EVERYBODY = frozenset(Role)
WATCHERS = frozenset({Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
PUBLIC = None

TABLE: dict[tuple[str, str], frozenset[Role] | None] = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/health"): PUBLIC,
    ("GET", "/api/words/{file:str}"): PUBLIC,
    ("GET", "/static/{owner:str}/{path:path}"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("POST", "/sign-in/passkey/options"): PUBLIC,
    ("POST", "/sign-in/passkey"): PUBLIC,
    ("POST", "/sign-in/demonstration"): PUBLIC,
    ("GET", "/set-up"): PUBLIC,
    ("POST", "/set-up"): PUBLIC,
    ("POST", "/sign-out"): EVERYBODY,
    ("GET", "/account"): EVERYBODY,
    ("POST", "/account"): EVERYBODY,
    ("POST", "/account/passkeys/options"): EVERYBODY,
    ("POST", "/account/passkeys"): EVERYBODY,
    ("POST", "/account/passkeys/{key:str}/remove"): EVERYBODY,
    ("GET", "/system"): WATCHERS,
    ("GET", "/api/system"): WATCHERS,
    ("GET", "/accounts"): ADMINISTRATORS,
    ("POST", "/accounts/invite"): ADMINISTRATORS,
    ("POST", "/accounts/{account_id:str}/role"): ADMINISTRATORS,
    ("POST", "/accounts/{account_id:str}/disable"): ADMINISTRATORS,
    ("POST", "/accounts/{account_id:str}/enable"): ADMINISTRATORS,
}


def routes_of(app: Litestar) -> dict[tuple[str, str], frozenset[Role] | None]:
    found: dict[tuple[str, str], frozenset[Role] | None] = {}
    for route in app.routes:
        handlers: list[Any] = getattr(route, "route_handlers", [])
        for handler in handlers:
            if isinstance(handler, HTTPRouteHandler):
                for method in set(handler.http_methods) - {"OPTIONS", "HEAD"}:
                    found[str(method), route.path] = roles_of(handler)
    return found


def test_the_table_names_every_route_with_its_roles(operator: Browser) -> None:
    assert routes_of(operator.app) == TABLE


def path_of(template: str) -> str:
    filled = template.replace("{account_id:str}", "nobody").replace("{key:str}", "00")
    return filled.replace("{file:str}", "nl.json").replace("{owner:str}/{path:path}", "web/clock.js")


CLOSED = [each for each, roles in TABLE.items() if roles is not PUBLIC]


@pytest.mark.parametrize("role", list(Role))
def test_a_role_reaches_exactly_what_the_table_gives_it(place: Site, role: Role) -> None:
    reached, expected = {}, {}
    with browser(place, role=role) as it:
        for method, template in sorted(CLOSED, key=lambda each: each[1] == "/sign-out"):
            answer = it.get(path_of(template)) if method == "GET" else it.post(path_of(template), {})
            reached[method, template] = answer.status_code != 403
            expected[method, template] = role in (TABLE[method, template] or ())
    assert reached == expected


@pytest.mark.parametrize(("method", "template"), CLOSED)
def test_a_stranger_reaches_only_the_public_routes(stranger: Browser, method: str, template: str) -> None:
    stranger.learn_token()
    path = path_of(template)
    answer = stranger.get(path) if method == "GET" else stranger.post(path, {})
    assert answer.status_code in (401, 303)
    assert answer.status_code == 401 or answer.headers["location"].startswith("/sign-in?next=")
