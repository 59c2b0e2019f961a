"""The audit log in the store: leaves, tiles, checkpoints, and what we saw of the logs of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Row, Table, delete, func, insert, select, update

from port2port.sharing.audit.limits import PAGE_LEAVES
from port2port.sharing.facts import AuditErased
from port2port.sharing.tables import metadata
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text, from_us, to_us

leaves = Table(
    "sharing_audit_leaf",
    metadata,
    Column("place", Integer, primary_key=True),
    Column("number", Integer),
    Column("at", Moment),
    Column("kind", Text),
    Column("entry", Blob),
    Column("salt", Blob),
    Column("record", Blob),
)
tiles = Table(
    "sharing_audit_tile",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("hashes", Blob),
)
checkpoints = Table(
    "sharing_audit_checkpoint",
    metadata,
    Column("size", Integer, primary_key=True),
    Column("root", Blob),
    Column("at", Moment),
    Column("note", Blob),
)
cosignatures = Table(
    "sharing_audit_cosignature",
    metadata,
    Column("size", Integer, primary_key=True),
    Column("witness", Text, primary_key=True),
    Column("at", Moment),
    Column("line", Text),
)
seen = Table(
    "sharing_audit_seen",
    metadata,
    Column("node", Text, primary_key=True),
    Column("size", Integer),
    Column("root", Blob),
    Column("at", Moment),
    Column("note", Blob),
    Column("witness", Text),
    Column("contradiction", Blob),
)
checks = Table(
    "sharing_audit_check",
    metadata,
    Column("at", Moment, primary_key=True),
    Column("size", Integer),
    Column("problems", Integer),
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry of the log. Without salt and record it was erased."""

    place: int
    number: int
    at: datetime
    kind: str
    entry: bytes
    salt: bytes | None
    record: bytes | None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint of ours with the note that we signed."""

    size: int
    root: bytes
    at: datetime
    note: bytes


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A partner confirmed our checkpoint of this size."""

    size: int
    witness: str
    at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest checkpoint of another's log that we confirmed, and whether the log contradicted itself since."""

    node: str
    size: int
    root: bytes
    at: datetime
    note: bytes
    witness: str
    """Node id of the one who holds the other word; empty as long as there is no contradiction."""
    contradiction: bytes
    """The note that does not go together with `note`."""


@dataclass(frozen=True, slots=True)
class Check:
    """When the whole log was last checked, how far it went, and how much was wrong."""

    at: datetime
    size: int
    problems: int


def size(view: Reading) -> int:
    """How many leaves there are."""
    last = view.execute(select(func.max(leaves.c.place))).scalar()
    return 0 if last is None else last + 1


_ADD_LEAF = "INSERT INTO sharing_audit_leaf (place, number, at, kind, entry, salt, record) VALUES (?, ?, ?, ?, ?, ?, ?)"
_LEAVES = (
    "SELECT place, number, at, kind, entry, salt, record FROM sharing_audit_leaf WHERE place > ? ORDER BY place LIMIT ?"
)


def add_leaves(tx: Transaction, added: Sequence[Leaf]) -> None:
    tx.many(_ADD_LEAF, [(e.place, e.number, to_us(e.at), e.kind, e.entry, e.salt, e.record) for e in added])


def entries(view: Reading, start: int, end: int) -> list[bytes]:
    """The log entries at places `start` to `end`."""
    query = select(leaves.c.entry).where(leaves.c.place >= start, leaves.c.place < end).order_by(leaves.c.place)
    return list(view.execute(query).scalars())


def all_leaves(view: Reading, end: int | None = None) -> Iterator[Leaf]:
    """All leaves by place, or those before `end`, read in pages."""
    after = -1
    while page := view.rows(_LEAVES, (after, PAGE_LEAVES)):
        for place, number, at, *rest in page:
            if end is not None and place >= end:
                return
            yield Leaf(place, number, from_us(at), *rest)
        after = page[-1][0]


def newest_leaves(view: Reading, limit: int, kind: str = "", before: int | None = None) -> list[Leaf]:
    """The newest leaves, newest first."""
    query = select(leaves).order_by(leaves.c.place.desc()).limit(limit)
    if kind:
        query = query.where(leaves.c.kind == kind)
    if before is not None:
        query = query.where(leaves.c.place < before)
    return [_leaf(row) for row in view.execute(query)]


def kinds(view: Reading) -> list[str]:
    """The kinds that occur, by name."""
    return list(view.execute(select(leaves.c.kind).distinct().order_by(leaves.c.kind)).scalars())


def erase(tx: Transaction, places: Sequence[int]) -> tuple[int, ...]:
    """Forget salt and record of these leaves, but never what says who erased; answers the places that had one."""
    told = leaves.c.record.is_not(None) & (leaves.c.kind != AuditErased.kind())
    query = select(leaves.c.place).where(leaves.c.place.in_(places), told).order_by(leaves.c.place)
    found = tuple(tx.execute(query).scalars())
    tx.execute(update(leaves).where(leaves.c.place.in_(found)).values(salt=None, record=None))
    return found


def tile(view: Reading, level: int, number: int) -> bytes:
    """A tile of level 1 or higher; empty when there is none."""
    query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.number == number)
    return view.execute(query).scalar() or b""


def all_tiles(view: Reading) -> dict[tuple[int, int], bytes]:
    return {(row.level, row.number): row.hashes for row in view.execute(select(tiles))}


def save_tile(tx: Transaction, level: int, number: int, hashes: bytes) -> None:
    tx.execute(delete(tiles).where(tiles.c.level == level, tiles.c.number == number))
    tx.execute(insert(tiles), {"level": level, "number": number, "hashes": hashes})


def save_checkpoint(tx: Transaction, made: StoredCheckpoint) -> None:
    tx.execute(insert(checkpoints), {"size": made.size, "root": made.root, "at": made.at, "note": made.note})


def newest_checkpoint(view: Reading) -> StoredCheckpoint | None:
    row = view.execute(select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).first()
    return StoredCheckpoint(row.size, row.root, row.at, row.note) if row else None


def checkpoint_at(view: Reading, size: int) -> StoredCheckpoint | None:
    row = view.execute(select(checkpoints).where(checkpoints.c.size == size)).first()
    return StoredCheckpoint(row.size, row.root, row.at, row.note) if row else None


def all_checkpoints(view: Reading) -> list[StoredCheckpoint]:
    rows = view.execute(select(checkpoints).order_by(checkpoints.c.size))
    return [StoredCheckpoint(row.size, row.root, row.at, row.note) for row in rows]


def save_cosignature(tx: Transaction, given: Cosignature) -> None:
    """The newest confirmation of a witness for one size."""
    same = (cosignatures.c.size == given.size) & (cosignatures.c.witness == given.witness)
    tx.execute(delete(cosignatures).where(same))
    values = {"size": given.size, "witness": given.witness, "at": given.at, "line": given.line}
    tx.execute(insert(cosignatures), values)


def cosignatures_at(view: Reading, size: int) -> list[Cosignature]:
    query = select(cosignatures).where(cosignatures.c.size == size).order_by(cosignatures.c.witness)
    return [_cosignature(row) for row in view.execute(query)]


def all_cosignatures(view: Reading) -> list[Cosignature]:
    query = select(cosignatures).order_by(cosignatures.c.size, cosignatures.c.witness)
    return [_cosignature(row) for row in view.execute(query)]


def confirmed_size(view: Reading, count: int) -> int | None:
    """The largest size that `count` witnesses confirmed."""
    query = select(cosignatures.c.size).group_by(cosignatures.c.size).having(func.count() >= count)
    return view.execute(query.order_by(cosignatures.c.size.desc()).limit(1)).scalar()


def confirmed_by(view: Reading, witness: str) -> int:
    """The largest size that this witness confirmed, as we know it."""
    query = select(func.max(cosignatures.c.size)).where(cosignatures.c.witness == witness)
    return view.execute(query).scalar() or 0


def find_seen(view: Reading, node: str) -> Seen | None:
    row = view.execute(select(seen).where(seen.c.node == node)).first()
    return _seen(row) if row else None


def all_seen(view: Reading) -> list[Seen]:
    return [_seen(row) for row in view.execute(select(seen).order_by(seen.c.node))]


def save_seen(tx: Transaction, what: Seen) -> None:
    tx.execute(delete(seen).where(seen.c.node == what.node))
    values = {name: getattr(what, name) for name in Seen.__dataclass_fields__}
    tx.execute(insert(seen), values)


def forget_seen(tx: Transaction, node: str) -> bool:
    """Begin anew with a node's log; answers whether there was something to forget."""
    return tx.execute(delete(seen).where(seen.c.node == node)).rowcount > 0


def save_check(tx: Transaction, check: Check) -> None:
    tx.execute(delete(checks))
    tx.execute(insert(checks), {"at": check.at, "size": check.size, "problems": check.problems})


def last_check(view: Reading) -> Check | None:
    row = view.execute(select(checks)).first()
    return Check(row.at, row.size, row.problems) if row else None


def _leaf(row: Row[tuple[object, ...]]) -> Leaf:
    return Leaf(row.place, row.number, row.at, row.kind, row.entry, row.salt, row.record)


def _cosignature(row: Row[tuple[object, ...]]) -> Cosignature:
    return Cosignature(row.size, row.witness, row.at, row.line)


def _seen(row: Row[tuple[object, ...]]) -> Seen:
    return Seen(row.node, row.size, row.root, row.at, row.note, row.witness, row.contradiction)
