"""Carries out what a recall says at a receiver, and what a retention date says anywhere: content goes, numbers stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from port2port.core.exchange import ObjectErased, ObjectWithdrawn
from port2port.sharing import recall_tables, tables
from port2port.sharing.entry import Op
from port2port.sharing.recall import Recall, target_of
from port2port.sharing.recall_tables import Dropped, RecallRow
from port2port.sharing.tables import local_id
from port2port.store import Reading, Transaction

VERDICTS = {Op.WITHDRAW: "withdrawn", Op.ERASE: "erased", Op.SUPERSEDE: "superseded"}
EXPIRED = "expired"
PER_STEP = 1_000
"""Entries whose retention ends, dropped in one transaction."""


def carry_out(tx: Transaction, recall: Recall, op: Op, origin: str, now: datetime) -> int:
    """Do what the origin says about entries of its own; answers how many were here. A repeated recall does nothing.

    Entries that have not come yet are remembered, and not taken in when they come.
    """
    wanted = target_of(recall)
    if recall_tables.find_recall(tx, bytes.fromhex(recall.id)) is not None:
        return 0
    row = tables.find_lane(tx, wanted.lane)
    if row is not None and (row.own or row.lane.origin != origin):
        return 0
    upto = row.cursor.sequence if row is not None else 0
    held = recall_tables.held_in(tx, wanted.lane, wanted.entries, upto) if row is not None else []
    dropped = _drop(tx, wanted.lane, origin, held, op, recall.reason, now)
    if wanted.entries is None:
        if row is not None:
            tables.set_lane(tx, wanted.lane, recalled=VERDICTS[op])
    elif ahead := [each for each in wanted.entries if each > upto]:
        recall_tables.add_ahead(tx, wanted.lane, ahead, op)
    recall_tables.add_recall(
        tx,
        RecallRow(
            id=bytes.fromhex(recall.id),
            own=False,
            origin=origin,
            lane=wanted.lane,
            op=op,
            entries=None,
            count=len(dropped),
            reason=recall.reason,
            at=now,
        ),
    )
    return len(dropped)


def expire(tx: Transaction, lane: bytes, origin: str, own: bool, held: Sequence[tuple[int, str, int]]) -> int:
    """Drop what may no longer be kept. Who holds copies looks at the same date in the label himself."""
    dropped = recall_tables.drop_entries(tx, lane, origin, held, EXPIRED)
    recall_tables.forget_dropped(tx, dropped, origin)
    _forget_objects(tx, dropped, "" if own else origin)
    return len(dropped)


def overdue(view: Reading, now_us: int) -> list[tuple[bytes, str, bool, list[tuple[int, str, int]]]]:
    """Lane, origin, whether ours, and the entries whose retention date has passed: at most `PER_STEP`."""
    rows = view.rows(
        "SELECT e.lane, l.origin, l.own, e.sequence, coalesce(e.object_id, ''), coalesce(e.version, 0)"
        " FROM sharing_entry e JOIN sharing_lane l ON l.id = e.lane"
        f" WHERE e.retain_until IS NOT NULL AND e.retain_until <= ? AND {recall_tables.HELD}"
        f" ORDER BY e.lane, e.sequence LIMIT {PER_STEP}",
        (now_us,),
    )
    found: dict[bytes, tuple[str, bool, list[tuple[int, str, int]]]] = {}
    for lane, origin, own, sequence, object_id, version in rows:
        found.setdefault(bytes(lane), (origin, bool(own), []))[2].append((sequence, object_id, version))
    return [(lane, *rest) for lane, rest in found.items()]


def _drop(
    tx: Transaction,
    lane: bytes,
    origin: str,
    held: Sequence[tuple[int, str, int]],
    op: Op,
    reason: str,
    now: datetime,
) -> list[Dropped]:
    dropped = recall_tables.drop_entries(tx, lane, origin, held, VERDICTS[op])
    recall_tables.forget_dropped(tx, dropped, origin)
    _forget_objects(tx, dropped, origin)
    for each in dropped:
        if each.newest:
            tx.append(vanished(op, each, local_id(origin, each.object_id), origin, reason, now))
    return dropped


def vanished(
    op: Op, each: Dropped, object_id: str, origin: str, reason: str, now: datetime
) -> ObjectWithdrawn | ObjectErased:
    """What capabilities hear: whoever kept a copy drops it."""
    kind = ObjectErased if op is Op.ERASE else ObjectWithdrawn
    return kind(at=now, object_kind=each.kind, object_id=object_id, version=each.version, origin=origin, reason=reason)


def _forget_objects(tx: Transaction, dropped: Sequence[Dropped], origin: str) -> None:
    keys = [(local_id(origin, each.object_id) if origin else each.object_id, each.version) for each in dropped]
    tx.forget_bodies(keys)
