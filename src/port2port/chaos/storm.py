"""Real node processes in a storm: cuts, loss, kill -9, full disks; then calm, and the same oracle counts.

What a node has answered stands in a file outside the nodes, written after the answer. When the storm is over, every
node must hold exactly what it may have; then all nodes are stopped and their files are searched.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from port2port.capability import core_facts
from port2port.chaos import canary, offers, papers
from port2port.chaos.host import PEER_PORT, Host, within
from port2port.chaos.labels import label_of
from port2port.chaos.ledger import Ledger, Offer, Version, View
from port2port.chaos.namespaces import Lab, require_lab
from port2port.chaos.oracle import Label
from port2port.core.errors import Port2PortError
from port2port.core.exchange import ObjectArrived
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.demo.check import connected
from port2port.sharing.bootstrap import write_bootstrap
from port2port.store import open_store
from port2port.store.identity import load_or_create, owner_of

NAMES = ("Antwerp", "Ostend", "Ghent", "Liège", "Brussels", "Limburg", "Bruges", "Genk", "Mechelen")
POLICE = "Limburg"
STARTED_AT_ONCE = 3
CALM_S = 120.0
"""How long the network may take to become equal before it counts as never."""
REPORT_EVERY_S = 0.3
LOSS_PERCENT = 25
SECONDS_OF_FAULT = (0.5, 3.0)
LAST_PARTITION_S = 4.0

Say = Callable[[str], None]
Bodies = dict[str, dict[tuple[str, int], bytes]]
"""Node -> (object id, version) -> content."""


@dataclass
class StormReport:
    """What one storm showed."""

    seed: int
    nodes: int
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    not_answered: int = 0
    healed_s: float = 0.0
    """From the moment when all links stand again until every node held all it may have."""
    ledger: Ledger = field(default_factory=Ledger)

    def as_json(self) -> dict[str, Any]:
        counts = self.ledger.counts
        return {
            "seed": self.seed,
            "nodes": self.nodes,
            "faults": dict(sorted(self.faults.items())),
            "acknowledged": self.acknowledged,
            "not_answered": self.not_answered,
            "due": counts["due"],
            "lost": counts["lost"],
            "extra": counts["extra"],
            "leaked": sum(each.promise in ("I4", "I5", "I15") for each in self.ledger.violations),
            "healed_s": round(self.healed_s, 2),
            "violations": [str(each) for each in self.ledger.violations],
        }


def run_storm(seconds: float, seed: int, nodes: int, say: Say = lambda _: None) -> StormReport:
    """One storm on this machine. Raises `Unavailable` where the machine cannot have one."""
    require_lab()
    with tempfile.TemporaryDirectory(prefix="port2port-storm-") as folder, ExitStack() as stack:
        lab = stack.enter_context(Lab(nodes))
        storm = Storm(Path(folder), lab, seconds, seed, say)
        for host in storm.hosts:
            host.mount()
            stack.callback(host.unmount)
        storm.prepare()
        return asyncio.run(storm.run())


class Storm:
    """The network, the people, and what happens to them."""

    def __init__(self, folder: Path, lab: Lab, seconds: float, seed: int, say: Say) -> None:
        self.folder, self.lab, self.seconds, self.say = folder, lab, seconds, say
        count = len(lab.hosts)
        self.report = StormReport(seed, count)
        self.ledger = self.report.ledger
        self.random = Random(seed)  # noqa: S311 - one seed, one storm
        self.hosts = [Host(number, _nobody(number), lab, folder / f"node-{number}") for number in lab.hosts]
        self.over = False

    # before

    def prepare(self) -> None:
        """Keys, settings, and the signed papers of the network."""
        keys = {}
        for host in self.hosts:
            key = load_or_create(host.folder)
            host.party = replace(host.party, node_id=owner_of(key))
            keys[host.party.node_id] = key
        parties = {each.party.node_id: each.party for each in self.hosts}
        now_s = time.time()
        sides = {node: party.compartment.value for node, party in parties.items()}
        addresses = {each.party.node_id: f"{self.lab.address(each.number)}:{PEER_PORT}" for each in self.hosts}
        said = offers.first_papers(sides, now_s - 60, now_s + 10 * offers.DAY_S)
        made = [papers.signed(each, parties, keys, addresses.__getitem__) for each in said]
        self.ledger.statements = {paper.digest: each for paper, each in zip(made, said, strict=True)}
        self.nodes = list(parties)
        self.known = self.ledger.knowledge(self.ledger.statements)
        members = self.folder / "members.json"
        write_bootstrap(members, made)
        for host in self.hosts:
            host.write_settings(members)

    async def run(self) -> StormReport:
        """Calm, storm, calm, and the reckoning."""
        try:
            await self._start_all()
            people = [asyncio.create_task(self._share_on(host)) for host in self.hosts]
            await self._storm()
            await self._last_partition()
            self.over = True
            await asyncio.gather(*people)
            await self._calm()
        finally:
            await asyncio.gather(*(host.stop() for host in self.hosts))
        self._reckon()
        return self.report

    async def _start_all(self) -> None:
        self.say(f"Starting {len(self.hosts)} nodes, each in a network namespace …")
        turn = asyncio.Semaphore(STARTED_AT_ONCE)

        async def start(host: Host) -> None:
            async with turn:
                await host.start()

        await asyncio.gather(*map(start, self.hosts))
        for host in self.hosts:
            await self._is_connected(host)

    async def _is_connected(self, host: Host) -> None:
        end = time.monotonic() + CALM_S
        while time.monotonic() < end:
            with suppress(Port2PortError, aiohttp.ClientError, TimeoutError):
                if host.client is not None and await connected(host.client, len(self.hosts) - 1):
                    return
            await asyncio.sleep(0.2)

    # people

    async def _share_on(self, host: Host) -> None:
        """One person at one node, who reports and shares for as long as it blows."""
        random = Random(f"{self.report.seed}-{host.number}")  # noqa: S311 - one seed, one storm
        while not self.over:
            await asyncio.sleep(random.expovariate(1 / REPORT_EVERY_S))
            if host.client is None:
                continue
            try:
                await self._share_one(host, random)
            except (aiohttp.ClientError, TimeoutError, OSError, Port2PortError):
                self.report.not_answered += 1  # nobody was told that it is safe

    async def _share_one(self, host: Host, random: Random) -> None:
        client = host.client
        assert client is not None
        label, audience = self._to_whom(host.party, random)
        word = canary.make(label.tlp, host.party.node_id, random)
        incident = await client.report(f"Fence cut {word[-6:]}", f"Seen on the quay. {word}")
        version = (host.party.node_id, incident, 1)
        self.ledger.offer(Offer(version, label, word, ""))
        await client.share(incident, audience, label.tlp, label.agreement)
        self._acknowledge(version)

    def _acknowledge(self, version: Version) -> None:
        """The node has answered: from here on it may not be lost."""
        with (self.folder / "acknowledged.jsonl").open("a") as file:
            file.write(json.dumps(version) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.report.acknowledged += 1

    def _to_whom(self, party: Party, random: Random) -> tuple[Label, dict[str, Any]]:
        others = [each.party.node_id for each in self.hosts if each.party is not party]
        groups = [name for name, among in self.known.groups.items() if among - {party.node_id}]
        scope = random.choice(["all-members", "nodes", "nodes", "group"])
        label = Label(
            origin=party.node_id,
            tlp=random.choice(
                ["TLP:GREEN", "TLP:AMBER"] if scope == "all-members" else ["TLP:AMBER", "TLP:AMBER+STRICT"]
            ),
            scope=scope,
            retain_until_s=time.time() + 300 * offers.DAY_S,
            agreement=offers.MAIN,
            nodes=frozenset(random.sample(others, random.randint(1, 2))) if scope == "nodes" else frozenset(),
            group=random.choice(groups) if scope == "group" else "",
            compartment=party.compartment.value,
        )
        audiences: dict[str, dict[str, Any]] = {
            "all-members": {"all": True},
            "nodes": {"nodes": sorted(label.nodes)},
            "group": {"group": label.group},
        }
        return label, audiences[scope]

    # the storm

    async def _storm(self) -> None:
        self.say(f"A storm of {self.seconds:g} s, seed {self.report.seed} …")
        end = time.monotonic() + self.seconds
        faults = [self._part, self._one_way, self._lossy, self._kill, self._kill, self._kill_many, self._fill]
        while time.monotonic() < end:
            fault = self.random.choice(faults)
            self.report.faults[fault.__name__.strip("_")] += 1
            await fault()

    async def _hold(self) -> None:
        await asyncio.sleep(self.random.uniform(*SECONDS_OF_FAULT))

    async def _part(self) -> None:
        numbers = list(self.lab.hosts)
        self.lab.part(self.random.sample(numbers, self.random.randint(1, len(numbers) // 2)))
        await self._hold()
        self.lab.mend()

    async def _one_way(self) -> None:
        sender, *others = self.random.sample(list(self.lab.hosts), len(self.hosts))
        self.lab.cut(sender, others[: self.random.randint(1, len(others))])
        await self._hold()
        self.lab.mend()

    async def _last_partition(self) -> None:
        """Nobody hears anybody, and people go on sharing: what heals after this is the figure."""
        for number in self.lab.hosts:
            self.lab.cut(number, [each for each in self.lab.hosts if each != number])
        await asyncio.sleep(LAST_PARTITION_S)

    async def _lossy(self) -> None:
        for host in self.hosts:
            self.lab.lose(host.number, LOSS_PERCENT)
        await self._hold()
        self.lab.mend()

    async def _kill(self) -> None:
        await self._kill_and_start([self.random.choice(self.hosts)])

    async def _kill_many(self) -> None:
        await self._kill_and_start(self.random.sample(self.hosts, max(2, len(self.hosts) // 2)))

    async def _kill_and_start(self, hosts: list[Host]) -> None:
        await asyncio.gather(*(host.kill() for host in hosts))
        for host in hosts:
            await host.start()

    async def _fill(self) -> None:
        host = self.random.choice(self.hosts)
        await asyncio.to_thread(host.fill_disk)
        await self._hold()
        host.free_disk()

    # after

    async def _calm(self) -> None:
        due = {host.number: self._due(host) for host in self.hosts}
        self.say(f"Calm. {self.report.acknowledged} were acknowledged; waiting until all are equal …")
        self.lab.mend()
        try:
            self.report.healed_s = await within(CALM_S, "all that is due", lambda: self._all_have(due))
        except Port2PortError as error:
            self.ledger.broken("I1", error.message)

    def _acknowledged(self) -> list[Version]:
        path = self.folder / "acknowledged.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(each[0], each[1], each[2]) for each in map(json.loads, lines)]

    def _due(self, host: Host) -> set[Version]:
        view = self._view(host)
        self.ledger.acknowledged = self.ledger.published = set(self._acknowledged())
        due = self.ledger.due(view.node, {each.party.node_id: self._view(each) for each in self.hosts})
        return {(origin, name, number) for (origin, name), number in due.items()}

    def _all_have(self, due: dict[int, set[Version]]) -> bool:
        return all(due[host.number] <= set(host.arrived()) for host in self.hosts)

    def _view(self, host: Host) -> View:
        return View(host.party.node_id, time.time(), self.known)

    def _reckon(self) -> None:
        """All nodes have ended: what is in their files?"""
        own = {host.party.node_id: dict(self._stored(host)) for host in self.hosts}
        held: dict[str, dict[Version, str]] = {}
        for host in self.hosts:
            node = host.party.node_id
            held[node] = {}
            for fact in self._arrivals(host):
                version = (fact.origin, fact.object_id.partition(".")[2], fact.version)
                self._arrived(host, fact, version, own, again=version in held[node])
                held[node][version] = ""
        views = {host.party.node_id: self._view(host) for host in self.hosts}
        self.ledger.check_end(views, held)
        for host in self.hosts:
            self._search(host, own[host.party.node_id])

    def _arrived(self, host: Host, fact: ObjectArrived, version: Version, own: Bodies, *, again: bool) -> None:
        offer = self.ledger.offers.get(version)
        label = label_of(fact.handling)
        if offer is not None:  # the node wrote the object's text and its retention date
            said = own[version[0]].get((version[1], version[2]), b"")
            digest = hashlib.sha256(said).hexdigest()
            self.ledger.offers[version] = replace(offer, digest=digest)
            label = replace(label, retain_until_s=offer.label.retain_until_s)
        here = own[host.party.node_id].get((fact.object_id, fact.version), b"")
        self.ledger.check_arrived(self._view(host), version, hashlib.sha256(here).hexdigest(), label, again)

    @contextmanager
    def _opened(self, host: Host) -> Iterator[Any]:
        store = open_store(f"sqlite:///{host.folder / 'node.db'}", core_facts())
        try:
            yield store
        finally:
            store.close()

    def _arrivals(self, host: Host) -> list[ObjectArrived]:
        with self._opened(host) as store:
            found, after = [], 0
            while page := store.read(after, 1000, {ObjectArrived.kind()}):
                found += [each.fact for each in page]
                after = page[-1].number
            return found

    def _stored(self, host: Host) -> list[tuple[tuple[str, int], bytes]]:
        """Every body that the node can still open."""
        with self._opened(host) as store, store.reading() as view:
            keys = [(row[0], row[1]) for row in view.rows("SELECT object_id, version FROM store_body")]
            return [(key, body or b"") for key, body in zip(keys, view.bodies(keys), strict=True)]

    def _search(self, host: Host, bodies: dict[tuple[str, int], bytes]) -> None:
        """Database, log, keys, program log, and the bodies behind their keys."""
        node = host.party.node_id
        for path in [*host.folder.rglob("*"), host.folder.with_name(f"{host.folder.name}.log")]:
            if path.is_file():
                self.ledger.check_raw(node, path.read_bytes(), path.name, time.time(), self.nodes)
        for body in bodies.values():
            self.ledger.check_raw(node, body, "a body", time.time(), self.nodes)


def _nobody(number: int) -> Party:
    """A party whose key does not exist yet."""
    name = NAMES[number]
    return Party(
        node_id="",
        name=f"Port of {name}",
        short_name=name,
        compartment=Compartment.B if name == POLICE else Compartment.A,
        roles=frozenset({AuthorityRole.INVITES}) if number == 0 else frozenset(),
    )
