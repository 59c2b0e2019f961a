"""Collections, packs and objects in the store: declarations, and the questions asked rarely."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Row, Table, delete, insert, select, update

from port2port.sharing.tables import metadata
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text

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

OWN_BODIES = "taxii."
"""Bodies whose id begins so are ours to forget; the others belong to the capability that made the object."""


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
    where = (collections.c.kind == kind.value) & (collections.c.owner == owner)
    row = view.execute(select(collections).where(where)).first()
    return _collection(row) if row else None


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


def add_pack(tx: Transaction, collection: int, body_id: str, body_version: int, retain_until: datetime | None) -> int:
    """Take note of a body with objects in it; answers its number."""
    values = {
        "collection": collection,
        "body_id": body_id,
        "body_version": body_version,
        "retain_until": retain_until,
    }
    return int(tx.execute(insert(packs).returning(packs.c.number), values).scalar_one())


def due_packs(view: Reading, now: datetime, limit: int = 500) -> list[int]:
    """Packs whose retention is over."""
    query = select(packs.c.number).where(packs.c.retain_until <= now).order_by(packs.c.retain_until).limit(limit)
    return list(view.execute(query).scalars())


def find_packs(view: Reading, numbers: Sequence[int]) -> list[Pack]:
    rows = view.execute(select(packs).where(packs.c.number.in_(numbers)))
    return [Pack(row.number, row.body_id, row.body_version) for row in rows]


def remove_packs(tx: Transaction, numbers: Sequence[int]) -> None:
    tx.execute(delete(packs).where(packs.c.number.in_(numbers)))


def packs_of(view: Reading, body_id: str) -> list[Pack]:
    """Packs of all versions of one body."""
    rows = view.execute(select(packs).where(packs.c.body_id == body_id))
    return [Pack(row.number, row.body_id, row.body_version) for row in rows]


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
