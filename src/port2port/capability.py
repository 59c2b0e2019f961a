"""What a capability declares, and what a running node hands it.

A capability is a folder that answers one question. Its `__init__.py` holds one `Capability`; the node
starts it and receives a `Running`: readers of the journal, sources, routes, map layers, and the answers
it can give to other capabilities' asks. Capabilities never import each other. If adding one takes a
visit elsewhere, something is missing here.

By convention, beside `__init__.py`: `migrations/` (Alembic), `templates/` (Jinja, addressed as
`<capability>/<file>`), `static/` (served at `/static/<capability>/`), `words.toml` (four languages).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.core import alert, exchange
from port2port.core.clock import Clock
from port2port.core.fact import Fact, Recorded
from port2port.core.ids import NewId
from port2port.core.party import Party, Role
from port2port.core.track import Track
from port2port.store import Store, Transaction

P = TypeVar("P")
S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads the journal from a stored cursor; its effects and the cursor commit together, so each fact counts once."""

    name: str
    """Unique in the node and stable: the cursor is stored under it. `<capability>.<word>`."""
    facts: tuple[type[Fact], ...]
    handle: Callable[[Transaction, Sequence[Recorded]], None]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Runs as long as the node: a source, a server, a connection. Restarted with back-off if it fails."""

    name: str
    run: Callable[[], Awaitable[None]]
    """A coroutine on the node's event loop. Cancelled at shutdown."""


class Movers(Protocol):
    """Moving things of a layer, as state: read often, never journalled."""

    def changed_since(self, version: int) -> tuple[int, Iterable[Track], Iterable[str]]:
        """The present version, the tracks changed after `version`, and the ids of tracks gone since."""
        ...


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What a capability draws on the map. The picture knows layers, never capabilities."""

    id: str
    """`<capability>.<word>`, e.g. `vessels.traffic`."""
    title: str
    """Word key."""
    movers: Movers | None = None
    features: Callable[[], Mapping[str, Any]] | None = None
    """A GeoJSON FeatureCollection; each feature's properties hold `id`, `name`, `style` (a class of the map style)."""
    detail: str = ""
    """Path of the HTML fragment about one object, with `{id}` to fill in."""
    shown: bool = True


@dataclass(frozen=True, kw_only=True)
class AlertAction:
    """What an operator can do with an alert beyond acknowledging it, e.g. make an incident of it."""

    title: str
    """Word key."""
    path: str
    """Posted to, with `{id}` (the alert's id) to fill in; answers 303 to the page of what it made."""
    key: str
    """Keyboard shortcut in the queue, one letter."""
    roles: frozenset[Role] = frozenset({Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR})


@dataclass(frozen=True, kw_only=True)
class Page:
    """An entry in the navigation."""

    title: str
    """Word key."""
    path: str
    roles: frozenset[Role] = frozenset(Role)
    order: int = 50


@dataclass(frozen=True, kw_only=True)
class Running:
    """A capability at work in one node."""

    readers: Sequence[Reader] = ()
    tasks: Sequence[Task] = ()
    routes: Sequence[Any] = ()
    """Litestar route handlers."""
    layers: Sequence[Layer] = ()
    pages: Sequence[Page] = ()
    actions: Sequence[AlertAction] = ()
    answers: Mapping[str, object] = field(default_factory=dict)
    """Ask name -> the object that answers it, see `Site.ask`."""
    health: Callable[[], Mapping[str, object]] = dict
    """Numbers for the health page and `doctor`."""
    close: Callable[[], None] = lambda: None


class Counters:
    """Named counts, e.g. `vessels.refused.checksum`: what was refused is counted, always."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def add(self, name: str, by: int = 1) -> None:
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + by

    def get(self, name: str) -> int:
        return self._counts.get(name, 0)

    def all(self) -> dict[str, int]:
        with self._lock:
            return dict(sorted(self._counts.items()))


class Ask(Generic[P]):
    """A question to the rest of the node. Called only after every capability has started; None when nobody answers."""

    def __init__(self, find: Callable[[], P | None]) -> None:
        self._find = find

    def __call__(self) -> P | None:
        return self._find()


class Introductions(Protocol):
    """`node.py` in its role of the one who introduces."""

    def ask(self, name: str, shape: type[P]) -> Ask[P]: ...
    def layers(self) -> Sequence[Layer]: ...
    def readers(self, *of: type[Fact]) -> Sequence[str]:
        """Names of the journal's readers that deal with any of these facts."""
        ...

    def actions(self) -> Sequence[AlertAction]: ...


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a capability gets from its node: who we are, the store, time, randomness, and the others' answers."""

    party: Party
    identity: Ed25519PrivateKey
    folder: Path
    """The node's data folder."""
    store: Store
    clock: Clock
    new_id: NewId
    counters: Counters
    others: Introductions
    demonstration: bool = False


class Opener(Protocol):
    """What a capability's command gets as `ctx.obj`: the node, opened beside the running one or without it."""

    def open_site(self) -> AbstractContextManager[Site]: ...
    def section(self, name: str, kind: type[S]) -> S: ...


@dataclass(frozen=True, kw_only=True)
class Capability(Generic[S]):
    """The declaration of one capability."""

    name: str
    """The folder's name."""
    question: str
    """The question it answers, as in ARCHITECTURE.md."""
    folder: Path
    settings: type[S]
    """A frozen dataclass with defaults; its section in the node's TOML file has the capability's name."""
    start: Callable[[Site, S], Running]
    facts: tuple[type[Fact], ...] = ()
    commands: tuple[click.Group, ...] = ()
    """Each becomes `port2port <its name>`."""


def core_facts() -> tuple[type[Fact], ...]:
    """The facts of the shared language, which every node knows."""
    return (
        alert.AlertRaised,
        alert.AlertRepeated,
        alert.AlertWorsened,
        alert.AlertEnded,
        alert.AlertAcknowledged,
        alert.AlertClosed,
        exchange.ObjectOffered,
        exchange.ObjectArrived,
        exchange.ObjectWithdrawn,
        exchange.ObjectErased,
        exchange.ObjectConsulted,
    )
