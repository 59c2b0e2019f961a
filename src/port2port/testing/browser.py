"""Public test kit for pages: a browser that is signed in as a role, on an app in this process.

    with browser(site(facts=FACTS), role=Role.OPERATOR, routes=[list_incidents], folders={"incidents": folder}) as it:
        assert "Adrift" in it.get("/incidents").text
        it.post("/report", {"what": "fence cut"})

Not imported by a running node.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from port2port.core.clock import Clock
from port2port.core.ids import NewId
from port2port.core.party import Party, Role
from port2port.store import Store
from port2port.web.app import build_app
from port2port.web.csrf import HEADER
from port2port.web.settings import WebSettings
from port2port.web.surface import Counting, Entry, Surface, load_words

HOST = "port.example"
ORIGIN = f"http://{HOST}"
QUICK = WebSettings(argon2_memory_kib=8, argon2_passes=1, host_names=(HOST,))
"""Weak on purpose: a test computes many hashes."""
_TOKEN = re.compile(r'name="_csrf" value="([0-9a-f]+)"')


class Place(Protocol):
    """What is used of a `capability.Site`."""

    @property
    def party(self) -> Party: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def new_id(self) -> NewId: ...
    @property
    def counters(self) -> Counting: ...


class Browser:
    """A client with cookies that sends the form token as our pages do."""

    def __init__(self, client: TestClient[Litestar], app: Litestar) -> None:
        self.client, self.app, self.token = client, app, ""

    def get(self, path: str, **more: Any) -> Response:
        """Follows no redirects: what a handler answers is what a test sees."""
        return self.client.get(path, follow_redirects=False, **more)

    def post(self, path: str, form: Mapping[str, Any] | None = None, **more: Any) -> Response:
        headers = {HEADER: self.token, **more.pop("headers", {})}
        return self.client.post(path, data=form, headers=headers, follow_redirects=False, **more)

    def learn_token(self, path: str = "/sign-in") -> str:
        """Open a page and remember the token of its forms."""
        found = _TOKEN.search(self.get(path).text)
        assert found, f"{path} shows no form"
        self.token = found[1]
        return self.token

    def sign_in(self, role: Role) -> None:
        self.learn_token()
        answer = self.post("/sign-in/demonstration", {"role": role.value})
        assert answer.status_code == 303, answer.text
        self.learn_token("/account")

    def sign_in_with_password(self, name: str, password: str) -> Response:
        self.learn_token()
        answer = self.post("/sign-in", {"name": name, "password": password})
        if answer.status_code == 303:
            self.learn_token("/account")
        return answer


@contextmanager
def browser(
    place: Place,
    *,
    role: Role | None = None,
    routes: Sequence[Any] = (),
    pages: Sequence[Entry] = (),
    folders: Mapping[str, Path] | None = None,
    health: Callable[[], Mapping[str, object]] = dict,
    demonstration: bool = True,
    settings: WebSettings = QUICK,
    origin: str = ORIGIN,
) -> Iterator[Browser]:
    """A browser on an app of `place`, whose store must know `web.FACTS`. `role` None: not signed in."""
    surface = Surface(
        party=place.party,
        store=place.store,
        clock=place.clock,
        new_id=place.new_id,
        counters=place.counters,
        words=load_words(folders or {}),
        routes=routes,
        pages=pages,
        folders=folders or {},
        health=health,
        demonstration=demonstration,
    )
    app = build_app(surface, settings)
    with TestClient(app, base_url=origin) as client:
        it = Browser(client, app)
        if role is not None:
            it.sign_in(role)
        yield it
