"""What the entries of a verified page do here: objects arrive, documents count, recalls are carried out.

A page is judged entry by entry in memory, then stored with one statement for each table.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from port2port.capability import Site
from port2port.core.errors import DecodeError
from port2port.core.exchange import ObjectArrived
from port2port.core.fact import Fact
from port2port.sharing import (
    ack_tables,
    documents,
    envelope,
    forgetting,
    membership,
    recall,
    recall_tables,
    tables,
    verify,
)
from port2port.sharing.book import Book
from port2port.sharing.documents import Kind
from port2port.sharing.entry import Checkpoint, Cursor, Entry, Op
from port2port.sharing.envelope import Envelope
from port2port.sharing.facts import ObjectRefused, RecallCarriedOut
from port2port.sharing.forgetting import VERDICTS
from port2port.sharing.lane import NETWORK, Lane
from port2port.sharing.limits import MAX_PAGE_ENTRIES, MAX_QUARANTINED
from port2port.sharing.roster import Network
from port2port.sharing.tables import ACCEPTED, WAITS, EntryRow, LaneRow, ObjectRow, local_id
from port2port.sharing.taking_back import OP_NAMES
from port2port.sharing.verify import Accept, Judgement, KnownObject, Pass, Refuse
from port2port.store import Transaction
from port2port.store.types import to_us

_NETWORK_KINDS = frozenset(kind.value for kind in Kind)


class _Objects:
    """Objects of one origin on their way in: what is known of them, and what to store at the end."""

    def __init__(self, site: Site, tx: Transaction, lane: Lane, network: Network) -> None:
        self._site, self._tx, self._lane, self._network = site, tx, lane, network
        self._now = site.clock()
        self._now_us, self._lane_id = to_us(self._now), lane.id.hex()
        self._known: dict[str, KnownObject] = {}
        self._rows: dict[str, ObjectRow] = {}
        self._bodies: list[tuple[str, int, bytes]] = []
        self._facts: list[Fact] = []
        party = network.roster.parties.get(lane.origin)
        self._origin_name = party.name if party else network.name(lane.origin)
        self._judge = verify.judge_for(lane, site.party.node_id, network, self._now)

    def look_up(self, wrapped: list[Envelope]) -> None:
        """What is known of these, in one question."""
        known = tables.known_objects(self._tx, (each.object_id for each in wrapped))
        origin = self._lane.origin
        self._known = {object_id: holders[origin] for object_id, holders in known.items() if origin in holders}
        elsewhere = sum(bool(holders.keys() - {origin}) for holders in known.values())
        if elsewhere:
            self._site.counters.add("sharing.same-id-at-two-origins", elsewhere)

    def judge(self, wrapped: Envelope) -> Judgement:
        """Whether it is accepted; if so, it is taken in."""
        judged = self._judge(wrapped, self._known.get(wrapped.object_id))
        if isinstance(judged, Accept):
            self._accept(wrapped)
        return judged

    def _accept(self, wrapped: Envelope) -> None:
        assert wrapped.handling is not None
        content, origin = bytes(wrapped.object), self._lane.origin
        digest = hashlib.sha256(content).digest()
        here = local_id(origin, wrapped.object_id)
        self._known[wrapped.object_id] = KnownObject(wrapped.version, digest)
        self._bodies.append((here, wrapped.version, content))
        self._rows[wrapped.object_id] = (
            wrapped.object_id,
            origin,
            wrapped.kind,
            wrapped.version,
            digest,
            self._now_us,
        )
        self._facts.append(
            ObjectArrived(
                at=self._now,
                object_kind=wrapped.kind,
                object_id=here,
                version=wrapped.version,
                handling=wrapped.handling,
                origin=origin,
                origin_name=self._origin_name,
                lane=self._lane_id,
            )
        )

    def store(self) -> int:
        """Bodies, known versions and the facts; answers how many arrived."""
        if self._bodies:
            self._tx.put_bodies(self._bodies)
            tables.save_objects(self._tx, list(self._rows.values()))
            self._tx.append(*self._facts)
        count = len(self._facts)
        self._rows, self._bodies, self._facts = {}, [], []
        return count


class Arriving:
    """One verified page on its way into the store."""

    def __init__(self, site: Site, known: Book, tx: Transaction, row: LaneRow, network: Network) -> None:
        self._site, self._book, self._tx, self._row, self._network = site, known, tx, row, network
        self._now = site.clock()
        self._lane = row.lane
        self._objects = _Objects(site, tx, row.lane, network)
        self._ahead: dict[int, Op] = {}
        self._room = 0
        self._kept: list[tuple[str, int, bytes]] = []
        self._rows: list[EntryRow] = []
        self.arrived = 0
        self.refused: Counter[str] = Counter()

    def take(self, followed: verify.Followed) -> None:
        """Judge and carry out every entry, and move the cursor."""
        self.take_entries(followed.entries, followed.checkpoint.sequence)
        tables.add_checkpoint(self._tx, followed.checkpoint)
        tables.move_lane(self._tx, followed.checkpoint)

    def take_entries(self, entries: Sequence[tuple[Entry, bytes]], last: int) -> None:
        """Judge and carry out entries in order, each with the chain value after it; empty where it is not known."""
        if not entries:
            return
        self._room = MAX_QUARANTINED - tables.count_waiting(self._tx, self._lane.origin)
        self._ahead = recall_tables.ahead_in(self._tx, self._lane.id, entries[0][0].header.sequence, last)
        before = self._network
        opened = self._open_all(entries)
        for each, chain in entries:
            row = self._row_of(each, chain, opened.get(each.header.sequence))
            self._rows.append(row)
        self._flush()
        if self._ahead:
            recall_tables.forget_ahead(self._tx, self._lane.id, last)
        self._report()
        if self._network is not before:
            self.arrived += settle_waiting(self._site, self._book, self._tx)

    def begin(self, cursor: Cursor, entries: Sequence[Entry]) -> None:
        """Take in the live set of a lane instead of its beginning; what we have of it already stays."""
        known = {number for number, _, _ in recall_tables.held_in(self._tx, self._lane.id, None, cursor.sequence)}
        before = self._row.cursor.sequence
        new = [(each, b"") for each in entries if each.header.sequence > before and each.header.sequence not in known]
        self.take_entries(new, cursor.sequence)
        tables.add_checkpoint(self._tx, Checkpoint(self._lane.id, cursor.sequence, cursor.chain, 0))

    def _flush(self) -> None:
        """Store what was taken in so far."""
        self.arrived += self._objects.store()
        if self._kept:
            self._tx.put_bodies(self._kept)
        tables.add_entries(self._tx, self._rows)
        self._kept, self._rows = [], []

    def _open_all(self, entries: Sequence[tuple[Entry, bytes]]) -> dict[int, Envelope | DecodeError]:
        """The envelopes of all objects in the page, by number; one that cannot be read is its error."""
        if self._lane.audience == NETWORK:
            return {}
        opened: dict[int, Envelope | DecodeError] = {}
        for each, _ in entries:
            if each.header.op == Op.PUT and each.body is not None:
                opened[each.header.sequence] = _open(each.body)
        self._objects.look_up([each for each in opened.values() if isinstance(each, Envelope)])
        return opened

    def _row_of(self, each: Entry, chain: bytes, opened: Envelope | DecodeError | None) -> EntryRow:
        """Carry out one entry; answers its row."""
        header = each.header
        if each.body is None:
            return tables.entry_row(header, chain, tables.GONE)
        taken_back = self._ahead.get(header.sequence)
        if taken_back is not None:
            return tables.entry_row(header, chain, VERDICTS[taken_back])
        if self._row.recalled:
            return tables.entry_row(header, chain, self._row.recalled)
        if header.op in recall.OPS:
            return self._carry_out(each, chain)
        if header.op == Op.CLOSE:
            tables.set_lane(self._tx, self._lane.id, closed=1)
            return self._keep(each, chain, ACCEPTED)
        if header.op != Op.PUT:
            return self._refuse(each, chain, Refuse("unknown-operation"))
        if self._lane.audience == NETWORK:
            judged = self._judge_document(each.body)
            return (
                self._refuse(each, chain, judged) if isinstance(judged, Refuse) else self._keep(each, chain, ACCEPTED)
            )
        if isinstance(opened, DecodeError):
            return self._refuse(each, chain, Refuse(opened.reason))
        assert opened is not None
        return self._put(each, chain, opened)

    def _put(self, each: Entry, chain: bytes, wrapped: Envelope) -> EntryRow:
        judged = self._objects.judge(wrapped)
        if isinstance(judged, Refuse):
            return self._refuse(each, chain, judged, wrapped)
        return self._keep(each, chain, verdict_of(judged), wrapped)

    def _keep(self, each: Entry, chain: bytes, verdict: str, wrapped: Envelope | None = None) -> EntryRow:
        """With its content, so that it can be handed on, or back to its origin."""
        accepted = wrapped is not None and verdict == ACCEPTED
        self._kept.append(tables.entry_body(each, bytes(wrapped.object) if accepted and wrapped else b""))
        if wrapped is None or wrapped.handling is None:
            return tables.entry_row(each.header, chain, verdict)
        until = wrapped.handling.retain_until
        return tables.entry_row(each.header, chain, verdict, until, wrapped.object_id, wrapped.version)

    def _refuse(self, each: Entry, chain: bytes, refused: Refuse, wrapped: Envelope | None = None) -> EntryRow:
        self.refused[refused.reason] += 1
        if not refused.waits or self._room <= 0 or wrapped is None or wrapped.handling is None:
            return tables.entry_row(each.header, chain, refused.reason)
        self._room -= 1
        self._kept.append(tables.entry_body(each))
        return tables.entry_row(each.header, chain, verdict_of(refused), wrapped.handling.retain_until)

    def _carry_out(self, each: Entry, chain: bytes) -> EntryRow:
        """What arrived on this very page before the recall must be there to be dropped."""
        assert each.body is not None
        try:
            said = recall.decode(each.body)
        except DecodeError as error:
            return self._refuse(each, chain, Refuse(error.reason))
        op, origin, before = Op(each.header.op), self._lane.origin, each.header.sequence - 1
        self._flush()
        tables.set_lane(self._tx, self._lane.id, sequence=before)
        removed = forgetting.carry_out(self._tx, said, op, origin, self._now)
        name = self._network.name(origin)
        self._tx.append(
            RecallCarriedOut(
                at=self._now, recall=said.id, origin=origin, origin_name=name, op=OP_NAMES[op], removed=removed
            )
        )
        self._ahead = recall_tables.ahead_in(self._tx, self._lane.id, before, before + MAX_PAGE_ENTRIES)
        return self._keep(each, chain, ACCEPTED)

    def _judge_document(self, body: bytes) -> verify.Judgement:
        origin = self._lane.origin
        try:
            wrapped = envelope.decode(body)
            if wrapped.kind not in _NETWORK_KINDS or wrapped.origin != origin:
                return Refuse("not-its-origin")
            document = documents.decode(bytes(wrapped.object))
        except DecodeError as error:
            return Refuse(error.reason)
        problem, self._network = membership.receive(self._tx, self._book, document, origin, self._now)
        return Refuse(problem) if problem else Accept()

    def _report(self) -> None:
        ack_tables.count_refusals(self._tx, self._lane, self.refused, self._now)
        name = self._network.name(self._lane.origin)
        for reason, count in sorted(self.refused.items()):
            self._site.counters.add(f"sharing.refused.{reason}", count)
            self._tx.append(
                ObjectRefused(at=self._now, origin=self._lane.origin, origin_name=name, reason=reason, count=count)
            )


def settle_waiting(site: Site, known: Book, tx: Transaction) -> int:
    """Judge again what waited for a group or agreement; answers how many objects arrived."""
    network, now = known.network(tx), site.clock()
    arrived = 0
    for lane, sequence, body, reason in tables.waiting(tx):
        wrapped = _open(body)
        objects = _Objects(site, tx, lane, network)
        judged: Judgement
        if isinstance(wrapped, DecodeError):
            judged = Refuse(wrapped.reason)
        else:
            objects.look_up([wrapped])
            judged = objects.judge(wrapped)
        if isinstance(judged, Refuse) and judged.waits:
            continue
        arrived += objects.store()
        if isinstance(judged, Refuse) or isinstance(wrapped, DecodeError):
            tx.forget_bodies([tables.entry_key(lane.id, sequence)])
            tables.settle(tx, lane.id, sequence, verdict_of(judged))
        else:
            tables.settle(tx, lane.id, sequence, verdict_of(judged), wrapped.object_id, wrapped.version)
        ack_tables.count_refusals(tx, lane, {reason: -1}, now)
        if isinstance(judged, Refuse):
            ack_tables.count_refusals(tx, lane, {judged.reason: 1}, now)
    return arrived


def verdict_of(judged: Judgement) -> str:
    if isinstance(judged, Accept):
        return ACCEPTED
    if isinstance(judged, Pass):
        return judged.why
    return WAITS + judged.reason if judged.waits else judged.reason


def _open(body: bytes) -> Envelope | DecodeError:
    try:
        return envelope.decode(body)
    except DecodeError as error:
        return error
