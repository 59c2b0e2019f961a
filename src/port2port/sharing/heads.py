"""Heads of others' connections as a third member saw them: two signed histories of one connection are proof of a fork.

A head at or below our cursor is compared at once; one beyond it is kept until we have read that far.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Table, func, select

from port2port.capability import Site
from port2port.sharing import tables, verify
from port2port.sharing.entry import Checkpoint
from port2port.sharing.facts import LaneForked
from port2port.sharing.limits import MAX_HEADS
from port2port.sharing.roster import Network
from port2port.sharing.tables import LaneRow, metadata
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Text

heads = Table(
    "sharing_head",
    metadata,
    Column("lane", Blob, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("chain", Blob),
    Column("ts_ms", Integer),
    Column("signature", Blob),
    Column("told_by", Text),
)


def compare(tx: Transaction, site: Site, head: Checkpoint, told_by: str, network: Network) -> bool:
    """Hold a head that a member saw against what we have; answers whether it proves two histories."""
    row = tables.find_lane(tx, head.lane)
    if row is None or row.own or not verify.signed_by_any(head, network.keys(row.lane.origin)):
        return False
    if head.sequence > row.cursor.sequence:
        _keep(tx, head, told_by)
        return False
    ours = tables.chain_at(tx, head.lane, head.sequence)
    if ours is None or ours == head.chain:
        return False
    report(tx, site, row, head, network, told_by)
    tables.stop_lane(tx, head.lane, verify.Broken.FORK)
    return True


def contradicted(tx: Transaction, row: LaneRow, followed: verify.Followed, keys: Sequence[bytes]) -> bool:
    """Whether a new page differs from a head that another member told us before we came so far."""
    first, last = followed.entries[0][0].header.sequence, followed.checkpoint.sequence
    query = "SELECT sequence, chain FROM sharing_head WHERE lane = ? AND sequence BETWEEN ? AND ?"
    told = tx.rows(query, (row.lane.id, first, last))
    if not told:
        return False
    ours = {each.header.sequence: chain for each, chain in followed.entries}
    if any(ours.get(sequence) not in (None, bytes(chain)) for sequence, chain in told):
        return True
    tx.many("DELETE FROM sharing_head WHERE lane = ? AND sequence <= ?", [(row.lane.id, last)])
    return False


def report(tx: Transaction, site: Site, row: LaneRow, head: Checkpoint, network: Network, told_by: str) -> None:
    """Say that somebody signed two histories."""
    site.counters.add("sharing.forks")
    tx.append(
        LaneForked(
            at=site.clock(),
            origin=row.lane.origin,
            origin_name=network.name(row.lane.origin),
            lane=row.lane.id.hex(),
            sequence=head.sequence,
            told_by=told_by,
        )
    )


def _keep(tx: Transaction, head: Checkpoint, told_by: str) -> None:
    if _count(tx, head.lane) < MAX_HEADS:
        tx.many(
            "INSERT INTO sharing_head (lane, sequence, chain, ts_ms, signature, told_by) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (lane, sequence) DO NOTHING",
            [(head.lane, head.sequence, head.chain, head.ts_ms, head.signature, told_by)],
        )


def _count(view: Reading, lane: bytes) -> int:
    return view.execute(select(func.count()).select_from(heads).where(heads.c.lane == lane)).scalar() or 0
