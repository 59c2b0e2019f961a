"""Lanes, entries, cursors and confirmations in the store: declarations and queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Column, MetaData, Row, Table, bindparam, delete, func, insert, select, update

from port2port.core.clock import from_ms
from port2port.sharing.entry import GENESIS, Checkpoint, Cursor, Entry, Header
from port2port.sharing.lane import Class, Lane
from port2port.sharing.verify import KnownObject
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text

metadata = MetaData()

lanes = Table(
    "sharing_lane",
    metadata,
    Column("id", Blob, primary_key=True),
    Column("own", Integer),
    Column("origin", Text),
    Column("audience", Text),
    Column("urgency", Text),
    Column("epoch", Integer),
    Column("sequence", Integer),
    Column("chain", Blob),
    Column("ts_ms", Integer),
    Column("signature", Blob),
    Column("stopped", Text),
)
entries = Table(
    "sharing_entry",
    metadata,
    Column("lane", Blob, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("op", Integer),
    Column("ts_ms", Integer),
    Column("commitment", Blob),
    Column("chain", Blob),
    Column("salt", Blob),
    Column("body", Blob),
    Column("verdict", Text),
    Column("retain_until", Moment),
)
objects = Table(
    "sharing_object",
    metadata,
    Column("object_id", Text, primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("kind", Text),
    Column("version", Integer),
    Column("digest", Blob),
    Column("at", Moment),
)
withheld = Table(
    "sharing_withheld",
    metadata,
    Column("object_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("reasons", Text),
    Column("at", Moment),
)
refusals = Table(
    "sharing_refusal",
    metadata,
    Column("lane", Blob, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("origin", Text),
    Column("count", Integer),
    Column("at", Moment),
)
acks = Table(
    "sharing_ack",
    metadata,
    Column("peer", Text, primary_key=True),
    Column("lane", Blob, primary_key=True),
    Column("sequence", Integer),
    Column("at", Moment),
    Column("refused", Text),
)

WAITS = "waits:"
"""Verdicts that begin so may still become better: body and salt are kept."""
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane and how far it goes here: our head of our own, our cursor in another's."""

    lane: Lane
    own: bool
    cursor: Cursor
    ts_ms: int
    stopped: str


@dataclass(frozen=True, slots=True)
class AckRow:
    """How far a peer has confirmed a lane of ours."""

    peer: str
    lane: bytes
    sequence: int
    at: datetime
    refused: dict[str, int]


def _lane_row(row: Row[tuple[object, ...]]) -> LaneRow:
    lane = Lane(row.origin, row.audience, Class(row.urgency), row.epoch)
    return LaneRow(lane, bool(row.own), Cursor(row.sequence, row.chain), row.ts_ms, row.stopped)


def find_lane(view: Reading, lane: bytes) -> LaneRow | None:
    row = view.execute(select(lanes).where(lanes.c.id == lane)).first()
    return _lane_row(row) if row else None


def own_lanes(view: Reading, urgency: Class | None = None) -> list[LaneRow]:
    query = select(lanes).where(lanes.c.own == 1)
    if urgency is not None:
        query = query.where(lanes.c.urgency == urgency.value)
    return [_lane_row(row) for row in view.execute(query)]


def lanes_of(view: Reading, origin: str, urgency: Class) -> list[LaneRow]:
    query = select(lanes).where(lanes.c.origin == origin, lanes.c.urgency == urgency.value, lanes.c.own == 0)
    return [_lane_row(row) for row in view.execute(query)]


def foreign_lanes(view: Reading) -> list[LaneRow]:
    return [_lane_row(row) for row in view.execute(select(lanes).where(lanes.c.own == 0))]


def add_lane(tx: Transaction, lane: Lane, own: bool) -> LaneRow:
    """A lane before its first entry."""
    values = {
        "id": lane.id,
        "own": int(own),
        "origin": lane.origin,
        "audience": lane.audience,
        "urgency": lane.urgency.value,
        "epoch": lane.epoch,
        "sequence": 0,
        "chain": GENESIS,
        "ts_ms": 0,
        "signature": b"",
        "stopped": "",
    }
    tx.execute(insert(lanes), values)
    return LaneRow(lane, own, Cursor(), 0, "")


def move_lane(tx: Transaction, checkpoint: Checkpoint) -> None:
    """The lane now goes to this checkpoint: head of ours, cursor in another's."""
    tx.execute(
        update(lanes)
        .where(lanes.c.id == checkpoint.lane)
        .values(
            sequence=checkpoint.sequence,
            chain=checkpoint.chain,
            ts_ms=checkpoint.ts_ms,
            signature=checkpoint.signature,
        )
    )


def stop_lane(tx: Transaction, lane: bytes, reason: str) -> None:
    tx.execute(update(lanes).where(lanes.c.id == lane).values(stopped=reason))


def resume_lanes(tx: Transaction, origin: str) -> int:
    """Forget why lanes of this origin were stopped; answers how many were."""
    stopped = (lanes.c.origin == origin) & (lanes.c.stopped != "")
    return tx.execute(update(lanes).where(stopped).values(stopped="")).rowcount


def add_entries(tx: Transaction, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        tx.execute(insert(entries), rows)


def entry_row(
    entry: Entry, chain: bytes, verdict: str, retain_until: datetime | None = None, *, keep: bool = True
) -> dict[str, object]:
    """A row for `add_entries`; without `keep`, salt and body are left out."""
    header = entry.header
    return {
        "lane": header.lane,
        "sequence": header.sequence,
        "op": header.op,
        "ts_ms": header.ts_ms,
        "commitment": header.commitment,
        "chain": chain,
        "salt": entry.salt if keep else None,
        "body": entry.body if keep else None,
        "verdict": verdict,
        "retain_until": retain_until,
    }


def chain_at(view: Reading, lane: bytes, sequence: int) -> bytes | None:
    """The chain value at one number; the beginning is known to everyone."""
    if sequence == 0:
        return GENESIS
    query = select(entries.c.chain).where(entries.c.lane == lane, entries.c.sequence == sequence)
    return view.execute(query).scalar()


def entries_after(view: Reading, lane: bytes, sequence: int, limit: int) -> Iterable[tuple[Entry, datetime | None]]:
    """Entries in order with their retention dates, fetched as they are used."""
    query = (
        select(entries)
        .where(entries.c.lane == lane, entries.c.sequence > sequence)
        .order_by(entries.c.sequence)
        .limit(limit)
    )
    for row in view.execute(query):
        header = Header(row.lane, row.sequence, row.op, row.ts_ms, row.commitment)
        yield Entry(header, row.salt, row.body), row.retain_until


def waiting(view: Reading) -> list[tuple[Lane, int, bytes, str]]:
    """Entries that wait for a group or agreement: lane, sequence, body, reason."""
    query = (
        select(lanes, entries.c.sequence.label("number"), entries.c.body, entries.c.verdict)
        .join(entries, entries.c.lane == lanes.c.id)
        .where(entries.c.verdict.like(WAITS + "%"), entries.c.body.is_not(None), lanes.c.own == 0)
        .order_by(entries.c.ts_ms, entries.c.lane, entries.c.sequence)
    )
    return [(_lane_row(row).lane, row.number, row.body, row.verdict.removeprefix(WAITS)) for row in view.execute(query)]


def count_waiting(view: Reading, origin: str) -> int:
    query = (
        select(func.count())
        .select_from(entries.join(lanes, entries.c.lane == lanes.c.id))
        .where(entries.c.verdict.like(WAITS + "%"), entries.c.body.is_not(None), lanes.c.origin == origin)
    )
    return view.execute(query).scalar() or 0


def settle(tx: Transaction, lane: bytes, sequence: int, verdict: str) -> None:
    """An entry no longer waits: its verdict is final, its body is not kept here."""
    tx.execute(
        update(entries)
        .where(entries.c.lane == lane, entries.c.sequence == sequence)
        .values(verdict=verdict, salt=None, body=None)
    )


_HOLDERS = select(objects.c.origin, objects.c.version, objects.c.digest).where(objects.c.object_id == bindparam("id"))
_RENEW = (
    update(objects)
    .where(objects.c.object_id == bindparam("of_id"), objects.c.origin == bindparam("of_origin"))
    .values(kind=bindparam("kind"), version=bindparam("version"), digest=bindparam("digest"), at=bindparam("at"))
)
_KEEP = insert(objects)


def holders(view: Reading, object_id: str) -> dict[str, KnownObject]:
    """Origin -> the newest version that we know, for all origins that use this object id."""
    return {row.origin: KnownObject(row.version, row.digest) for row in view.execute(_HOLDERS, {"id": object_id})}


def save_object(
    tx: Transaction, origin: str, object_id: str, kind: str, version: int, digest: bytes, at: datetime
) -> None:
    values = {"kind": kind, "version": version, "digest": digest, "at": at}
    if not tx.execute(_RENEW, {"of_origin": origin, "of_id": object_id, **values}).rowcount:
        tx.execute(_KEEP, {"origin": origin, "object_id": object_id, **values})


def save_withheld(tx: Transaction, object_id: str, version: int, reasons: dict[str, int], at: datetime) -> None:
    tx.execute(delete(withheld).where(withheld.c.object_id == object_id, withheld.c.version == version))
    text = msgspec.json.encode(reasons).decode()
    tx.execute(insert(withheld), {"object_id": object_id, "version": version, "reasons": text, "at": at})


def count_refusals(tx: Transaction, lane: Lane, reasons: dict[str, int], at: datetime) -> None:
    for reason, count in reasons.items():
        where = (refusals.c.lane == lane.id) & (refusals.c.reason == reason)
        changed = tx.execute(update(refusals).where(where).values(count=refusals.c.count + count, at=at))
        if not changed.rowcount:
            values = {"lane": lane.id, "reason": reason, "origin": lane.origin, "count": count, "at": at}
            tx.execute(insert(refusals), values)


def refusals_in(view: Reading, lane: bytes) -> dict[str, int]:
    query = select(refusals.c.reason, refusals.c.count).where(refusals.c.lane == lane, refusals.c.count > 0)
    return {row["reason"]: row["count"] for row in view.execute(query).mappings()}


def refusals_by_origin(view: Reading) -> dict[str, dict[str, int]]:
    """Origin -> reason -> number of entries refused."""
    query = (
        select(refusals.c.origin, refusals.c.reason, func.sum(refusals.c.count).label("total"))
        .group_by(refusals.c.origin, refusals.c.reason)
        .having(func.sum(refusals.c.count) > 0)
    )
    found: dict[str, dict[str, int]] = {}
    for row in view.execute(query).mappings():
        found.setdefault(row["origin"], {})[row["reason"]] = int(row["total"])
    return found


def save_ack(tx: Transaction, peer: str, lane: bytes, sequence: int, refused: dict[str, int], at: datetime) -> None:
    """Never backwards in number; the reasons are the newest."""
    text = msgspec.json.encode(refused).decode()
    where = (acks.c.peer == peer) & (acks.c.lane == lane)
    known = tx.execute(select(acks.c.sequence).where(where)).scalar()
    if known is None:
        tx.execute(insert(acks), {"peer": peer, "lane": lane, "sequence": sequence, "at": at, "refused": text})
    else:
        tx.execute(update(acks).where(where).values(sequence=max(known, sequence), at=at, refused=text))


def all_acks(view: Reading) -> list[AckRow]:
    return [
        AckRow(row.peer, row.lane, row.sequence, row.at, msgspec.json.decode(row.refused, type=dict[str, int]))
        for row in view.execute(select(acks))
    ]


def entry_time(view: Reading, lane: bytes, sequence: int) -> datetime | None:
    """When an entry was written, by its origin's clock."""
    query = select(entries.c.ts_ms).where(entries.c.lane == lane, entries.c.sequence == sequence)
    ms = view.execute(query).scalar()
    return None if ms is None else from_ms(ms)
