"""A node that keeps an audit log, without listener and threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import text

from port2port import web
from port2port.capability import Site
from port2port.core.clock import SteppedClock
from port2port.core.fact import Fact
from port2port.core.party import AuthorityRole
from port2port.sharing import capability, service
from port2port.sharing.audit import log, tables, verify
from port2port.sharing.audit.running import assemble
from port2port.sharing.audit.tables import StoredCheckpoint
from port2port.sharing.audit.verify import Report
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import make_statement
from port2port.sharing.calls import CallFailed, PeerAnswer, PeerRequest
from port2port.sharing.documents import Member
from port2port.sharing.facts import MemberInvited
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import Pulse
from port2port.sharing.settings import SharingSettings
from port2port.store import Store
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site
from port2port.web.facts import SignedIn, SignedOut

F = TypeVar("F", bound=Fact)
NAMES = ("Antwerp", "Ostend", "Ghent", "Liège", "Brussels", "Namur")


class Keeper:
    """One node. `record` lets things happen, `read` is what its reader thread does."""

    def __init__(self, seed: int, url: str = "memory://", store: Store | None = None) -> None:
        name = NAMES[seed - 1]
        made = make_site(
            capabilities=[capability], facts=web.FACTS, seed=seed, name=f"Port of {name}", short_name=name, url=url
        )
        self.site: Site = replace(made, store=store) if store else made
        self.peers = Peers(self.site, SharingSettings(), Book(), Pulse(self.site.store))
        self.parts = assemble(self.peers)
        self.parts.rounds.call = self.call
        self.parts.rounds.random = Random(seed)
        self.reach: Mapping[str, Keeper] = {}
        self.lies: Callable[[str, str], Keeper | None] = lambda caller, path: None
        """Who answers in this node's place, by caller and path."""
        self.calls: list[tuple[str, str]] = []

    @property
    def id(self) -> str:
        return self.site.party.node_id

    @property
    def clock(self) -> SteppedClock:
        assert isinstance(self.site.clock, SteppedClock)
        return self.site.clock

    def record(self, count: int = 1, name: str = "someone") -> None:
        """So many audited facts, each with one beside it that is not."""
        with self.site.store.transaction() as tx:
            for number in range(count):
                at = self.clock.step(timedelta(milliseconds=1))
                tx.append(SignedOut(at=at, account=f"{name}-{number}"))
                tx.append(SignedIn(at=at, account=f"{name}-{number}", method="passkey"))

    def invite(self) -> None:
        now = self.clock()
        with self.site.store.transaction() as tx:
            tx.append(MemberInvited(at=now, invitation="x", name="Port of Bruges", expires=now))

    def read(self) -> None:
        """Deal with the journal to its end, page by page."""
        reader, store = self.parts.reader(), self.site.store
        with store.reading() as view:
            cursor = view.cursor(reader.name)
        while page := store.read(cursor, 500, {each.kind() for each in reader.facts}):
            with store.transaction() as tx:
                reader.handle(tx, page)
                tx.move_cursor(reader.name, page[-1].number)
            cursor = page[-1].number

    def grow(self, count: int) -> None:
        self.record(count)
        self.read()
        self.clock.step(timedelta(seconds=10))

    def checkpoint(self) -> StoredCheckpoint:
        with self.site.store.transaction() as tx:
            made = self.parts.log.make_checkpoint(tx)
        assert made is not None
        return made

    def round(self) -> None:
        asyncio.run(self.parts.rounds.round())

    def verify(self) -> Report:
        with self.site.store.reading() as view:
            keys = self.parts.checking.keys(view)
        return verify.verify(self.site.store, self.id, keys, self.clock())

    def size(self) -> int:
        with self.site.store.reading() as view:
            return tables.size(view)

    def root(self, size: int | None = None) -> bytes:
        with self.site.store.reading() as view:
            return log.root_at(view, tables.size(view) if size is None else size)

    def facts(self, kind: type[F]) -> list[F]:
        return [each.fact for each in self.site.store.read(0, 10_000, {kind.kind()}) if isinstance(each.fact, kind)]

    def sql(self, statement: str, **values: object) -> None:
        """What a person with a database shell does."""
        with self.site.store.transaction() as tx:
            tx.execute(text(statement), values)

    async def call(self, member: Member, method: str, path: str, body: bytes) -> PeerAnswer:
        self.calls.append((member.node_id, path))
        if member.node_id not in self.reach:
            raise CallFailed("unreachable")
        other = self.reach[member.node_id]
        return (other.lies(self.id, path) or other).answer(self.id, method, path, body)

    def answer(self, peer: str, method: str, path: str, body: bytes = b"") -> PeerAnswer:
        split = urlsplit(path)
        route = next(each for each in self.parts.peer_routes() if (each.method, each.path) == (method, split.path))
        return route.handle(peer, PeerRequest(query=dict(parse_qsl(split.query)), body=body))

    def close(self) -> None:
        self.site.store.close()


def acquaint(nodes: Sequence[Keeper]) -> None:
    """All are members of one network, and can call each other."""
    first = nodes[0].site
    parties = {each.id: each.site.party for each in nodes}
    parties[nodes[0].id] = replace(first.party, roles=frozenset({AuthorityRole.INVITES}))
    papers = [
        make_statement(parties[each.id], public_bytes(each.site.identity), "127.0.0.1:1", first.clock(), first.identity)
        for each in nodes
    ]
    for each in nodes:
        service.load_documents(each.site, each.peers.book, papers)
        each.reach = {other.id: other for other in nodes if other is not each}
