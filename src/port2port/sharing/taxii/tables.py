"""Collections, packs and objects in the store: declarations, and the questions asked rarely."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Column, Row, Table, delete, insert, select, update

from port2port.sharing.tables import metadata
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text, to_us

collections = Table(
    "sharing_taxii_collection",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("kind", Text),
    Column("owner", Text),
    Column("last_ms", Integer),
    Column("twins", Integer),
)
packs = Table(
    "sharing_taxii_pack",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("collection", Integer),
    Column("body_id", Text),
    Column("body_version", Integer),
    Column("retain_until", Moment),
)
merges = Table(
    "sharing_taxii_merge",
    metadata,
    Column("collection", Integer, primary_key=True),
    Column("source", Integer, primary_key=True),
    Column("through_ms", Integer),
)
statuses = Table(
    "sharing_taxii_status",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text),
    Column("account", Text),
    Column("at", Moment),
    Column("document", Blob),
)

_FIND = "SELECT number, last_ms, twins FROM sharing_taxii_collection WHERE kind = ? AND owner = ?"
_DUE = "SELECT number FROM sharing_taxii_pack WHERE retain_until <= ? ORDER BY retain_until LIMIT ?"
_ADD_PACK = (
    "INSERT INTO sharing_taxii_pack (number, collection, body_id, body_version, retain_until) VALUES (?, ?, ?, ?, ?)"
)
_ADD_WAITING = (
    "INSERT INTO sharing_taxii_waiting (number, body_id, body_version, lane, retain_until) VALUES (?, ?, ?, ?, ?)"
)
_WAITING = "SELECT number, body_id, body_version, lane, retain_until FROM sharing_taxii_waiting ORDER BY number LIMIT ?"
_STILL_WAITING = "SELECT number FROM sharing_taxii_waiting WHERE number IN ({})"
OWN_BODIES = "taxii."
"""Bodies whose id begins so are ours to forget; the others belong to the capability that made the object."""


Noted = tuple[str, int, str, int | None]
"""A bundle: body id and version, lane in hex, retention date in microseconds."""


class Waiting(NamedTuple):
    """A bundle on its way to the collection of its lane."""

    number: int
    body_id: str
    body_version: int
    lane: str
    """In hex; empty: it is in none that we know."""
    retain_until_us: int | None


class Kind(StrEnum):
    """What a collection holds."""

    LANE = "lane"
    """Owner: the lane's id in hex."""
    MERGED = "merged"
    """Owner: the account's name. Everything that it may read."""
    INBOX = "inbox"
    """Owner: the account's name. What it handed in, in quarantine."""
    POLLED = "polled"
    """Owner: the URL of a server that we poll. In quarantine; no account reads it."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A row of the collection table."""

    number: int
    kind: Kind
    owner: str
    last_ms: int
    """The newest stamp given out: never given out again."""
    twins: int
    """How many twins were ever put behind it."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A body in the store with objects in it."""

    number: int
    body_id: str
    body_version: int


def _collection(row: Row[tuple[object, ...]]) -> Collection:
    return Collection(row.number, Kind(row.kind), row.owner, row.last_ms, row.twins)


def find(view: Reading, kind: Kind, owner: str) -> Collection | None:
    rows = view.rows(_FIND, (kind.value, owner))
    return Collection(rows[0][0], kind, owner, rows[0][1], rows[0][2]) if rows else None


def get(view: Reading, number: int) -> Collection:
    return _collection(view.execute(select(collections).where(collections.c.number == number)).one())


def find_or_add(tx: Transaction, kind: Kind, owner: str) -> Collection:
    known = find(tx, kind, owner)
    if known is None:
        tx.execute(insert(collections), {"kind": kind.value, "owner": owner, "last_ms": 0, "twins": 0})
        known = find(tx, kind, owner)
        assert known is not None
    return known


def all_of(view: Reading, kind: Kind) -> list[Collection]:
    rows = view.execute(select(collections).where(collections.c.kind == kind.value).order_by(collections.c.number))
    return [_collection(row) for row in rows]


def move(tx: Transaction, collection: Collection) -> None:
    """Store how far its stamps and twins go."""
    where = collections.c.number == collection.number
    tx.execute(update(collections).where(where).values(last_ms=collection.last_ms, twins=collection.twins))


def holds_objects(view: Reading, number: int) -> bool:
    statement = "SELECT 1 FROM sharing_taxii_object WHERE collection = ? LIMIT 1"
    return bool(view.rows(statement, (number,)))


def add_packs(tx: Transaction, collection: int, bodies: Sequence[tuple[str, int, int | None]]) -> int:
    """Take note of bodies with objects in them: (id, version, retention date in microseconds).

    Answers the number of the first; the others follow.
    """
    first = int(tx.rows("SELECT coalesce(max(number), 0) + 1 FROM sharing_taxii_pack")[0][0])
    tx.many(_ADD_PACK, [(number, collection, *body) for number, body in enumerate(bodies, first)])
    return first


def due_packs(view: Reading, now: datetime, limit: int = 500) -> list[int]:
    """Packs whose retention is over."""
    return [row[0] for row in view.rows(_DUE, (to_us(now), limit))]


def find_packs(view: Reading, numbers: Sequence[int]) -> list[Pack]:
    rows = view.execute(select(packs).where(packs.c.number.in_(numbers)))
    return [Pack(row.number, row.body_id, row.body_version) for row in rows]


def remove_packs(tx: Transaction, numbers: Sequence[int]) -> None:
    tx.execute(delete(packs).where(packs.c.number.in_(numbers)))


def packs_of(view: Reading, body_id: str) -> list[Pack]:
    """Packs of all versions of one body."""
    rows = view.execute(select(packs).where(packs.c.body_id == body_id))
    return [Pack(row.number, row.body_id, row.body_version) for row in rows]


def add_waiting(tx: Transaction, rows: Sequence[Noted]) -> None:
    """Note down bundles for the feeder."""
    if rows:
        first = int(tx.rows("SELECT coalesce(max(number), 0) + 1 FROM sharing_taxii_waiting")[0][0])
        tx.many(_ADD_WAITING, [(number, *row) for number, row in enumerate(rows, first)])


def waiting(view: Reading, limit: int) -> list[Waiting]:
    """The first of what waits."""
    return [Waiting(*row) for row in view.rows(_WAITING, (limit,))]


def remove_waiting(tx: Transaction, numbers: Sequence[int]) -> set[int]:
    """They wait no longer; answers those that did until now."""
    marks = ", ".join("?" * len(numbers))
    found = {row[0] for row in tx.rows(_STILL_WAITING.format(marks), tuple(numbers))}
    tx.many("DELETE FROM sharing_taxii_waiting WHERE number = ?", [(each,) for each in found])
    return found


def forget_waiting(tx: Transaction, body_id: str, version: int) -> None:
    """What was recalled is brought nowhere."""
    tx.many("DELETE FROM sharing_taxii_waiting WHERE body_id = ? AND body_version <= ?", [(body_id, version)])


def merged_through(view: Reading, collection: int) -> dict[int, int]:
    """Source collection -> stamp up to which it is merged."""
    rows = view.execute(select(merges.c.source, merges.c.through_ms).where(merges.c.collection == collection))
    return {row.source: row.through_ms for row in rows}


def set_merged(tx: Transaction, collection: int, source: int, through_ms: int) -> None:
    where = (merges.c.collection == collection) & (merges.c.source == source)
    if not tx.execute(update(merges).where(where).values(through_ms=through_ms)).rowcount:
        tx.execute(insert(merges), {"collection": collection, "source": source, "through_ms": through_ms})


def unset_merged(tx: Transaction, collection: int, sources: Iterable[int]) -> None:
    for source in sources:
        tx.execute(delete(merges).where(merges.c.collection == collection, merges.c.source == source))


def save_status(tx: Transaction, status_id: str, account: str, at: datetime, document: bytes, keep: int) -> None:
    """Keep a status; beyond `keep` of one account the oldest go."""
    tx.execute(insert(statuses), {"id": status_id, "account": account, "at": at, "document": document})
    of_account = select(statuses.c.number).where(statuses.c.account == account).order_by(statuses.c.number.desc())
    oldest = tx.execute(of_account.offset(keep).limit(1)).scalar()
    if oldest is not None:
        tx.execute(delete(statuses).where(statuses.c.account == account, statuses.c.number <= oldest))


def find_status(view: Reading, status_id: str, account: str) -> bytes | None:
    query = select(statuses.c.document).where(statuses.c.id == status_id, statuses.c.account == account)
    return view.execute(query).scalar()
