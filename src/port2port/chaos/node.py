"""One node of a simulation: the product's own parts on a real store, without tasks and threads of its own.

What a running node does by itself, the driver calls: `sequence`, `tail`, `take`, `acks`, `take_acks`. Each may end
in `Crash`; then the driver calls `rise`.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.capability import Counters, Reader, Site, core_facts
from port2port.chaos.faulty import FaultyStore, Fuse
from port2port.chaos.labels import handling_of
from port2port.chaos.ledger import Ledger, Version, View
from port2port.chaos.oracle import Label
from port2port.core.errors import DecodeError
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.fact import Fact
from port2port.core.ids import node_id, seeded_ids
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.sharing import capability, recalling, receipts, service, tables, wire
from port2port.sharing.announcing import sign_and_announce
from port2port.sharing.calls import PeerAnswer, PeerRequest
from port2port.sharing.documents import Document
from port2port.sharing.entry import GENESIS, Cursor
from port2port.sharing.facts import LaneStopped, ObjectPublished, ObjectWithheld, RecallConfirmed, RecallIssued
from port2port.sharing.lane import Class
from port2port.sharing.limits import MAX_PAGE_ENTRIES
from port2port.sharing.recall import Why
from port2port.sharing.running import Parts, assemble
from port2port.sharing.settings import SharingSettings
from port2port.sharing.stream import Stream
from port2port.sharing.tail import Tail
from port2port.sharing.wire import LaneLine, PageLine, StopLine
from port2port.store import Store, open_store
from port2port.store.identity import public_bytes
from port2port.testing import FakeOthers

F = TypeVar("F", bound=Fact)
FACTS = (*core_facts(), *capability.facts)
WATCHED = frozenset(
    each.kind() for each in (ObjectArrived, ObjectPublished, ObjectWithheld, LaneStopped, RecallIssued, RecallConfirmed)
)
DATABASE = "node.db"
KEYS = "node.keys"
NOT_DURABLE = frozenset({f"{DATABASE}-shm"})
"""Only an index of the log; SQLite makes it again."""


@dataclass(frozen=True)
class Who:
    """A node's name and key, the same in every history."""

    number: int
    name: str
    side: Compartment
    roles: frozenset[AuthorityRole] = frozenset()

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes((self.number + 1).to_bytes(32, "big"))

    @property
    def id(self) -> str:
        return node_id(public_bytes(self.key))

    def party(self) -> Party:
        return Party(
            node_id=self.id,
            name=f"Port of {self.name}",
            short_name=self.name,
            compartment=self.side,
            roles=self.roles,
        )


def make_template(folder: Path) -> None:
    """An empty store with all tables, to be copied for every node of every history."""
    store = open_files(folder, lambda: datetime.now(UTC))
    store.close()


def open_files(folder: Path, clock: Callable[[], datetime]) -> Store:
    store = open_store(f"sqlite:///{folder / DATABASE}", FACTS, clock)
    store.migrate(capability.name, capability.folder / "migrations")
    return store


def copy_files(source: Path, target: Path) -> None:
    """What is durable of a node, as it lies there now."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for each in source.iterdir():
        if each.name not in NOT_DURABLE:
            shutil.copyfile(each, target / each.name)


@dataclass
class SimulatedNode:
    """A node in a folder."""

    who: Who
    folder: Path
    ledger: Ledger
    world_clock: Callable[[], datetime]
    loop: asyncio.AbstractEventLoop
    skew: timedelta = timedelta()
    crashes: int = 0
    seen: int = 0
    """Journal number up to which the driver has looked."""
    gone_back: bool = False
    held: dict[Version, str] = field(default_factory=dict)
    """What has arrived: version -> digest of its content."""

    @property
    def id(self) -> str:
        return self._id

    def __post_init__(self) -> None:
        self._id, self._key = self.who.id, self.who.key
        self.fuse = Fuse(lambda: copy_files(self.folder, self._durable))

    @property
    def _durable(self) -> Path:
        return self.folder.with_name(self.folder.name + ".durable")

    @property
    def old_copy(self) -> Path:
        """Where somebody may have kept its files as they once were."""
        return self.folder.with_name(self.folder.name + ".old")

    def clock(self) -> datetime:
        return self.world_clock() + self.skew

    def start(self) -> None:
        """Open the store and put the parts together."""
        self._store = open_files(self.folder, self.clock)
        self.site = Site(
            party=self.who.party(),
            identity=self._key,
            folder=self.folder,
            store=FaultyStore(self._store, self.fuse),
            clock=self.clock,
            new_id=seeded_ids(self.who.number * 1000 + self.crashes),
            counters=Counters(),
            others=FakeOthers(),
        )
        self.parts: Parts = assemble(self.site, SharingSettings())
        self.book = self.parts.peers.book
        self.intake = self.parts.connector._intake

    def prepare(self, template: Path, papers: Sequence[Document]) -> None:
        """Take the network's first papers into an empty store, once for all histories."""
        copy_files(template, self.folder)
        self.start()
        service.load_documents(self.site, self.book, papers)
        self.close()

    def close(self) -> None:
        self._store.close()

    def rise(self) -> None:
        """After a crash: what was durable at that instant is all there is."""
        self.crashes += 1
        self._forget_tasks()
        self.close()
        shutil.rmtree(self.folder)
        self._durable.rename(self.folder)
        self.fuse.arm(0)
        self.start()

    def keep_copy(self) -> None:
        """Somebody keeps a copy of its files."""
        copy_files(self.folder, self.old_copy)
        self._kept = (self.seen, dict(self.held))

    def go_back(self) -> int:
        """The disk is lost, and the old copy takes its place; answers the journal number up to which it goes."""
        self.crashes += 1
        self._forget_tasks()
        self.close()
        copy_files(self.old_copy, self.folder)
        shutil.rmtree(self.old_copy)
        self.seen, self.held = self._kept
        self.gone_back = True
        self.fuse.arm(0)
        self.start()
        return self._store.head()

    def _forget_tasks(self) -> None:
        """What the dead process had begun is never finished. (During another node's call it began none.)"""
        if self.loop.is_running():
            return
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    def view(self) -> View:
        """This node at this moment, for the oracle."""
        with self._store.reading() as view:
            digests = [row[0] for row in view.rows("SELECT digest FROM sharing_document")]
        return View(self.id, self.clock().timestamp(), self.ledger.knowledge(digests))

    def share(self, version: Version, label: Label, content: bytes, urgency: Class) -> None:
        """Offer one version, as a person's verb would: the body and the decision in one transaction."""
        with self.site.store.transaction() as tx:
            tx.put_body(version[1], version[2], content)
            tx.append(
                ObjectOffered(
                    at=self.clock(),
                    object_kind="incident",
                    object_id=version[1],
                    version=version[2],
                    handling=handling_of(label),
                    urgent=urgency is Class.FLASH,
                    bulk=urgency is Class.BULK,
                    account="system",
                )
            )

    def sequence(self, limit: int = 500) -> bool:
        """What the threads that read the journal do with one page; False when nothing was there."""
        return sum(self._read(reader, limit) for reader in self._readers()) > 0

    def _readers(self) -> Sequence[Reader]:
        return (self.parts.reader(),)

    def _read(self, reader: Reader, limit: int) -> bool:
        with self._store.reading() as view:
            at = view.cursor(reader.name)
        page = self._store.read(at, limit, frozenset(each.kind() for each in reader.facts))
        if page:
            with self.site.store.transaction() as tx:
                reader.handle(tx, page)
                tx.move_cursor(reader.name, page[-1].number)
        return bool(page)

    def cursors(self, origin: str, urgency: Class) -> dict[bytes, Cursor]:
        """From where it would go on reading."""
        with self._store.reading() as view:
            return {row.lane.id: row.cursor for row in tables.lanes_of(view, origin, urgency)}

    def chain_at(self, lane: bytes, sequence: int) -> bytes:
        """The chain value of one of its own connections at a number."""
        with self._store.reading() as view:
            return tables.chain_at(view, lane, sequence) or GENESIS

    def offered(self) -> dict[Class, tuple[int, int, int]]:
        """For each class of which it has anything: another value whenever there may be something new for somebody."""
        query = "SELECT urgency, count(*), sum(sequence) FROM sharing_lane WHERE own = 1 GROUP BY urgency"
        with self._store.reading() as view:
            papers = view.rows("SELECT count(*) FROM sharing_document")[0][0]
            return {Class(urgency): (lanes, entries, papers) for urgency, lanes, entries in view.rows(query)}

    def stream(self, via: str, urgency: Class, origin: str = "") -> Stream | None:
        """A connection of ours to `via`, for its own entries or those of `origin`; None when it is no member for us."""
        member = self.parts.peers.network().members.get(via)
        if member is None:
            return None
        return Stream(self.parts.peers, self.parts.peers.credentials, self.intake, member, urgency, origin)

    def tail(self, reader: str, urgency: Class, cursors: dict[bytes, Cursor], origin: str = "") -> Tail:
        """What answers when `reader` connects."""
        return Tail(self.site, self.book, reader, urgency, cursors, origin=origin)

    def take(self, stream: Stream, line: bytes) -> None:
        """One line of a connection. Raises `DecodeError` or `StreamEnded`: the connection is over."""
        message = wire.decode(line)
        if isinstance(message, PageLine):
            stream._apply([message])
        elif isinstance(message, LaneLine):
            self.loop.run_until_complete(stream._meet(message))
        elif isinstance(message, StopLine):
            self.loop.run_until_complete(stream._stopped(message))

    def take_acks(self, peer: str, body: bytes) -> None:
        """Confirmations of a peer, as the listener takes them."""
        listener = self.parts.listener
        listener._save_acks(peer, listener._check_acks(peer, wire.decode_acks(body)))

    def take_back(self, object_id: str, op: str) -> None:
        """A person takes an object back. Raises `NotFound`."""
        recalling.take_back(self.site, [object_id], op, Why.MISTAKE, "system")

    def confirm_recalls(self) -> bool:
        """Give the receipts that are true by now; whether there were any to give."""
        confirming = self.parts.confirming
        _, ready = confirming._look()
        return bool(ready) and self.loop.run_until_complete(confirming._send(ready))

    def expire(self) -> int:
        """Look who must still hear of a recall, and drop what may no longer be kept; answers how many entries."""
        receipts.reroute(self.parts.peers)
        return receipts.expire_overdue(self.parts.peers)

    def ask_witnesses(self) -> None:
        """One round of what partners saw of others, and of us."""
        self.loop.run_until_complete(self.parts.witness.ask_all())

    def answer(self, peer: str, method: str, path: str, body: bytes) -> PeerAnswer:
        """What the listener answers to a member; 404 to all others."""
        if not self.parts.peers.network().is_member(peer):
            return PeerAnswer(404)
        url = urlsplit(path)
        query = dict(parse_qsl(url.query))
        for route in self.parts.peers.routes:
            values = _matched(route.path, url.path)
            if route.method == method and values is not None:
                try:
                    return route.handle(peer, PeerRequest(path_values=values, query=query, body=body))
                except DecodeError:
                    return PeerAnswer(400)
        if (values := _matched("/p2p/v1/lanes/{lane}/entries", url.path)) is not None:
            return self._entries(peer, values["lane"], query)
        if (method, url.path) == ("GET", "/p2p/v1/lanes"):
            return PeerAnswer(200, b"".join(self.parts.listener._read_lanes(peer, query.get("of", ""))))
        return PeerAnswer(404)

    def _entries(self, peer: str, lane: str, query: dict[str, str]) -> PeerAnswer:
        page = self.parts.listener._page(
            peer, lane, wire.decode_cursor(query.get("after", "0")), MAX_PAGE_ENTRIES, query.get("gaps") == "1"
        )
        if page is None:
            return PeerAnswer(200)
        return PeerAnswer(200, wire.encode(page)) if isinstance(page, PageLine) else PeerAnswer(page.status)

    def facts(self, kind: type[F], after: int = 0) -> list[F]:
        """All facts of a kind that it recorded after a journal number."""
        found = self._store.read(after, 10_000, {kind.kind()})
        return [each.fact for each in found if isinstance(each.fact, kind)]

    def news(self) -> list[Fact]:
        """Facts since the driver last looked."""
        page = self._store.read(self.seen, 10_000, WATCHED)
        if page:
            self.seen = page[-1].number
        return [each.fact for each in page if isinstance(each.fact, Fact)]

    def content(self, version: Version) -> str:
        """SHA-256 of another's object as it is stored here; empty when it is not."""
        with self._store.reading() as view:
            body = view.body(f"{version[0]}.{version[1]}", version[2])
        return hashlib.sha256(body).hexdigest() if body is not None else ""

    def announce(self, document: Document) -> None:
        """Sign and tell every member, as the verbs about the network do. Raises `NotAllowed`."""
        with self.site.store.transaction() as tx:
            sign_and_announce(self.site, self.book, tx, document, self.clock())


def _matched(template: str, path: str) -> dict[str, str] | None:
    """The values of a route's path, or None when it is another path."""
    wanted, given = template.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    values = {}
    for one, other in zip(wanted, given, strict=True):
        if one.startswith("{"):
            values[one.strip("{}")] = other
        elif one != other:
            return None
    return values
