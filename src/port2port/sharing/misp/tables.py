"""What may be shared with MISP, what was written for it, and what came from it: declarations and queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Column, MetaData, Table, delete, insert, select

from port2port.core.handling import Handling
from port2port.store import Reading, Transaction
from port2port.store.types import Integer, Moment, Text

metadata = MetaData()

shared = Table(
    "sharing_misp_shared",
    metadata,
    Column("body_id", Text, primary_key=True),
    Column("object_id", Text),
    Column("origin", Text),
    Column("origin_name", Text),
    Column("version", Integer),
    Column("handling", Text),
    Column("at", Moment),
)
written = Table(
    "sharing_misp_written",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("body_id", Text),
    Column("version", Integer),
    Column("state", Text),
    Column("at", Moment),
)
events = Table(
    "sharing_misp_event",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("timestamp", Integer),
    Column("info", Text),
    Column("organisation", Text),
    Column("tlp", Text),
    Column("state", Text),
    Column("body_id", Text),
    Column("version", Integer),
    Column("at", Moment),
)

FOLDER = ""
"""In the place of an event: the directory itself."""
_SHARED = [column.name for column in shared.c]
_EVENT = [column.name for column in events.c]


@dataclass(frozen=True, slots=True)
class Shared:
    """The newest version of an object that we shared, or that another shared with us."""

    body_id: str
    """Under which id its bytes stand in the store."""
    object_id: str
    origin: str
    origin_name: str
    version: int
    handling: Handling
    at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a feed directory of ours for one object."""

    event: str
    body_id: str
    version: int
    state: str
    """`there` or `withdrawn`."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event of somebody's feed, in quarantine; or that there is one, and why we do not have it."""

    feed: str
    event: str
    timestamp: int
    info: str
    organisation: str
    tlp: str
    state: str
    """`quarantined`, or the reason why it was refused."""
    body_id: str
    version: int
    at: datetime


def share(tx: Transaction, row: Shared) -> None:
    """Remember an object's newest version."""
    forget(tx, row.body_id)
    values = {key: getattr(row, key) for key in _SHARED}
    tx.execute(insert(shared), values | {"handling": msgspec.json.encode(row.handling).decode()})


def forget(tx: Transaction, body_id: str) -> None:
    """An object was taken back, or must be nowhere any more."""
    tx.execute(delete(shared).where(shared.c.body_id == body_id))


def all_shared(view: Reading) -> Iterable[Shared]:
    """Every object, without its bytes."""
    decoder = msgspec.json.Decoder(Handling)
    for row in view.execute(select(shared).order_by(shared.c.at, shared.c.body_id)):
        handling = decoder.decode(row.handling)
        yield Shared(row.body_id, row.object_id, row.origin, row.origin_name, row.version, handling, row.at)


def written_in(view: Reading, feed: str) -> dict[str, Written]:
    """Event uuid -> what we wrote into this directory."""
    rows = view.execute(select(written).where(written.c.feed == feed))
    return {row.event: Written(row.event, row.body_id, row.version, row.state, row.at) for row in rows}


def folder(at: datetime) -> Written:
    """The row that makes a directory ours, before anything stands in it."""
    return Written(FOLDER, "", 0, "folder", at)


def is_folder(known: Mapping[str, Written]) -> bool:
    """Whether these are the rows of a directory of ours."""
    return FOLDER in known


def save_written(tx: Transaction, feed: str, rows: Sequence[Written], gone: Sequence[str] = ()) -> None:
    for event in [*gone, *(row.event for row in rows)]:
        tx.execute(delete(written).where(written.c.feed == feed, written.c.event == event))
    if rows:
        keys = ("event", "body_id", "version", "state", "at")
        tx.execute(insert(written), [{"feed": feed} | {key: getattr(row, key) for key in keys} for row in rows])


def is_ours(view: Reading, event: str) -> bool:
    """Whether an event was written by this node, whatever feed it comes back with."""
    return view.execute(select(written.c.event).where(written.c.event == event).limit(1)).first() is not None


def arrived(view: Reading, feed: str | None = None) -> list[Arrived]:
    """Events of one feed, or of all, the newest first."""
    query = select(events).order_by(events.c.timestamp.desc(), events.c.event)
    rows = view.execute(query if feed is None else query.where(events.c.feed == feed))
    return [Arrived(**row._mapping) for row in rows]


def find_arrived(view: Reading, feed: str, event: str) -> Arrived | None:
    row = view.execute(select(events).where(events.c.feed == feed, events.c.event == event)).first()
    return Arrived(**row._mapping) if row else None


def save_arrived(tx: Transaction, row: Arrived) -> None:
    drop_arrived(tx, row.feed, row.event)
    tx.execute(insert(events), {key: getattr(row, key) for key in _EVENT})


def drop_arrived(tx: Transaction, feed: str, event: str) -> None:
    tx.execute(delete(events).where(events.c.feed == feed, events.c.event == event))
