"""The receiver's side: a page is verified, judged and applied in one transaction with its cursor.

An entry that is refused is counted and passed, so that it cannot block the lane. A page that contradicts
itself stops the lane where it was right last, with a fact that says so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from port2port.capability import Site
from port2port.core.errors import DecodeError
from port2port.core.exchange import ObjectArrived
from port2port.core.party import Party
from port2port.sharing import documents, envelope, membership, tables, verify
from port2port.sharing.book import Book
from port2port.sharing.documents import Kind
from port2port.sharing.entry import Cursor, Entry, Op
from port2port.sharing.envelope import Envelope
from port2port.sharing.facts import LaneStopped, ObjectRefused
from port2port.sharing.lane import NETWORK, Lane
from port2port.sharing.limits import MAX_LANES, MAX_QUARANTINED
from port2port.sharing.roster import Network
from port2port.sharing.tables import ACCEPTED, WAITS, LaneRow
from port2port.sharing.verify import Accept, Broken, Pass, Refuse
from port2port.sharing.wire import LaneLine, PageLine, entries_of, lane_of
from port2port.store import Transaction

_NETWORK_KINDS = frozenset(kind.value for kind in Kind)


@dataclass
class Applied:
    """What became of one page."""

    lane: bytes
    cursor: Cursor
    stopped: str = ""
    arrived: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def local_id(origin: str, object_id: str) -> str:
    """Under which id another's object stands here. Ids of different origins never meet, whatever a peer sends."""
    return f"{origin}.{object_id}"


class Intake:
    """Applies what one node receives. Each verb is one transaction."""

    def __init__(self, site: Site, network: Book) -> None:
        self._site, self._book = site, network

    def meet(self, peer: str, line: LaneLine) -> LaneRow | None:
        """Take note of a lane that a peer offers; None when it is not to be followed. Raises `DecodeError`."""
        lane = lane_of(line)
        if lane.origin != peer:
            raise DecodeError("A connection of another origin was offered.", reason="not-its-origin")
        with self._site.store.reading() as view:
            known = tables.find_lane(view, lane.id)
        if known is not None:
            return None if known.own else known
        with self._site.store.transaction() as tx:
            known = tables.find_lane(tx, lane.id)
            if known is not None:
                return known
            if len(tables.lanes_of(tx, peer, lane.urgency)) >= MAX_LANES:
                self._site.counters.add("sharing.refused.too-many-lanes")
                return None
            return tables.add_lane(tx, lane, own=False)

    def apply(self, peer: str, page: PageLine) -> Applied:
        """Verify and apply one page of a lane of this peer. A repeated page changes nothing."""
        entries, checkpoint = entries_of(page)
        with self._site.store.transaction() as tx:
            row = tables.find_lane(tx, checkpoint.lane)
            network = self._book.network(tx)
            key = network.key(peer)
            if row is None or row.own or row.lane.origin != peer or key is None:
                raise DecodeError("A page of a connection that was not offered.", reason="unknown-lane")
            if row.stopped:
                return Applied(row.lane.id, row.cursor, row.stopped)
            followed = verify.follow_page(
                row.cursor, entries, checkpoint, key, lambda at: tables.chain_at(tx, checkpoint.lane, at)
            )
            if isinstance(followed, Broken):
                return self._stop(tx, row, followed, network)
            return _Page(self._site, self._book, tx, row, network).apply(followed)

    def stop(self, peer: str, lane: bytes, reason: Broken) -> None:
        """The peer says that it cannot go on from our cursor."""
        with self._site.store.transaction() as tx:
            row = tables.find_lane(tx, lane)
            if row is not None and not row.own and row.lane.origin == peer and not row.stopped:
                self._stop(tx, row, reason, self._book.network(tx))

    def settle_waiting(self, tx: Transaction) -> int:
        """Judge again what waited for a group or agreement; answers how many objects arrived."""
        network, now = self._book.network(tx), self._site.clock()
        arrived = 0
        for lane, sequence, body, reason in tables.waiting(tx):
            judged, wrapped = _judge(tx, body, lane, self._site.party.node_id, network, now)
            if isinstance(judged, Refuse) and judged.waits:
                continue
            if isinstance(judged, Accept):
                assert wrapped is not None
                _store(tx, wrapped, lane, network, now)
                arrived += 1
            tables.settle(tx, lane.id, sequence, _verdict(judged))
            tables.count_refusals(tx, lane, {reason: -1}, now)
            if isinstance(judged, Refuse):
                tables.count_refusals(tx, lane, {judged.reason: 1}, now)
        return arrived

    def _stop(self, tx: Transaction, row: LaneRow, reason: Broken, network: Network) -> Applied:
        self._site.counters.add(f"sharing.refused.{reason}")
        tables.stop_lane(tx, row.lane.id, reason)
        tx.append(
            LaneStopped(
                at=self._site.clock(),
                origin=row.lane.origin,
                origin_name=network.name(row.lane.origin),
                lane=row.lane.id.hex(),
                sequence=row.cursor.sequence,
                reason=reason,
            )
        )
        return Applied(row.lane.id, row.cursor, reason)


class _Page:
    """One verified page on its way into the store."""

    def __init__(self, site: Site, known: Book, tx: Transaction, row: LaneRow, network: Network) -> None:
        self._site, self._book, self._tx, self._row, self._network = site, known, tx, row, network
        self._now = site.clock()
        self._applied = Applied(row.lane.id, row.cursor)
        self._room = MAX_QUARANTINED

    def apply(self, followed: verify.Followed) -> Applied:
        if not followed.entries:
            return self._applied
        self._room -= tables.count_waiting(self._tx, self._row.lane.origin)
        before = self._network
        rows = [self._take(each, chain) for each, chain in followed.entries]
        tables.add_entries(self._tx, rows)
        tables.move_lane(self._tx, followed.checkpoint)
        self._applied.cursor = Cursor(followed.checkpoint.sequence, followed.checkpoint.chain)
        self._report()
        if self._network is not before:
            self._applied.arrived += Intake(self._site, self._book).settle_waiting(self._tx)
        return self._applied

    def _take(self, each: Entry, chain: bytes) -> dict[str, object]:
        """Judge and carry out one entry; answers its row."""
        if each.header.op != Op.PUT:
            return self._refuse(each, chain, Refuse("unknown-operation"))
        if each.body is None:
            return tables.entry_row(each, chain, "gone")
        lane = self._row.lane
        judged, wrapped = self._judge(each.body)
        if isinstance(judged, Refuse):
            return self._refuse(each, chain, judged)
        if isinstance(judged, Accept) and wrapped is not None and wrapped.handling is not None:
            _store(self._tx, wrapped, lane, self._network, self._now)
            if tables.holders(self._tx, wrapped.object_id).keys() - {lane.origin}:
                self._site.counters.add("sharing.same-id-at-two-origins")
            self._applied.arrived += 1
        return tables.entry_row(each, chain, _verdict(judged), keep=False)

    def _judge(self, body: bytes) -> tuple[verify.Judgement, Envelope | None]:
        lane = self._row.lane
        if lane.audience == NETWORK:
            return self._judge_document(body), None
        return _judge(self._tx, body, lane, self._site.party.node_id, self._network, self._now)

    def _judge_document(self, body: bytes) -> verify.Judgement:
        origin = self._row.lane.origin
        try:
            wrapped = envelope.decode(body)
            if wrapped.kind not in _NETWORK_KINDS or wrapped.origin != origin:
                return Refuse("not-its-origin")
            document = documents.decode(bytes(wrapped.object))
        except DecodeError as error:
            return Refuse(error.reason)
        problem = membership.problem_with(document, origin, self._network)
        if problem:
            return Refuse(problem)
        _, self._network = membership.take(self._tx, self._book, [document], origin, self._now)
        return Accept()

    def _refuse(self, each: Entry, chain: bytes, refused: Refuse) -> dict[str, object]:
        waits = refused.waits and self._room > 0
        self._room -= waits
        self._applied.refused[refused.reason] += 1
        return tables.entry_row(each, chain, _verdict(refused) if waits else refused.reason, keep=waits)

    def _report(self) -> None:
        lane, now = self._row.lane, self._now
        tables.count_refusals(self._tx, lane, self._applied.refused, now)
        for reason, count in sorted(self._applied.refused.items()):
            self._site.counters.add(f"sharing.refused.{reason}", count)
            name = self._network.name(lane.origin)
            self._tx.append(ObjectRefused(at=now, origin=lane.origin, origin_name=name, reason=reason, count=count))


def _judge(
    tx: Transaction, body: bytes, lane: Lane, us: str, network: Network, now: datetime
) -> tuple[verify.Judgement, Envelope | None]:
    try:
        wrapped = envelope.decode(body)
    except DecodeError as error:
        return Refuse(error.reason), None
    known = tables.holders(tx, wrapped.object_id).get(lane.origin)
    return verify.judge(wrapped, lane, us, known, network, now), wrapped


def _store(tx: Transaction, wrapped: Envelope, lane: Lane, network: Network, now: datetime) -> None:
    """Body, known version and the fact: an object has arrived."""
    assert wrapped.handling is not None
    content = bytes(wrapped.object)
    digest = hashlib.sha256(content).digest()
    here = local_id(lane.origin, wrapped.object_id)
    tx.put_body(here, wrapped.version, content)
    tables.save_object(tx, lane.origin, wrapped.object_id, wrapped.kind, wrapped.version, digest, now)
    party: Party | None = network.roster.parties.get(lane.origin)
    tx.append(
        ObjectArrived(
            at=now,
            object_kind=wrapped.kind,
            object_id=here,
            version=wrapped.version,
            handling=wrapped.handling,
            origin=lane.origin,
            origin_name=party.name if party else network.name(lane.origin),
        )
    )


def _verdict(judged: verify.Judgement) -> str:
    if isinstance(judged, Accept):
        return ACCEPTED
    if isinstance(judged, Pass):
        return judged.why
    return WAITS + judged.reason if judged.waits else judged.reason
