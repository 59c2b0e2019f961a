"""Lanes, entries, cursors and confirmations in the store: declarations and queries.

What runs for every entry is written by hand; a body (salt and exact bytes together) lies in the store, sealed, under
`entry_key`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, MetaData, Row, Table, delete, insert, select, text, update

from port2port.core.clock import from_ms
from port2port.sharing.entry import GENESIS, SALT_BYTES, Checkpoint, Cursor, Entry, Header
from port2port.sharing.lane import Class, Lane
from port2port.sharing.verify import KnownObject
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text, from_us, to_us

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
    Column("closed", Integer),
    Column("base", Integer),
    Column("recalled", Text),
    Column("members", Text),
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
    Column("object_id", Text),
    Column("version", Integer),
)
checkpoints = Table(
    "sharing_checkpoint",
    metadata,
    Column("lane", Blob, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("chain", Blob),
    Column("ts_ms", Integer),
    Column("signature", Blob),
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
WAITS = "waits:"
"""Verdicts that begin so may still become better: their bodies are kept."""
ACCEPTED = "accepted"
OWN = "own"
GONE = "gone"


@dataclass(frozen=True, slots=True)
class LaneRow:
    """A lane and how far it goes here: our head of our own, our cursor in another's."""

    lane: Lane
    own: bool
    cursor: Cursor
    ts_ms: int
    stopped: str
    closed: bool = False
    base: int = 0
    """Entries up to here are not kept in order: they came as a live set, or were shortened away."""
    recalled: str = ""
    """`withdraw` or `erase` when all of it was taken back."""
    members: str = ""
    """Of a lane of ours to a group: who was in it when last looked, as JSON."""


class EntryRow(NamedTuple):
    """An entry without its body, as it is stored."""

    lane: bytes
    sequence: int
    op: int
    ts_ms: int
    commitment: bytes
    chain: bytes
    verdict: str
    retain_until: int | None
    object_id: str | None
    version: int | None


def local_id(origin: str, object_id: str) -> str:
    """Under which id another's object stands here. Ids of different origins never meet, whatever a peer sends."""
    return f"{origin}.{object_id}"


def _lane_row(row: Row[tuple[object, ...]]) -> LaneRow:
    lane = Lane(row.origin, row.audience, Class(row.urgency), row.epoch)
    return LaneRow(
        lane,
        bool(row.own),
        Cursor(row.sequence, row.chain),
        row.ts_ms,
        row.stopped,
        bool(row.closed),
        row.base,
        row.recalled,
        row.members,
    )


def find_lane(view: Reading, lane: bytes) -> LaneRow | None:
    row = view.execute(select(lanes).where(lanes.c.id == lane)).first()
    return _lane_row(row) if row else None


def own_lanes(view: Reading, urgency: Class | None = None) -> list[LaneRow]:
    query = select(lanes).where(lanes.c.own == 1)
    if urgency is not None:
        query = query.where(lanes.c.urgency == urgency.value)
    return [_lane_row(row) for row in view.execute(query)]


def lanes_of(view: Reading, origin: str, urgency: Class | None = None) -> list[LaneRow]:
    """Another origin's lanes, as far as we follow them."""
    query = select(lanes).where(lanes.c.origin == origin, lanes.c.own == 0)
    if urgency is not None:
        query = query.where(lanes.c.urgency == urgency.value)
    return [_lane_row(row) for row in view.execute(query)]


def foreign_lanes(view: Reading) -> list[LaneRow]:
    return [_lane_row(row) for row in view.execute(select(lanes).where(lanes.c.own == 0))]


def open_lane(view: Reading, first: Lane) -> tuple[Lane, LaneRow | None]:
    """The lane in which writing goes on: the newest epoch, or the next when that one is closed."""
    same = (lanes.c.origin == first.origin) & (lanes.c.audience == first.audience)
    same &= lanes.c.urgency == first.urgency.value
    query = select(lanes).where(same, lanes.c.own == 1).order_by(lanes.c.epoch.desc()).limit(1)
    row = view.execute(query).first()
    if row is None:
        return first, None
    known = _lane_row(row)
    if not known.closed:
        return known.lane, known
    return Lane(first.origin, first.audience, first.urgency, known.lane.epoch + 1), None


def add_lane(tx: Transaction, lane: Lane, own: bool, members: str = "") -> LaneRow:
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
        "closed": 0,
        "base": 0,
        "recalled": "",
        "members": members,
    }
    tx.execute(insert(lanes), values)
    return LaneRow(lane, own, Cursor(), 0, "", members=members)


def set_lane(tx: Transaction, lane: bytes, **values: object) -> None:
    """Change columns of a lane's row."""
    tx.execute(update(lanes).where(lanes.c.id == lane).values(**values))


def move_lane(tx: Transaction, checkpoint: Checkpoint) -> None:
    """The lane now goes to this checkpoint: head of ours, cursor in another's."""
    set_lane(
        tx,
        checkpoint.lane,
        sequence=checkpoint.sequence,
        chain=checkpoint.chain,
        ts_ms=checkpoint.ts_ms,
        signature=checkpoint.signature,
    )


def stop_lane(tx: Transaction, lane: bytes, reason: str) -> None:
    set_lane(tx, lane, stopped=reason)


def resume_lanes(tx: Transaction, origin: str, reason: str = "") -> int:
    """Forget why lanes of this origin were stopped, or those that were for this reason; answers how many were."""
    stopped = (lanes.c.origin == origin) & (lanes.c.stopped == reason if reason else lanes.c.stopped != "")
    return tx.execute(update(lanes).where(stopped).values(stopped="")).rowcount


# entries

_ADD_ENTRY = (
    "INSERT INTO sharing_entry"
    " (lane, sequence, op, ts_ms, commitment, chain, verdict, retain_until, object_id, version)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ENTRIES = (
    "SELECT sequence, op, ts_ms, commitment, object_id, version, salt, body, retain_until FROM sharing_entry"
    " WHERE lane = ? AND sequence > ? ORDER BY sequence LIMIT ?"
)
_CHAIN_AT = "SELECT chain FROM sharing_entry WHERE lane = ? AND sequence = ?"


_WHOLE = 2**32 - 1
"""In place of a position: nothing was left out."""


def entry_key(lane: bytes, sequence: int) -> tuple[str, int]:
    """Under which key of the store an entry's salt and body lie."""
    return f"entry:{lane.hex()}", sequence


def entry_body(entry: Entry, content: bytes = b"") -> tuple[str, int, bytes]:
    """A row for `put_bodies`: salt and body.

    `content`: the object's exact bytes, where they lie under its own id as well. Then only what stands around them is
    kept here, and the body is put together again when it is sent.
    """
    assert entry.salt is not None
    assert entry.body is not None
    before, found, after = entry.body.partition(content) if content else (entry.body, b"", b"")
    mark = len(before) if found else _WHOLE
    return (*entry_key(entry.header.lane, entry.header.sequence), mark.to_bytes(4, "big") + entry.salt + before + after)


def add_entries(tx: Transaction, rows: Sequence[EntryRow]) -> None:
    if rows:
        tx.many(_ADD_ENTRY, rows)


def entry_row(
    header: Header,
    chain: bytes,
    verdict: str,
    retain_until: datetime | None = None,
    object_id: str | None = None,
    version: int | None = None,
) -> EntryRow:
    """A row for `add_entries`."""
    until = None if retain_until is None else to_us(retain_until)
    return EntryRow(
        header.lane,
        header.sequence,
        header.op,
        header.ts_ms,
        header.commitment,
        chain,
        verdict,
        until,
        object_id,
        version,
    )


def chain_at(view: Reading, lane: bytes, sequence: int) -> bytes | None:
    """The chain value at one number, where it is known; the beginning is known to everyone."""
    if sequence == 0:
        return GENESIS
    found = view.rows(_CHAIN_AT, (lane, sequence))
    if found and found[0][0]:
        return bytes(found[0][0])
    known = select(checkpoints.c.chain).where(checkpoints.c.lane == lane, checkpoints.c.sequence == sequence)
    return view.execute(known).scalar()


class Stored(NamedTuple):
    """An entry as it can be sent, with what it is kept for."""

    entry: Entry
    retain_until: datetime | None


def entries_after(view: Reading, lane: bytes, sequence: int, limit: int, origin: str = "") -> list[Stored]:
    """Entries in order with their bodies, where they still exist. `origin`: of a lane that is not ours."""
    return with_bodies(view, lane, view.rows(_ENTRIES, (lane, sequence, limit)), origin)


def with_bodies(view: Reading, lane: bytes, rows: Sequence[tuple[Any, ...]], origin: str = "") -> list[Stored]:
    """Rows of `_ENTRIES` completed from the store. Entries from before bodies were sealed have them beside."""
    kept = view.bodies([entry_key(lane, row[0]) for row in rows])
    cut = [
        (local_id(origin, row[4]) if origin else row[4], row[5])
        for row, data in zip(rows, kept, strict=True)
        if data is not None and _position(data) != _WHOLE
    ]
    contents = iter(view.bodies(cut))
    return [_stored(lane, row, data, contents) for row, data in zip(rows, kept, strict=True)]


def _position(data: bytes) -> int:
    return int.from_bytes(data[:4], "big")


def _stored(lane: bytes, row: Sequence[Any], data: bytes | None, contents: Iterator[bytes | None]) -> Stored:
    sequence, op, ts_ms, commitment, _, _, salt, body, until = row
    header = Header(lane, sequence, op, ts_ms, bytes(commitment))
    retain_until = None if until is None else from_us(until)
    if data is None:
        beside = (None, None) if salt is None or body is None else (bytes(salt), bytes(body))
        return Stored(Entry(header, *beside), retain_until)
    whole = _whole(data, contents)
    return Stored(Entry(header, data[4 : 4 + SALT_BYTES] if whole is not None else None, whole), retain_until)


def _whole(data: bytes, contents: Iterator[bytes | None]) -> bytes | None:
    around, position = data[4 + SALT_BYTES :], _position(data)
    if position == _WHOLE:
        return around
    content = next(contents)
    return None if content is None else around[:position] + content + around[position:]


def waiting(view: Reading) -> list[tuple[Lane, int, bytes, str]]:
    """Entries that wait for a group or agreement: lane, sequence, body, reason."""
    query = (
        select(lanes, entries.c.sequence.label("number"), entries.c.body.label("beside"), entries.c.verdict)
        .join(entries, entries.c.lane == lanes.c.id)
        .where(text("verdict LIKE 'waits:%'"), lanes.c.own == 0)
        .order_by(entries.c.ts_ms, entries.c.lane, entries.c.sequence)
    )
    rows = view.execute(query).all()
    bodies = view.bodies([entry_key(row.id, row.number) for row in rows])
    found = []
    for row, sealed in zip(rows, bodies, strict=True):
        body = sealed[4 + SALT_BYTES :] if sealed is not None else row.beside
        if body is not None:
            found.append((_lane_row(row).lane, row.number, body, row.verdict.removeprefix(WAITS)))
    return found


def count_waiting(view: Reading, origin: str) -> int:
    """The pattern stands in the statement, not beside it: else the index of those few is not used."""
    found = view.rows(
        "SELECT count(*) FROM sharing_entry e JOIN sharing_lane l ON l.id = e.lane"
        " WHERE e.verdict LIKE 'waits:%' AND l.origin = ?",
        (origin,),
    )
    return int(found[0][0])


def settle(
    tx: Transaction, lane: bytes, sequence: int, verdict: str, object_id: str | None = None, version: int | None = None
) -> None:
    """An entry no longer waits: its verdict is final."""
    tx.execute(
        update(entries)
        .where(entries.c.lane == lane, entries.c.sequence == sequence)
        .values(verdict=verdict, object_id=object_id, version=version)
    )


def entry_time(view: Reading, lane: bytes, sequence: int) -> datetime | None:
    """When an entry was written, by its origin's clock."""
    query = select(entries.c.ts_ms).where(entries.c.lane == lane, entries.c.sequence == sequence)
    ms = view.execute(query).scalar()
    return None if ms is None else from_ms(ms)


def add_checkpoint(tx: Transaction, checkpoint: Checkpoint) -> None:
    """Keep another origin's word, so that we can hand its entries on."""
    values = (checkpoint.lane, checkpoint.sequence, checkpoint.chain, checkpoint.ts_ms, checkpoint.signature)
    tx.many(
        "INSERT INTO sharing_checkpoint (lane, sequence, chain, ts_ms, signature) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (lane, sequence) DO NOTHING",
        [values],
    )


def checkpoint_after(view: Reading, lane: bytes, sequence: int) -> Checkpoint | None:
    """The first kept checkpoint beyond a number."""
    found = view.rows(
        "SELECT sequence, chain, ts_ms, signature FROM sharing_checkpoint WHERE lane = ? AND sequence > ?"
        " ORDER BY sequence LIMIT 1",
        (lane, sequence),
    )
    return Checkpoint(lane, found[0][0], bytes(found[0][1]), found[0][2], bytes(found[0][3])) if found else None


# objects

_OBJECTS = "SELECT object_id, origin, version, digest FROM sharing_object WHERE object_id IN ({})"
_SAVE_OBJECT = (
    "INSERT INTO sharing_object (object_id, origin, kind, version, digest, at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (object_id, origin) DO UPDATE"
    " SET kind = excluded.kind, version = excluded.version, digest = excluded.digest, at = excluded.at"
)
_FORGET_OBJECT = "DELETE FROM sharing_object WHERE object_id = ? AND origin = ? AND version <= ?"

ObjectRow = tuple[str, str, str, int, bytes, int]
"""object_id, origin, kind, version, digest, at in microseconds."""


def known_objects(view: Reading, object_ids: Iterable[str]) -> dict[str, dict[str, KnownObject]]:
    """Object id -> origin -> the newest version that we know, for all that use one of these ids."""
    wanted = sorted(set(object_ids))
    found: dict[str, dict[str, KnownObject]] = {each: {} for each in wanted}
    for at in range(0, len(wanted), 500):
        some = wanted[at : at + 500]
        for object_id, origin, version, digest in view.rows(_OBJECTS.format(",".join("?" * len(some))), some):
            found[object_id][origin] = KnownObject(version, bytes(digest))
    return found


def save_objects(tx: Transaction, rows: Sequence[ObjectRow]) -> None:
    if rows:
        tx.many(_SAVE_OBJECT, rows)


def object_row(origin: str, object_id: str, kind: str, version: int, digest: bytes, at: datetime) -> ObjectRow:
    return object_id, origin, kind, version, digest, to_us(at)


def forget_objects(tx: Transaction, keys: Sequence[tuple[str, str, int]]) -> None:
    """Drop (object_id, origin, version) unless a newer version is known."""
    if keys:
        tx.many(_FORGET_OBJECT, keys)


def save_withheld(tx: Transaction, object_id: str, version: int, reasons: dict[str, int], at: datetime) -> None:
    tx.execute(delete(withheld).where(withheld.c.object_id == object_id, withheld.c.version == version))
    text = msgspec.json.encode(reasons).decode()
    tx.execute(insert(withheld), {"object_id": object_id, "version": version, "reasons": text, "at": at})
