"""What the node hands the web toolkit: plain values, so that it needs to know no capability."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from port2port.core.clock import Clock
from port2port.core.ids import NewId
from port2port.core.party import Party, Role
from port2port.store import Store
from port2port.web.words import Words

FOLDER = Path(__file__).parent
OWNER = "web"


class Entry(Protocol):
    """An entry in the navigation (`capability.Page` is one)."""

    @property
    def title(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def roles(self) -> Collection[Role]: ...
    @property
    def order(self) -> int: ...


@dataclass(frozen=True)
class OwnEntry:
    """A page of the toolkit itself in the navigation."""

    title: str
    path: str
    roles: Collection[Role]
    order: int


OWN_ENTRIES = (
    OwnEntry("web.system.title", "/system", (Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR), 90),
    OwnEntry("web.accounts.title", "/accounts", (Role.ADMINISTRATOR,), 95),
)


class Counting(Protocol):
    """Named counts (`capability.Counters` is one)."""

    def add(self, name: str, by: int = 1) -> None: ...
    def all(self) -> dict[str, int]: ...


@dataclass(frozen=True, kw_only=True)
class Surface:
    """One node, as its web side sees it."""

    party: Party
    store: Store
    clock: Clock
    new_id: NewId
    counters: Counting
    words: Words
    routes: Sequence[Any] = ()
    """Litestar route handlers of the capabilities."""
    pages: Sequence[Entry] = ()
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Owner -> its folder, where `templates/`, `static/` and `words.toml` may be."""
    health: Callable[[], Mapping[str, object]] = dict
    """Numbers for the system page: section -> name -> value, or -> list of mappings."""
    demonstration: bool = False
    exercise: Callable[[], str] = str
    """Name of the exercise that runs now; empty: none."""

    def owners(self) -> dict[str, Path]:
        """All owners with the toolkit itself."""
        return {OWNER: FOLDER, **self.folders}


def load_words(folders: Mapping[str, Path]) -> Words:
    """The words of the toolkit and of every owner that has a `words.toml`."""
    files = [folder / "words.toml" for folder in (FOLDER, *folders.values())]
    return Words.load(path for path in files if path.is_file())
