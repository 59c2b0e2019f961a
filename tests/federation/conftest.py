"""Several nodes in one process: real stores, real TLS on free ports of the loopback, clocks that can be moved."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.capability import Site
from port2port.core.clock import to_ms
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.fact import Fact
from port2port.core.handling import (
    Agreement,
    Audience,
    Group,
    Handling,
    LegalBasis,
    PersonalData,
    Purpose,
    Tlp,
    all_members,
)
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.runtime import ReaderThread
from port2port.sharing import bootstrap, capability, service, trust, wire
from port2port.sharing.documents import Document
from port2port.sharing.entry import Cursor, Entry, Header, Op, commitment, follow, sign
from port2port.sharing.envelope import Envelope
from port2port.sharing.lane import lane_for
from port2port.sharing.running import Parts, assemble
from port2port.sharing.settings import SharingSettings
from port2port.sharing.wire import Acks
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site

F = TypeVar("F", bound=Fact)
T = TypeVar("T")
DEADLINE_S = 15.0
AGREEMENT = "agreement-test"
NAMES = ("Antwerp", "Ostend", "Ghent", "Liège", "Brussels")


class ShiftedClock:
    """The real time, moved by as much as a test wants."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


class Node:
    """One node of a test network."""

    def __init__(self, world: World, name: str, seed: int, url: str, settings: SharingSettings) -> None:
        self.world, self.name, self.seed, self.url, self.settings = world, name, seed, url, settings
        self.clock = ShiftedClock()
        self.tasks: list[asyncio.Task[None]] = []
        self.fixed_address = ""
        self.reader: ReaderThread | None = None
        roles = frozenset({AuthorityRole.INVITES}) if seed == 1 else frozenset()
        made = make_site(
            capabilities=[capability], url=url, name=f"Port of {name}", short_name=name, seed=seed, clock=self.clock
        )
        self.site: Site = replace(made, party=replace(made.party, roles=roles))
        self.parts: Parts = assemble(self.site, settings)
        self.id = self.site.party.node_id

    @property
    def address(self) -> str:
        if self.fixed_address:
            return self.fixed_address
        host, port = self.parts.listener.address or ("", 0)
        return f"{host}:{port}"

    def start(self) -> Node:
        """Run reader and tasks; returns when it listens."""
        self.parts.begin()
        self.reader = ReaderThread(self.site.store, self.parts.reader(), self.site.counters)
        self.reader.start()
        self.world.run(self._start_tasks())
        return self

    async def _start_tasks(self) -> None:
        self.tasks = [asyncio.create_task(task.run(), name=task.name) for task in self.parts.tasks()]
        while self.parts.listener.address is None:
            for task in self.tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.005)

    def stop(self) -> None:
        """Stop the tasks and the reader; the store stays as it is."""
        self.world.run(self._stop_tasks())
        assert self.reader is not None
        self.reader.stop()
        self.parts.peers.pulse.close()

    async def _stop_tasks(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks = []

    def restart(self) -> Node:
        """The same store and address, everything else new."""
        self.settings = replace(self.settings, listen=self.address) if self.tasks else self.settings
        if self.tasks:
            self.stop()
        self.parts = assemble(self.site, self.settings)
        return self.start()

    def close(self) -> None:
        if self.tasks:
            self.stop()
        self.site.store.close()
        if self.reader is not None:
            self.reader.join(5.0)

    def label(self, audience: Audience | None = None, **changes: Any) -> Handling:
        """A handling label of this node."""
        usual = Handling(
            origin=self.id,
            tlp=Tlp.AMBER,
            audience=audience or all_members(),
            compartment=Compartment.A,
            legal_basis=LegalBasis.ISPS_CODE,
            purpose=Purpose.PORT_SECURITY,
            personal_data=PersonalData.NONE,
            retain_until=self.clock() + timedelta(days=300),
            agreement_id=AGREEMENT,
        )
        return replace(usual, **changes)

    def share(
        self,
        object_id: str,
        body: bytes | None = None,
        *,
        version: int = 1,
        urgent: bool = False,
        handling: Handling | None = None,
    ) -> None:
        """Offer one object, as a person's verb would."""
        with self.site.store.transaction() as tx:
            tx.put_body(object_id, version, body or f'{{"id":"{object_id}","v":{version}}}'.encode())
            tx.append(
                ObjectOffered(
                    at=self.clock(),
                    object_kind="incident",
                    object_id=object_id,
                    version=version,
                    handling=handling or self.label(),
                    urgent=urgent,
                    account="system",
                )
            )

    def facts(self, kind: type[F]) -> list[F]:
        found = self.site.store.read(0, 10_000, {kind.kind()})
        return [each.fact for each in found if isinstance(each.fact, kind)]

    def arrived(self) -> list[tuple[str, int]]:
        """What came here: (object id as its origin calls it, version), in order."""
        return [(each.object_id.partition(".")[2], each.version) for each in self.facts(ObjectArrived)]

    def wait_for(self, kind: type[F], count: int = 1) -> list[F]:
        """The facts of a kind, once there are `count` of them."""
        return self.until(lambda: found if len(found := self.facts(kind)) >= count else None)

    def until(self, question: Callable[[], T | None]) -> T:
        """Ask again after every change of the journal until the answer is not empty."""
        end = threading.Event()
        timer = threading.Timer(DEADLINE_S, end.set)
        timer.start()
        try:
            while True:
                head = self.site.store.head()
                if answer := question():
                    return answer
                assert not end.is_set(), f"{self.name}: waited {DEADLINE_S} s; {self.site.counters.all()}"
                self.site.store.wait(head, 0.05)
        finally:
            timer.cancel()


class World:
    """An event loop in a thread of its own, and the nodes on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: list[Node] = []
        self.liars: list[Liar] = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="test-loop")
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(DEADLINE_S + 5)

    def node(self, name: str, *, on_disk: bool = False, inside: Path | None = None, **settings: Any) -> Node:
        """One more node, listening, in no network yet. The first may invite. `inside`: its own data folder."""
        seed = len(self.nodes) + 1
        url = f"sqlite:///{self.folder / name}.db" if on_disk else "memory://"
        url = f"sqlite:///{inside / 'node.db'}" if inside else url
        usual = {"listen": "127.0.0.1:0", "heartbeat_s": 0.5, "longest_pause_s": 0.5}
        node = Node(self, name, seed, url, SharingSettings(**{**usual, **settings}))
        self.nodes.append(node)
        return node.start()

    def silent(self, name: str) -> Node:
        """A node whose tasks and reader never run."""
        node = Node(self, name, len(self.nodes) + 1, "memory://", SharingSettings())
        node.fixed_address = f"127.0.0.1:{len(self.nodes) + 1}"
        self.nodes.append(node)
        return node

    def network(self, count: int, *, days: float = 365, **settings: Any) -> list[Node]:
        """Nodes that know each other, under one agreement that all have signed."""
        nodes = [self.node(name, **settings) for name in NAMES[:count]]
        self.acquaint(nodes, self.papers(nodes, days=days))
        return nodes

    def papers(self, nodes: list[Node], *, days: float = 365, groups: tuple[Group, ...] = ()) -> list[Document]:
        """The signed documents of a network whose first node invites."""
        now, first = nodes[0].clock(), nodes[0]
        papers = [
            bootstrap.make_statement(
                each.site.party, public_bytes(each.site.identity), each.address, now, first.site.identity
            )
            for each in nodes
        ]
        papers.append(bootstrap.make_agreement(agreement(nodes, now, days), *(n.site.identity for n in nodes)))
        owners = {each.id: each for each in nodes}
        papers += [bootstrap.make_group(each, now, owners[each.owner].site.identity) for each in groups]
        return papers

    def acquaint(self, nodes: list[Node], papers: list[Document]) -> None:
        for each in nodes:
            service.load_documents(each.site, each.parts.peers.book, papers)

    def acquaint_with_liar(self, node: Node, liar: Liar, **changes: Any) -> None:
        """A network of one honest node and one liar."""
        now, key = node.clock(), node.site.identity
        papers = [
            bootstrap.make_statement(node.site.party, public_bytes(key), node.address, now, key),
            bootstrap.make_statement(liar.party, public_bytes(liar.key), liar.address, now, key),
        ]
        text = replace(agreement([node], now), parties=frozenset({node.id, liar.id}), **changes)
        papers.append(bootstrap.make_agreement(text, key, liar.key))
        self.acquaint([node], papers)
        node.until(lambda: liar.is_known_to(node))

    def close(self) -> None:
        for each in self.nodes:
            each.close()
        for liar in self.liars:
            self.run(liar.runner.cleanup())
        self.run(_abort_left())
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


async def _abort_left() -> None:
    """Connections that a stopped task left in the middle of a handshake would be closed half a minute later."""
    for each in gc.get_objects():
        if isinstance(each, asyncio.Transport) and getattr(each, "_loop", None) is asyncio.get_running_loop():
            each.abort()
    await asyncio.sleep(0)


def agreement(nodes: list[Node], now: datetime, days: float = 365) -> Agreement:
    """An agreement that covers what the tests share."""
    return Agreement(
        id=AGREEMENT,
        title="Test agreement",
        parties=frozenset(each.id for each in nodes),
        purposes=frozenset({Purpose.PORT_SECURITY}),
        legal_basis=frozenset({LegalBasis.ISPS_CODE}),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now - timedelta(days=60),
        ends=now + timedelta(days=days),
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        made.close()


class Liar:
    """A member that keeps its key and nothing else: a server that sends whatever a test wants."""

    def __init__(self, world: World, name: str = "Ostend", seed: int = 90) -> None:
        self.world, self.name = world, name
        self.key = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
        self.id = node_id(public_bytes(self.key))
        self.party = Party(node_id=self.id, name=f"Port of {name}", short_name=name, compartment=Compartment.A)
        self.says: list[bytes] = []
        self.acks: list[Acks] = []
        self.endless: bytes = b""
        """Sent again and again after `says`, without an end of line."""
        self.sent_bytes = 0

    def start(self, *trusted: Node) -> Liar:
        keys = {each.id: public_bytes(each.site.identity) for each in trusted}
        self.world.run(self._start(keys))
        self.world.liars.append(self)
        return self

    async def _start(self, keys: dict[str, bytes]) -> None:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_get("/p2p/v1/stream", self._stream)
        app.router.add_post("/p2p/v1/acks", self._take_acks)
        self.runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, max_line_size=1 << 18, shutdown_timeout=0.1
        )
        await self.runner.setup()
        leaf = trust.issue_leaf(self.id, self.key, datetime.now(UTC))
        context = trust.server_context(leaf, keys, self.key)
        await web.TCPSite(self.runner, "127.0.0.1", 0, ssl_context=context).start()
        self.address = "{}:{}".format(*self.runner.addresses[0][:2])

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        said = request.query["class"] != "normal"
        while True:
            if self.says and not said:
                said = True
                await response.write(b"".join(self.says))
            while self.endless and request.query["class"] == "normal" and self.sent_bytes < 1 << 30:
                await response.write(self.endless)
                self.sent_bytes += len(self.endless)
            await response.write(wire.encode(wire.BeatLine(ts_ms=to_ms(datetime.now(UTC)))))
            await asyncio.sleep(0.02)

    async def _take_acks(self, request: web.Request) -> web.Response:
        self.acks.append(wire.decode_acks(await request.read()))
        return web.Response(status=204)

    def label(self, audience: Audience | None = None, **changes: Any) -> Handling:
        return replace(self.world.nodes[0].label(audience), origin=self.id, **changes)

    def client(self, server: Node, leaf: trust.Leaf | None = None) -> ssl.SSLContext:
        leaf = leaf or trust.issue_leaf(self.id, self.key, datetime.now(UTC))
        return trust.client_context(leaf, {server.id: public_bytes(server.site.identity)}, self.key)

    def get(self, server: Node, path: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
        """One request with this member's certificate."""
        return self.world.run(self._get(server, path, context or self.client(server)))

    def is_known_to(self, server: Node) -> bool:
        """Whether the server's listener has taken note of this member yet."""
        try:
            return self.get(server, "/p2p/v1/node")[0] == 200
        except aiohttp.ClientError:
            return False

    def get_later(self, server: Node, path: str) -> Future[tuple[int, bytes]]:
        """The same, without waiting for the answer."""
        return asyncio.run_coroutine_threadsafe(self._get(server, path, self.client(server)), self.world.loop)

    async def _get(self, server: Node, path: str, context: ssl.SSLContext) -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"https://{server.address}{path}", ssl=context) as answer,
        ):
            return answer.status, await answer.read()


class Forger:
    """Writes a lane as its origin would, or not quite."""

    def __init__(self, liar: Liar, handling: Handling, signer: Ed25519PrivateKey | None = None) -> None:
        self.liar, self.handling = liar, handling
        self.lane = lane_for(handling, urgent=False)
        self.signer = signer or liar.key
        self.cursor = Cursor()

    def opening(self) -> bytes:
        return wire.encode(wire.lane_line(self.lane, 0))

    def entry(self, object_id: str, *, skip: int = 0, op: int = Op.PUT, raw: bytes = b"", **changes: Any) -> Entry:
        """`raw`: another body than an envelope."""
        usual: dict[str, Any] = {
            "origin": self.liar.id,
            "kind": "incident",
            "object_id": object_id,
            "version": 1,
            "handling": self.handling,
            "object": msgspec.Raw(b'{"id":"' + object_id.encode() + b'"}'),
        }
        body = raw or msgspec.json.encode(Envelope(**{**usual, **changes}))
        salt = bytes(16)
        header = Header(
            self.lane.id, self.cursor.sequence + 1 + skip, op, to_ms(datetime.now(UTC)), commitment(salt, body)
        )
        self.cursor = follow(self.cursor, header)
        return Entry(header, salt, body)

    def page(self, *entries: Entry) -> bytes:
        return wire.encode(
            wire.page_line(entries, sign(self.signer, self.lane.id, self.cursor, to_ms(datetime.now(UTC))))
        )


@pytest.fixture
def victim(world: World) -> tuple[Node, Liar]:
    """One honest node and one liar, in one network."""
    node = world.node("Antwerp")
    liar = Liar(world).start(node)
    world.acquaint_with_liar(node, liar)
    return node, liar


@pytest.fixture
def forger() -> type[Forger]:
    return Forger


@pytest.fixture(name="agreement")
def _agreement() -> Callable[..., Agreement]:
    return agreement


@pytest.fixture
def liar_of() -> type[Liar]:
    return Liar
