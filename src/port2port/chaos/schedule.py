"""One history from one seed: what people share, what breaks, and how it heals.

Everything random comes from the seed, time is the history's own, and nothing runs beside the driver. So the same seed
is the same history, down to the bytes on every link.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import msgspec

from port2port.chaos import canary, forger, offers, papers, probe
from port2port.chaos.faulty import Crash
from port2port.chaos.labels import label_of
from port2port.chaos.ledger import Enough, Ledger, Offer, View, Violation
from port2port.chaos.links import Connection, Links, Route
from port2port.chaos.loop import InlineLoop
from port2port.chaos.node import SimulatedNode, Who, copy_files
from port2port.chaos.oracle import Label, Statement
from port2port.core.clock import to_ms
from port2port.core.errors import DecodeError, NotAllowed, NotFound
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.party import AuthorityRole, Compartment
from port2port.sharing import calls, receipts, service, wire
from port2port.sharing.calls import CallFailed, PeerAnswer
from port2port.sharing.documents import Document, Member
from port2port.sharing.entry import Cursor
from port2port.sharing.facts import LaneForked, LaneStopped, ObjectPublished, ObjectWithheld, RecallIssued
from port2port.sharing.lane import Class
from port2port.sharing.peers import Peers
from port2port.sharing.stream import Stream, StreamEnded
from port2port.sharing.wire import Acks, PageLine

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAMES = ("Antwerp", "Ostend", "Ghent", "Liège", "Brussels", "Limburg", "Bruges", "Genk", "Mechelen")
POLICE = ("Limburg",)
LENGTH = timedelta(days=20)
LARGEST_SKEW_H = 24.0
CRASH_STEPS = (6, 40)
"""A node dies within so many writes: soon, or some time."""
WEIGHTS = {
    "share": 30,
    "sequence": 14,
    "take_back": 8,
    "tidy": 6,
    "regroup": 5,
    "agree": 2,
    "revoke": 2,
    "crash_soon": 14,
    "jump": 6,
    "part": 3,
    "cut_one_way": 4,
    "mend": 5,
    "lie": 6,
    "fork": 2,
    "resume": 2,
    "witness": 3,
    "keep_copy": 8,
    "go_back": 6,
}
"""What happens, and how often compared with the rest. Each is a method below."""
ROUTES_PER_STEP = 3
HANDED_ON = 0.15
DIES_READING, LONGEST_PAGE_STEPS = 0.04, 40
"""How often a reader dies while it takes in what comes now, and within how many of its writes."""
MAX_HEALING_ROUNDS = 12


def everybody() -> list[Who]:
    """The nine nodes; the first founds the network."""
    return [
        Who(
            number,
            name,
            Compartment.B if name in POLICE else Compartment.A,
            frozenset({AuthorityRole.INVITES}) if number == 0 else frozenset(),
        )
        for number, name in enumerate(NAMES)
    ]


@dataclass
class Outcome:
    """What one history showed."""

    seed: int
    violations: list[Violation]
    counts: Counter[str]
    digest: str
    """SHA-256 over everything that happened: two runs of one seed must agree."""


@dataclass
class Schedule:
    """One history while it runs. `template` is an empty store, `folder` is where the nodes live."""

    seed: int
    template: Path
    folder: Path
    steps: int = 40
    now: datetime = START
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - one seed, one history
        self.loop = InlineLoop()
        self.who = everybody()
        self.nodes = {
            each.id: SimulatedNode(each, self.folder / f"{each.number}", self.ledger, lambda: self.now, self.loop)
            for each in self.who
        }
        self.parties = {each.id: each.party() for each in self.who}
        self.keys = {each.id: each.key for each in self.who}
        self.links = Links(list(self.nodes), self.random)
        self.trace = hashlib.sha256()
        self.groups: list[str] = []
        self.agreements: list[str] = [offers.BRIEF]
        self.versions: Counter[tuple[str, str]] = Counter()
        self.meddled: set[tuple[str, str]] = set()
        self.signed_for: set[tuple[str, str]] = set()
        """(Reader, origin) where a test wrote with the origin's key: it finds out, and takes it as its own."""
        """(reader, origin): lines between them were changed, lost alone or put out of order."""
        self.revoked: set[str] = set()
        self.calm = False
        self.forks: list[tuple[str, str, forger.Forked]] = []
        self._drained: dict[Route, object] = {}
        """While healing: what the origin had to offer when this connection was read to its end."""

    def run(self) -> Outcome:
        """The whole history; always closes the stores."""
        try:
            with patch.object(calls, "call", self._call):
                self._live()
        except Enough:
            pass
        except Exception as error:  # whatever the product raised: it is a finding, with its seed
            self.ledger.violations.append(Violation("it broke", f"{type(error).__name__}: {error}"[:300]))
        finally:
            for each in self.nodes.values():
                each.close()
            self.loop.close()
        return Outcome(self.seed, self.ledger.violations, self.ledger.counts, self.trace.hexdigest())

    def _live(self) -> None:
        self._begin()
        for _ in range(self.steps):
            self.now += timedelta(seconds=self.random.expovariate(self.steps / LENGTH.total_seconds()))
            self._pick()()
            self._traffic()
        self._heal()
        self._check_end()

    def _pick(self) -> Callable[[], None]:
        actions: dict[Callable[[], None], int] = {getattr(self, f"_{name}"): weight for name, weight in WEIGHTS.items()}
        picked = self.random.choices(list(actions), list(actions.values()))[0]
        self._note(picked.__name__)
        self.ledger.counts[f"did.{picked.__name__.strip('_')}"] += 1
        return picked

    # the beginning

    def _begin(self) -> None:
        """Nine nodes that know each other. Their stores are copied, with the papers already in them."""
        first = self.first_papers()
        for each in self.nodes.values():
            prepared = self.template.with_name(f"prepared-{each.who.number}")
            if not prepared.exists():
                each.prepare(self.template, first)
                each.folder.rename(prepared)
            copy_files(prepared, each.folder)
            each.start()

    def first_papers(self) -> list[Document]:
        """The same in every history."""
        now_s = START.timestamp()
        sides = {each.id: each.side.value for each in self.who}
        said = offers.first_papers(sides, now_s, now_s + LENGTH.total_seconds())
        brief = offers.agreement(offers.BRIEF, list(self.nodes), now_s, now_s + 8 * offers.DAY_S)
        self.groups = [each.about for each in said if each.what == "group"]
        return [self._signed(each) for each in [*said, brief]]

    def _signed(self, said: Statement) -> Document:
        """The document that says it, entered in the ledger."""
        made = papers.signed(said, self.parties, self.keys, self._address)
        self.ledger.statements[made.digest] = said
        return made

    def _address(self, node: str) -> str:
        return f"127.0.0.1:{self.nodes[node].who.number + 1}"

    # what people do

    def _share(self) -> None:
        for _ in range(self.random.randint(1, 6)):
            self._share_one()

    def _share_one(self) -> None:
        node = self._anyone()
        known = [name for origin, name in self.versions if origin == node.id]
        name = self.random.choice(known) if known and self.random.random() < 0.25 else f"o{len(self.versions)}"
        label = self._label(node)
        self.versions[node.id, name] += 1
        version = (node.id, name, self.versions[node.id, name])
        word = canary.make(label.tlp, node.id, self.random)
        content = json.dumps({"id": name, "note": word, "more": "x" * self.random.randint(0, 900)}).encode()
        self.ledger.offer(Offer(version, label, word, hashlib.sha256(content).hexdigest()))
        with self._alive(node):
            node.share(version, label, content, self.random.choices(list(Class), [3, 6, 1])[0])
            self.ledger.acknowledged.add(version)

    def _label(self, node: SimulatedNode) -> Label:
        now_s = self.now.timestamp()
        return offers.label(node.id, list(self.nodes), self.groups, self.agreements, now_s, self.random)

    def _sequence(self) -> None:
        for node in self.random.sample(list(self.nodes.values()), 4):
            with self._alive(node):
                node.sequence(self.random.randint(1, 9))

    def _take_back(self) -> None:
        """Somebody takes back what he shared: from the others, or from everywhere."""
        if self.ledger.published:
            origin, name, _ = self.random.choice(sorted(self.ledger.published))
            node = self.nodes[origin]
            with self._alive(node), suppress(NotFound):
                node.take_back(name, self.random.choice(["withdraw", "erase"]))

    def _tidy(self) -> None:
        """Nodes confirm what they removed, and drop what may no longer be kept."""
        for node in self.random.sample(list(self.nodes.values()), 3):
            with self._alive(node):
                node.confirm_recalls()
                node.expire()

    def _keep_copy(self) -> None:
        """Somebody keeps a copy of a node's files, and never deletes it."""
        self._anyone().keep_copy()

    def _go_back(self) -> None:
        """A disk is lost, and an older copy takes its place. At its start the node asks the others what they have."""
        kept = [each for each in self.nodes.values() if each.old_copy.exists() and not each.gone_back]
        if not kept or self.revoked:
            return
        node = self.random.choice(kept)
        facts = {kind: node.facts(kind) for kind in (ObjectOffered, ObjectPublished, RecallIssued)}
        self.links.mend()
        self.links.drop(node.id)
        self.links.late = [each for each in self.links.late if each[0].sender != node.id]
        head = node.go_back()
        self._note(f"{node.who.name} goes back to {head}")
        self._lose(node, facts)
        self.calm = True
        with self._alive(node):
            node.ask_witnesses()
        self.calm = False

    def _lose(self, node: SimulatedNode, before: dict[type[Any], list[Any]]) -> None:
        """What the node did since the copy is forgotten, but for what others hold."""
        left = {kind: node.facts(kind) for kind in before}
        lost = {kind: [fact for fact in before[kind] if fact not in left[kind]] for kind in before}
        versions = {(node.id, each.object_id, each.version) for each in lost[ObjectOffered] + lost[ObjectPublished]}
        self.ledger.went_back(node.id, versions, [each.recall for each in lost[RecallIssued]])

    def _fork(self) -> None:
        """A member tells one neighbour this and another one that, both signed."""
        liar, one, other = self.random.sample(list(self.nodes.values()), 3)
        label = replace(self._honest_label(liar), compartment=liar.who.side.value)
        forked = forger.two_histories(label, liar.who.key, to_ms(liar.clock()), self.random)
        for victim, offer, lines in zip((one, other), forked.offers, forked.lines, strict=True):
            self.signed_for.add((victim.id, liar.id))
            self.ledger.offer(offer)
            stream = victim.stream(liar.id, Class.NORMAL)
            for line in lines:
                if stream is None or not self._deliver(victim, stream, line):
                    break
        self.forks.append((one.id, other.id, forked))

    def _witness(self) -> None:
        """A node asks the others what they saw."""
        node = self._anyone()
        with self._alive(node):
            node.ask_witnesses()

    def _regroup(self) -> None:
        """The owner of a group lets somebody in, or out."""
        current = [each for each in self.ledger.statements.values() if each.what == "group"]
        old = self.random.choice(current)
        owner = self.nodes[old.by]
        among = frozenset(self.random.sample(list(self.nodes), self.random.randint(0, 5)))
        self._announce(owner, replace(old, among=among, from_s=owner.clock().timestamp()))

    def _agree(self) -> None:
        """A new agreement between some, which soon ends."""
        parties = self.random.sample(list(self.nodes), self.random.randint(2, 6))
        name = f"agreement-{len(self.ledger.statements)}"
        starts_s = self.now.timestamp() + self.random.uniform(-2, 1) * offers.DAY_S
        ends_s = starts_s + self.random.uniform(1, 5) * offers.DAY_S
        self.agreements.append(name)
        self._announce(self.nodes[parties[0]], offers.agreement(name, parties, starts_s, ends_s))

    def _revoke(self) -> None:
        """The founder ends a membership; once in a history."""
        founder, *others = self.nodes.values()
        if not self.revoked:
            gone = self.random.choice(others)
            at_s = max(founder.clock(), START).timestamp()
            self._announce(founder, Statement("revocation", gone.id, by=founder.id, from_s=at_s))
            self.revoked.add(gone.id)

    def _announce(self, node: SimulatedNode, said: Statement) -> None:
        document = self._signed(said)
        with self._alive(node):
            try:
                node.announce(document)
            except NotAllowed:
                self.ledger.counts["refused.announcement"] += 1

    # what breaks

    def _part(self) -> None:
        self.links.part()

    def _cut_one_way(self) -> None:
        self.links.cut_one_way()

    def _mend(self) -> None:
        self.links.mend()

    def _crash_soon(self) -> None:
        """Within its next writes, a node dies."""
        self._anyone().fuse.arm(self.random.randint(1, self.random.choice(CRASH_STEPS)))

    def _jump(self) -> None:
        """A clock is wrong from now on."""
        self._anyone().skew = timedelta(hours=self.random.uniform(-LARGEST_SKEW_H, LARGEST_SKEW_H))

    def _lie(self) -> None:
        liar, victim = self.random.sample(list(self.nodes.values()), 2)
        label = self._honest_label(liar)
        kind = self.random.choice(forger.LIES)
        key = liar.who.key
        self.signed_for.add((victim.id, liar.id))
        stream = victim.stream(liar.id, Class.NORMAL)
        for line in forger.lie(kind, label, victim.id, key, to_ms(liar.clock()), self.random):
            if stream is None or not self._deliver(victim, stream, line):
                break
        self.ledger.counts["lies"] += 1

    def _honest_label(self, node: SimulatedNode) -> Label:
        """One under which anything may go to anybody."""
        until_s = round(self.now.timestamp() + 300 * offers.DAY_S)
        return Label(node.id, "TLP:GREEN", "all-members", until_s, offers.MAIN)

    def _resume(self) -> None:
        """Somebody looks at a connection that was stopped, and lets it go on."""
        node, other = self.random.sample(list(self.nodes.values()), 2)
        with self._alive(node):
            service.resume(node.site, node.book, other.who.name)

    # what travels

    def _traffic(self) -> None:
        """Some connections send, and whatever is due arrives."""
        for _ in range(ROUTES_PER_STEP):
            reader, origin, via = self.random.sample(list(self.nodes), 3)
            if self.random.random() < DIES_READING:
                self.nodes[reader].fuse.arm(self.random.randint(1, LONGEST_PAGE_STEPS))
            handed_on = via if self.random.random() < HANDED_ON else ""
            for urgency in Class:
                self._send(Route(reader, origin, urgency, handed_on))
        for connection in list(self.links.connections.values()):
            if self.links.connections.get(connection.route) is connection:  # it may have died of another one's line
                self._receive(connection)
        if self.links.late and self.random.random() < 0.5:
            self._deliver_late(*self.links.late.pop(self.random.randrange(len(self.links.late))))

    def _deliver_late(self, route: Route, line: bytes) -> None:
        reader = self.nodes[route.reader]
        stream = reader.stream(route.sender, route.urgency, route.origin if route.via else "")
        if stream is not None:
            self._deliver(reader, stream, line)

    def _send(self, route: Route) -> None:
        """What is at the other end is put on the link, as far as the link stands."""
        if not self.links.both_ways(route.reader, route.sender):
            return
        connection = self._connected(route)
        lines = connection.tail.next() if connection is not None else None
        if connection is None or lines is None:
            self.links.connections.pop(route, None)
            return
        view = self.nodes[route.sender].view() if lines else None
        for line in lines:
            assert view is not None
            self._check_line(view, route.reader, line)
            if not self._put_on_link(connection, line):
                return

    def _connected(self, route: Route) -> Connection | None:
        """The standing connection, or a new one from where the reader is; None to whom it does not know."""
        known = self.links.connections.get(route)
        if known is None:
            origin = route.origin if route.via else ""
            stream = self.nodes[route.reader].stream(route.sender, route.urgency, origin)
            if stream is None:
                return None
            tail = self.nodes[route.sender].tail(route.reader, route.urgency, stream._cursors(), origin)
            known = self.links.connections[route] = Connection(route, tail, stream)
        return known

    def _check_line(self, sender: View, reader: str, line: bytes) -> None:
        self._note(line)
        self.ledger.check_wire(sender, reader, line)
        if (label := probe.label_of_lane(line)) is not None:
            self.ledger.check_lane(sender, reader, label)

    def _put_on_link(self, connection: Connection, line: bytes) -> bool:
        """False when the connection breaks here; what was on its way is lost."""
        fate, now_s = self.random.random(), self.now.timestamp()
        if fate < 0.06:
            self.ledger.counts["link.broken"] += 1
            self.links.connections.pop(connection.route, None)
            return False
        delay_s = self.random.expovariate(1 / 40_000) if fate > 0.7 else 0.0
        if fate < 0.08:
            self._meddle(connection.route, "lost")
            return True
        if fate < 0.14 and (forged := self._forge(connection.route, line)):
            connection.send(forged, now_s + delay_s)
        connection.send(line, now_s + delay_s)
        if fate > 0.97 and len(connection.lines) > 1:
            self._meddle(connection.route, "reordered")
            connection.lines[-1], connection.lines[-2] = connection.lines[-2], connection.lines[-1]
        return True

    def _meddle(self, route: Route, how: str) -> None:
        self.ledger.counts[f"link.{how}"] += 1
        self.meddled.add((route.reader, route.origin))

    def _forge(self, route: Route, line: bytes) -> bytes | None:
        message = wire.decode(line)
        if not isinstance(message, PageLine):
            return None
        other = self._anyone()
        if other.id != route.origin and self.random.random() < 0.5:
            first = message.entries[0].seq
            before = Cursor(first - 1, self.nodes[route.origin].chain_at(bytes.fromhex(message.lane), first - 1))
            forged = forger.sign_as_another(message, before, other.who.key, self.random)
        else:
            forged = forger.change_content(message, self.random)
        if forged is not None:
            self._meddle(route, "forged")
        return forged

    def _receive(self, connection: Connection) -> None:
        """Whatever has come through by now is taken, and sometimes confirmed."""
        route, now_s = connection.route, self.now.timestamp()
        reader = self.nodes[route.reader]
        came = 0
        while self.links.passes(route.sender, route.reader) and (line := connection.due(now_s)) is not None:
            came += 1
            if not self._deliver(reader, connection.stream, line):
                self.links.connections.pop(route, None)
                break
            if self.random.random() < 0.08:
                self.ledger.counts["link.repeated"] += 1
                self.links.late.append((route, line))
        if came and not route.via and self.links.passes(route.reader, route.origin) and self.random.random() < 0.7:
            self._confirm(connection.stream, route)

    def _deliver(self, reader: SimulatedNode, stream: Stream, line: bytes) -> bool:
        """False when the connection is over with it."""
        lives = reader.crashes
        with self._alive(reader):
            try:
                reader.take(stream, line)
            except DecodeError as error:
                self.ledger.counts[f"refused.{error.reason}"] += 1
                return False
            except StreamEnded:
                return False
        return reader.crashes == lives

    def _confirm(self, stream: Stream, route: Route) -> None:
        """What the reader's connection has to confirm reaches the origin."""
        origin, waiting = self.nodes[route.origin], dict(stream._acks)
        body = msgspec.json.encode(Acks(list(waiting.values()), to_ms(self.nodes[route.reader].clock())))
        with self._alive(origin):
            origin.take_acks(route.reader, body)
            stream._forget(waiting)

    async def _call(
        self, peers: Peers, member: Member, method: str, path: str, body: bytes = b"", *, most: int = 0
    ) -> PeerAnswer:
        """In place of a call over TLS: the same answer, unless the link is cut or the call or its answer is lost."""
        caller, other = peers.site.party.node_id, self.nodes[member.node_id]
        fate = 1.0 if self.calm else self.random.random()
        if fate < 0.05 or not self.links.both_ways(caller, other.id):
            raise CallFailed("unreachable")
        if path == receipts.PATH:
            self._check_receipts(self.nodes[caller], body)
        answer, lives = PeerAnswer(503), other.crashes
        with self._alive(other):
            answer = other.answer(caller, method, path, body)
        if fate < 0.1 or other.crashes != lives:
            raise CallFailed("unreachable")
        self._note(answer.body)
        self.ledger.check_wire(other.view(), caller, answer.body)
        return answer

    def _check_receipts(self, node: SimulatedNode, body: bytes) -> None:
        files = probe.everything_at(node)
        for receipt in json.loads(body)["receipts"]:
            self.ledger.check_receipt(node.id, json.loads(receipt["text"])["recall"], files)

    @contextmanager
    def _alive(self, node: SimulatedNode) -> Iterator[None]:
        """One thing that a node does. If it dies of it, it rises; either way we look at what came of it."""
        try:
            yield
        except Crash:
            self.ledger.counts["crashes"] += 1
            self.links.drop(node.id)
            node.rise()
        finally:
            self._look(node)

    def _look(self, node: SimulatedNode) -> None:
        """Everything that the node says has happened is checked against the oracle, at this moment."""
        facts = node.news()
        if not facts:
            return
        view = node.view()
        for fact in facts:
            self._note(f"{node.who.name} {type(fact).__name__}")
            if isinstance(fact, ObjectArrived):
                version = (fact.origin, fact.object_id.partition(".")[2], fact.version)
                digest, again = node.content(version), version in node.held
                node.held[version] = digest
                if (
                    digest or version not in self.ledger.taken_back.keys() | self.ledger.unsure
                ):  # arrived and taken back on one page
                    self.ledger.check_arrived(view, version, digest, label_of(fact.handling), again)
            elif isinstance(fact, ObjectPublished):
                at = (fact.lane, fact.sequence)
                self.ledger.check_published(view, (node.id, fact.object_id, fact.version), fact.readers, at)
            elif isinstance(fact, RecallIssued):
                self.ledger.recalled(fact.recall, fact.op, *probe.recalled_numbers(node, fact.recall), fact.holders)
            elif isinstance(fact, ObjectWithheld):
                self.ledger.check_withheld(view, (node.id, fact.object_id, fact.version))
            elif isinstance(fact, LaneStopped) and fact.lane in self.forged_lanes:
                self.ledger.counts["forks.stopped"] += 1  # whose key it was found one of the histories, and took it
            elif isinstance(fact, LaneStopped) and (node.id, fact.origin) not in self.meddled:
                self.ledger.broken("I2", f"{node.who.name} stopped a connection of {fact.origin_name}: {fact.reason}")

    # the end

    def _heal(self) -> None:
        """All links stand, all clocks are right, nobody dies; everybody reads until nothing is new."""
        self.calm = True
        self.links.mend()
        self.links.connections.clear()
        for node in self.nodes.values():
            node.skew = timedelta()
            node.fuse.arm(0)
        for route, line in self.links.late:
            self._deliver_late(route, line)
        for reader, origin in sorted(self.meddled):
            node = self.nodes[reader]
            service.resume(node.site, node.book, self.nodes[origin].who.name)
        for _ in range(MAX_HEALING_ROUNDS):
            if self._round():
                continue
            self._confirm_all()  # an origin hears of readers that it did not know, and may have to ask them something
            if not self._round():
                return
        self.ledger.broken("I1", f"not quiet after {MAX_HEALING_ROUNDS} rounds")

    def _round(self) -> bool:
        """Everybody numbers what it has, reads from everybody and confirms; whether anything travelled."""
        moved = False
        for node in self.nodes.values():
            with self._alive(node):
                while node.sequence():
                    moved = True
                node.expire()
        for reader in self.nodes.values():
            for origin in self.nodes.values():
                if reader is not origin:
                    moved = self._read_all(reader, origin) or moved
        for node in self.nodes.values():
            with self._alive(node):
                moved = node.confirm_recalls() or moved
        return moved

    def _read_all(self, reader: SimulatedNode, origin: SimulatedNode) -> bool:
        moved = False
        for urgency, offered in origin.offered().items():
            route = Route(reader.id, origin.id, urgency)
            if self._drained.get(route) != offered:
                moved = self._drain(route) or moved
                self._drained[route] = offered
        return moved

    def _drain(self, route: Route) -> bool:
        """Read one connection to its end; whether anything came."""
        moved = False
        reader, origin = self.nodes[route.reader], self.nodes[route.origin]
        while (connection := self._connected(route)) is not None and (lines := connection.tail.next()):
            view = origin.view()
            for line in lines:
                self._check_line(view, reader.id, line)
                moved = (self._deliver(reader, connection.stream, line) and not probe.is_opening(line)) or moved
        if connection is not None and moved:
            self._confirm(connection.stream, route)
        return moved

    def _confirm_all(self) -> None:
        for reader in self.nodes.values():
            for origin in self.nodes.values():
                for urgency in origin.offered() if reader is not origin else ():
                    stream = reader.stream(origin.id, urgency)
                    if stream is not None:
                        stream._cursors()
                        self._confirm(stream, Route(reader.id, origin.id, urgency))

    def _check_end(self) -> None:
        founder = next(iter(self.nodes.values()))
        present = {node: each for node, each in self.nodes.items() if node in founder.view().known.members()}
        views = {node: each.view() for node, each in present.items()}
        held = {
            node: {version: found for version in each.held if (found := each.content(version))}
            for node, each in present.items()
        }
        self.ledger.check_end(views, held)
        self._check_forks(present)
        self.ledger.check_recalls_end(views, probe.receipts_of(present))
        probe.check_copies(self.ledger, present, {forked.lane for _, _, forked in self.forks})
        probe.check_confirmed(self.ledger, present, self.signed_for, self.forged_lanes)
        for each in present.values():
            probe.check_everything_stored(self.ledger, each, present)
            if not each.gone_back:
                probe.check_old_copy(self.ledger, each, present)
        self.ledger.counts["histories"] += 1

    @property
    def forged_lanes(self) -> set[str]:
        """Connections of which two histories were signed with a member's key."""
        return {forked.lane.hex() for _, _, forked in self.forks}

    def _check_forks(self, present: Mapping[str, SimulatedNode]) -> None:
        """Two who hold different histories of one connection find it out as soon as one asks the other."""
        for one, other, forked in self.forks:
            hold = [
                node
                for node, offer in zip((one, other), forked.offers, strict=True)
                if (node, offer.version) in self.ledger.permitted
            ]
            if len(hold) < 2 or not {one, other, forked.offers[0].version[0]} <= set(present):
                continue
            if any(self.nodes[each].gone_back for each in hold):
                continue
            self.ledger.counts["forks"] += 1
            self.nodes[one].ask_witnesses()
            told = [each.lane for node in hold for each in self.nodes[node].facts(LaneForked)]
            told += [
                each.lane for node in hold for each in self.nodes[node].facts(LaneStopped) if each.reason == "fork"
            ]
            if forked.lane.hex() not in told:
                self.ledger.broken(
                    "I11", f"{self.nodes[one].who.name} and {self.nodes[other].who.name} never saw a fork"
                )

    def _anyone(self) -> SimulatedNode:
        return self.random.choice(list(self.nodes.values()))

    def _note(self, what: str | bytes) -> None:
        self.trace.update(what.encode() if isinstance(what, str) else what)
