"""Opens a node's store for a command, beside the running node or without it. Only what this capability needs."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

from port2port.capability import AlertAction, Ask, Counters, Layer, P, Site, core_facts
from port2port.config import ENVIRONMENT_PREFIX, FILE_NAME, NodeSettings, load
from port2port.core.clock import system_clock
from port2port.core.errors import BadInput
from port2port.core.ids import node_id, random_id
from port2port.core.party import Party
from port2port.sharing import facts
from port2port.sharing.settings import SharingSettings
from port2port.store import open_store
from port2port.store.identity import load_or_create, public_bytes


class _Nobody:
    """A command asks nothing of other capabilities."""

    def ask(self, name: str, shape: type[P]) -> Ask[P]:
        return Ask(lambda: None)

    def layers(self) -> Sequence[Layer]:
        return ()

    def actions(self) -> Sequence[AlertAction]:
        return ()


@contextmanager
def opened(folder: Path, environment: Mapping[str, str] = os.environ) -> Iterator[tuple[Site, SharingSettings]]:
    """The node in `folder`: site and settings. Raises `BadInput` when there is no node."""
    if not (folder / FILE_NAME).exists():
        raise BadInput(f"There is no node in {folder}.", hint="Name its folder: port2port --data FOLDER network ...")
    settings = load(folder, _sections(folder, environment), environment)
    own = settings.section("node", NodeSettings)
    identity = load_or_create(folder)
    store = open_store(own.store or f"sqlite:///{folder / 'node.db'}", [*core_facts(), *facts.ALL])
    try:
        store.migrate("sharing", Path(__file__).parent / "migrations")
        party = Party(
            node_id=node_id(public_bytes(identity)),
            name=own.name,
            short_name=own.short_name,
            compartment=own.compartment,
            locode=own.locode,
            roles=frozenset(own.roles),
        )
        site = Site(
            party=party,
            identity=identity,
            folder=folder,
            store=store,
            clock=system_clock,
            new_id=random_id,
            counters=Counters(),
            others=_Nobody(),
            demonstration=own.demonstration,
        )
        yield site, settings.section("sharing", SharingSettings)
    finally:
        store.close()


def _sections(folder: Path, environment: Mapping[str, str]) -> dict[str, type]:
    """Our sections, and whatever others there are, unread: they belong to capabilities that we do not know."""
    try:
        found: dict[str, set[str]] = {
            name: set(table) if isinstance(table, dict) else set()
            for name, table in tomllib.loads((folder / FILE_NAME).read_text(encoding="utf-8")).items()
        }
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        found = {}  # `load` says what is wrong
    for variable in environment:
        name, separator, key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if variable.startswith(ENVIRONMENT_PREFIX) and separator:
            found.setdefault(name, set()).add(key)
    others = {name: make_dataclass(name, [(key, Any, None) for key in sorted(keys)]) for name, keys in found.items()}
    return {**others, "node": NodeSettings, "sharing": SharingSettings}
