"""The composition root: the only file that knows everyone. It composes, introduces, starts and stops; no more."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from port2port import web
from port2port.capability import (
    AlertAction,
    Ask,
    Capability,
    Counters,
    Layer,
    Running,
    Site,
    core_facts,
)
from port2port.config import NodeSettings, Sections, Settings, load
from port2port.core.clock import Clock, system_clock
from port2port.core.fact import Fact
from port2port.core.ids import random_id
from port2port.core.party import Party
from port2port.incidents import capability as incidents
from port2port.picture import capability as picture
from port2port.runtime import ReaderThread, by_section, keep_running, resident_mb
from port2port.sharing import capability as sharing
from port2port.store import Store, open_store
from port2port.store.identity import load_or_create
from port2port.vessels import capability as vessels
from port2port.web.certificate import files_for
from port2port.web.origin import public_url
from port2port.web.server import serve
from port2port.worker import Supervisor

CAPABILITIES: tuple[Capability[Any], ...] = (
    vessels,
    incidents,
    sharing,
    picture,
)

P = TypeVar("P")
JOIN_TIMEOUT_S = 6.0

log = logging.getLogger("port2port")


def sections() -> Sections:
    """All sections of a node's settings file."""
    return {"node": NodeSettings, "web": web.WebSettings, **{each.name: each.settings for each in CAPABILITIES}}


class _Others:
    """Introduces capabilities to one another by the names of their asks."""

    def __init__(self) -> None:
        self.running: dict[str, Running] = {}

    def ask(self, name: str, shape: type[P]) -> Ask[P]:
        def find() -> P | None:
            return next((each.answers[name] for each in self.running.values() if name in each.answers), None)  # type: ignore[return-value]

        return Ask(find)

    def readers(self, *of: type[Fact]) -> Sequence[str]:
        found = [reader for each in self.running.values() for reader in each.readers]
        return [reader.name for reader in found if set(of) & set(reader.facts)]

    def layers(self) -> Sequence[Layer]:
        return [layer for each in self.running.values() for layer in each.layers]

    def actions(self) -> Sequence[AlertAction]:
        return [action for each in self.running.values() for action in each.actions]


class Node:
    """One organisation's node on a data folder. `open` to use its store, `run` to serve."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = os.environ, clock: Clock = system_clock) -> None:
        self.folder = folder
        self.settings: Settings = load(folder, sections(), environment)
        self._own = self.settings.section("node", NodeSettings)
        self._web = self.settings.section("web", web.WebSettings)
        self._clock = clock
        self._others = _Others()
        self.counters = Counters()
        self.worker = Supervisor(log=log.warning)
        self.web_port = 0
        self._readers: list[ReaderThread] = []

    def open(self) -> Site:
        """Open the store, bring its tables up to date, and answer what capabilities get. Creates the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        identity = load_or_create(self.folder)
        self.store: Store = open_store(self._store_url(), self._facts(), keys=self.folder / "node.keys")
        for each in CAPABILITIES:
            if (each.folder / "migrations").is_dir():
                self.store.migrate(each.name, each.folder / "migrations")
        self.site = Site(
            party=self._party(identity.node_id),
            identity=identity,
            folder=self.folder,
            store=self.store,
            clock=self._clock,
            new_id=random_id,
            counters=self.counters,
            others=self._others,
            demonstration=self._own.demonstration,
        )
        return self.site

    async def run(self, stop: asyncio.Event, ready: Callable[[Node], None] = lambda node: None) -> None:
        """Serve until `stop` is set. `ready` is called once, when browsers and other nodes can connect."""
        self.open()
        try:
            self._start_capabilities()
            self._start_readers()
            await self._serve(stop, ready)
        finally:
            await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Stop reading, let capabilities write what they hold, close the store."""
        for reader in self._readers:
            reader.stop()
        for running in self._others.running.values():
            running.close()
        self.worker.close()
        self.store.close()
        for reader in self._readers:
            reader.join(JOIN_TIMEOUT_S)

    def health(self) -> Mapping[str, object]:
        """Numbers for the system page: section -> name -> value, or -> rows."""
        found: dict[str, object] = {
            "web.node": {"resident_mb": round(resident_mb())},
            "web.readers": {each.reader.name: each.last_error or each.behind() for each in self._readers},
            "web.worker": {name: getattr(self.worker.state(), name) for name in ("running", "resident_mb", "restarts")},
        }
        for name, running in self._others.running.items():
            found.update(by_section(name, running.health()))
        return found

    def base_url(self) -> str:
        """What people type to reach the screens."""
        return public_url(self._web, self.web_port or self._web.port)

    def first_link(self) -> str | None:
        """Where the first administrator is made, as long as there is none."""
        if self._own.demonstration:
            return None
        return web.first_administrator_link(self.store, self.base_url(), self._clock())

    def _start_capabilities(self) -> None:
        for each in CAPABILITIES:
            section = self.settings.section(each.name, each.settings)
            self._others.running[each.name] = each.start(self.site, section)

    def _start_readers(self) -> None:
        for running in self._others.running.values():
            for reader in running.readers:
                thread = ReaderThread(self.store, reader, self.counters)
                self._readers.append(thread)
                thread.start()

    async def _serve(self, stop: asyncio.Event, ready: Callable[[Node], None]) -> None:
        def bound(port: int) -> None:
            self.web_port = port
            ready(self)

        tasks = [task for each in self._others.running.values() for task in each.tasks]
        background = asyncio.create_task(keep_running(tasks, self.counters))
        certificate, key = files_for(self._web, self.folder, self._clock())
        try:
            await serve(
                web.build_app(self._surface(), self._web),
                address=self._web.address,
                port=self._web.port,
                certificate=certificate,
                key=key,
                ready=bound,
                stopping=stop,
            )
        finally:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)

    def _surface(self) -> web.Surface:
        running = self._others.running
        folders = {each.name: each.folder for each in CAPABILITIES}
        return web.Surface(
            party=self.site.party,
            store=self.store,
            clock=self._clock,
            new_id=random_id,
            counters=self.counters,
            words=web.load_words(folders),
            routes=[route for each in running.values() for route in each.routes],
            pages=[page for each in running.values() for page in each.pages],
            folders=folders,
            health=self.health,
            demonstration=self._own.demonstration,
        )

    def _facts(self) -> list[type[Any]]:
        return [*core_facts(), *web.FACTS, *(fact for each in CAPABILITIES for fact in each.facts)]

    def _store_url(self) -> str:
        return self._own.store or f"sqlite:///{self.folder / 'node.db'}"

    def _party(self, own_id: str) -> Party:
        return Party(
            node_id=own_id,
            name=self._own.name,
            short_name=self._own.short_name,
            compartment=self._own.compartment,
            locode=self._own.locode,
            roles=frozenset(self._own.roles),
        )
