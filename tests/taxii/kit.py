"""A node with a TAXII server on a free port of the loopback, in a network of two."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar

from port2port import web
from port2port.capability import Site, core_facts
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.handling import (
    Agreement,
    Audience,
    Handling,
    LegalBasis,
    PersonalData,
    Purpose,
    Tlp,
    all_members,
)
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.sharing import capability, service, tables
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import make_agreement, make_statement
from port2port.sharing.lane import lane_for
from port2port.sharing.running import assemble
from port2port.sharing.settings import SharingSettings
from port2port.sharing.taxii import accounts, running
from port2port.sharing.taxii.media import TAXII
from port2port.store import open_store
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site
from port2port.web.passwords import Passwords
from port2port.web.server import serve

QUICK = web.WebSettings(argon2_memory_kib=8, argon2_passes=1)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
OTHER_ID = node_id(public_bytes(OTHER_KEY))
AGREEMENT = "agreement-1"
DEADLINE_S = 20.0
_numbers = itertools.count(1)


class MovedClock:
    """The real time, moved by as much as a test wants."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


@dataclass
class Program:
    """A foreign program with an account."""

    url: str
    name: str
    password: str

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=(self.name, self.password), headers={"Accept": TAXII})

    def get(self, path: str, **query: Any) -> httpx.Response:
        with self.client() as client:
            return client.get(path, params=query)

    def post(self, objects: Sequence[Any], path: str = "node/collections/inbox/objects/") -> httpx.Response:
        return self.post_bytes(json.dumps({"objects": objects}).encode(), path)

    def post_bytes(self, body: bytes, path: str = "node/collections/inbox/objects/") -> httpx.Response:
        with self.client() as client:
            return client.post(path, content=body, headers={"Content-Type": TAXII})

    def all_objects(self, collection: str = "all", **query: Any) -> list[dict[str, Any]]:
        """Every page, by `next`."""
        return list(self.pages(f"node/collections/{collection}/objects/", **query))

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        while True:
            answer = self.get(path, **query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            yield from page.get("objects", page.get("versions", []))
            if not page.get("more"):
                return
            query["next"] = page["next"]


class Node:
    """One node, its clock, and what others send it."""

    def __init__(self, site: Site, clock: MovedClock) -> None:
        self.site, self.clock, self.url = site, clock, ""
        self.programs: list[Program] = []
        self.parts = assemble(site, SharingSettings())
        self.taxii = running.start(self.parts.peers)

    def account(self, name: str, **may: Any) -> Program:
        how = {
            "may_read": True,
            "may_write": False,
            "purpose": Purpose.PORT_SECURITY,
            "max_tlp": Tlp.AMBER,
            **may,
        }
        made = Program(self.url, name, accounts.add(self.site, Passwords(QUICK), name, **how))
        self.taxii.feeder.work()
        return made

    def label(self, origin: str = OTHER_ID, audience: Audience | None = None, **changes: Any) -> Handling:
        usual = Handling(
            origin=origin,
            tlp=Tlp.GREEN,
            audience=audience or all_members(),
            compartment=Compartment.A,
            legal_basis=LegalBasis.ISPS_CODE,
            purpose=Purpose.PORT_SECURITY,
            personal_data=PersonalData.NONE,
            retain_until=self.clock() + timedelta(days=30),
            agreement_id=AGREEMENT,
        )
        return replace(usual, **changes)

    def arrives(
        self,
        objects: Sequence[Any],
        label: Handling | None = None,
        object_id: str = "",
        version: int = 1,
        *,
        feed: bool = True,
    ) -> str:
        """Another port's bundle was accepted here; its collection shows it when this returns."""
        label = label or self.label()
        here = f"{OTHER_ID}.{object_id or uuid.uuid4()}"
        lane, before = lane_for(label, False), self.site.store.head()
        with self.site.store.transaction() as tx:
            if tables.find_lane(tx, lane.id) is None:
                tables.add_lane(tx, lane, own=False)
            tx.put_body(here, version, bundle(objects))
            tx.append(
                ObjectArrived(
                    at=self.clock(),
                    object_kind="incident",
                    object_id=here,
                    version=version,
                    handling=label,
                    origin=OTHER_ID,
                    origin_name="Port of Ghent",
                )
            )
        self.site.store.wait(before, 5.0)  # on a server the number comes a moment after the commit
        self.catch_up(feed=feed)
        return here

    def offers(
        self, objects: Sequence[Any], label: Handling | None = None, object_id: str = "", version: int = 1
    ) -> str:
        """A person here shared a bundle."""
        object_id = object_id or str(uuid.uuid4())
        with self.site.store.transaction() as tx:
            tx.put_body(object_id, version, bundle(objects))
            tx.append(
                ObjectOffered(
                    at=self.clock(),
                    object_kind="incident",
                    object_id=object_id,
                    version=version,
                    handling=label or self.label(self.site.party.node_id),
                    urgent=False,
                    account="system",
                )
            )
        self.catch_up()
        return object_id

    def catch_up(self, *, feed: bool = True) -> None:
        """Let the readers read the journal to its end, and the feeder do its work."""
        for reader in (self.parts.reader(), *self.taxii.readers):
            kinds = {fact.kind() for fact in reader.facts}
            with self.site.store.transaction() as tx:
                page = self.site.store.read(tx.cursor(reader.name), 10_000, kinds)
                reader.handle(tx, page)
                if page:
                    tx.move_cursor(reader.name, page[-1].number)
        if feed:
            self.taxii.feeder.work()


def bundle(objects: Sequence[Any]) -> bytes:
    return json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects}).encode()


def indicator(number: int | None = None, modified: str = "2026-02-01T00:00:00.000Z", **changes: Any) -> dict[str, Any]:
    """A valid STIX 2.1 indicator; the same number names the same object."""
    number = next(_numbers) if number is None else number
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.UUID(int=number, version=4)}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": modified,
        "name": f"Number {number}",
        "pattern": f"[url:value = 'https://example.com/{number}']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
        **changes,
    }


@contextmanager
def served(app: Litestar) -> Iterator[str]:
    """The app on the node's real server, in a thread; answers its URL."""
    ready, loop, stopping = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    ports: list[int] = []

    def bound(port: int) -> None:
        ports.append(port)
        ready.set()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve(app, address="127.0.0.1", ready=bound, stopping=stopping))

    thread = threading.Thread(target=run, name="server")
    thread.start()
    try:
        assert ready.wait(DEADLINE_S), "the server did not come up"
        yield f"http://127.0.0.1:{ports[0]}/taxii2/"
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(DEADLINE_S)


def app_of(node: Node) -> Litestar:
    surface = web.Surface(
        party=node.site.party,
        store=node.site.store,
        clock=node.clock,
        new_id=node.site.new_id,
        counters=node.site.counters,
        words=web.load_words({}),
        routes=node.taxii.routes,
    )
    return web.build_app(surface, QUICK)


@contextmanager
def a_node(url: str = "memory://", keys: Path | None = None) -> Iterator[Node]:
    """A node that serves, in a network of two. `keys`: for a store on a database server."""
    clock = MovedClock()
    made = make_site(capabilities=[capability], facts=web.FACTS, url="memory://" if keys else url, clock=clock)
    if keys:
        store = open_store(url, [*core_facts(), *web.FACTS, *capability.facts], keys=keys)
        store.migrate(capability.name, capability.folder / "migrations")
        made.store.close()
        made = replace(made, store=store)
    me = replace(made.party, roles=frozenset({AuthorityRole.INVITES}))
    other = Party(node_id=OTHER_ID, name="Port of Ghent", short_name="Ghent", compartment=Compartment.A)
    since = clock() - timedelta(days=1)
    agreement = Agreement(
        id=AGREEMENT,
        title="Agreement",
        parties=frozenset({me.node_id, OTHER_ID}),
        purposes=frozenset(Purpose),
        legal_basis=frozenset(LegalBasis),
        personal_data=frozenset(PersonalData),
        starts=since,
        ends=since + timedelta(days=400),
    )
    papers = [
        make_statement(me, public_bytes(made.identity), "127.0.0.1:1", since, made.identity),
        make_statement(other, public_bytes(OTHER_KEY), "127.0.0.1:2", since, made.identity),
        make_agreement(agreement, made.identity, OTHER_KEY),
    ]
    service.load_documents(made, Book(), papers)
    node = Node(made, clock)
    try:
        with served(app_of(node)) as node.url:
            yield node
    finally:
        made.store.close()
