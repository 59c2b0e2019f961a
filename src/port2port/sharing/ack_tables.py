"""What was refused here, and how far partners have confirmed what is ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Column, Table, insert, select, update

from port2port.sharing.lane import Lane
from port2port.sharing.tables import metadata
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text

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


@dataclass(frozen=True, slots=True)
class AckRow:
    """How far a peer has confirmed a lane of ours."""

    peer: str
    lane: bytes
    sequence: int
    at: datetime
    refused: dict[str, int]


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
