"""Recalls, ours and those of others, and their receipts in the store; and the one way in which content is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, Row, Table, insert, select, update

from port2port.sharing.entry import Op
from port2port.sharing.recall import Receipt
from port2port.sharing.tables import entry_key, forget_objects, metadata
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text

recalls = Table(
    "sharing_recall",
    metadata,
    Column("id", Blob, primary_key=True),
    Column("own", Integer),
    Column("origin", Text),
    Column("lane", Blob),
    Column("op", Integer),
    Column("entries", Text),
    Column("count", Integer),
    Column("object_kind", Text),
    Column("object_id", Text),
    Column("reason", Text),
    Column("account", Text),
    Column("at", Moment),
    Column("holders", Text),
    Column("state", Text),
)
receipts = Table(
    "sharing_receipt",
    metadata,
    Column("recall", Blob, primary_key=True),
    Column("peer", Text, primary_key=True),
    Column("text", Text),
    Column("signature", Blob),
    Column("at", Moment),
)

PENDING, DONE = "pending", "done"
"""States of another's recall: content dropped but not yet confirmed; receipt delivered. Ours are `PENDING`."""
CHUNK = 500
HELD = "(object_id IS NOT NULL OR verdict LIKE 'waits:%')"
"""Entries whose content is here: taken in, or waiting to be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRow:
    """One recall. Of ours: `holders` are the members who must confirm."""

    id: bytes
    own: bool
    origin: str
    lane: bytes
    op: Op
    entries: tuple[int, ...] | None
    count: int
    """Entries whose content was here."""
    object_kind: str = ""
    object_id: str = ""
    """Of a withdrawal of one object of ours, so that people recognise it; never kept for an erasure."""
    reason: str = ""
    account: str = ""
    at: datetime
    holders: tuple[str, ...] = ()
    state: str = PENDING
    """Of another's: `PENDING` or `DONE`. Of ours: who got it in his own connection, see `direct`."""

    @property
    def direct(self) -> tuple[str, ...]:
        """Of ours: the members to whom it was sent directly."""
        return msgspec.json.decode(self.state, type=tuple[str, ...]) if self.state.startswith("[") else ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Content that is gone: of which object of its origin, in which version."""

    sequence: int
    object_id: str
    version: int
    kind: str
    newest: bool
    """No newer version is known here: the object itself is gone."""


def add_recall(tx: Transaction, row: RecallRow) -> None:
    values = {
        "id": row.id,
        "own": int(row.own),
        "origin": row.origin,
        "lane": row.lane,
        "op": int(row.op),
        "entries": msgspec.json.encode(row.entries).decode(),
        "count": row.count,
        "object_kind": row.object_kind,
        "object_id": row.object_id,
        "reason": row.reason,
        "account": row.account,
        "at": row.at,
        "holders": msgspec.json.encode(row.holders).decode(),
        "state": row.state,
    }
    tx.execute(insert(recalls), values)


def direct_text(members: Iterable[str]) -> str:
    """`RecallRow.state` of a recall of ours."""
    return msgspec.json.encode(sorted(members)).decode()


def note_direct(tx: Transaction, row: RecallRow, members: Iterable[str]) -> None:
    """It now was sent directly to these, too."""
    state = direct_text({*row.direct, *members})
    tx.execute(update(recalls).where(recalls.c.id == row.id).values(state=state))


def note_holders(tx: Transaction, row: RecallRow, members: Iterable[str]) -> None:
    """These must confirm it, too."""
    holders = msgspec.json.encode(sorted({*row.holders, *members})).decode()
    tx.execute(update(recalls).where(recalls.c.id == row.id).values(holders=holders))


def find_recall(view: Reading, recall: bytes) -> RecallRow | None:
    found = view.execute(select(recalls).where(recalls.c.id == recall)).first()
    return _row(found) if found else None


def own_recalls(view: Reading, limit: int = 200) -> list[RecallRow]:
    """Ours, newest first."""
    query = select(recalls).where(recalls.c.own == 1).order_by(recalls.c.at.desc(), recalls.c.id).limit(limit)
    return [_row(row) for row in view.execute(query)]


def pending_recalls(view: Reading, limit: int = 30) -> list[RecallRow]:
    """Those of others that we have not confirmed yet, oldest first."""
    query = select(recalls).where(recalls.c.own == 0, recalls.c.state == PENDING).order_by(recalls.c.at).limit(limit)
    return [_row(row) for row in view.execute(query)]


def settle_recalls(tx: Transaction, ids: Iterable[bytes]) -> None:
    for each in ids:
        tx.execute(update(recalls).where(recalls.c.id == each).values(state=DONE))


def _row(row: Row[Any]) -> RecallRow:
    of = row._mapping
    return RecallRow(
        id=of["id"],
        own=bool(of["own"]),
        origin=of["origin"],
        lane=of["lane"],
        op=Op(of["op"]),
        entries=msgspec.json.decode(of["entries"], type=tuple[int, ...] | None),
        count=of["count"],
        object_kind=of["object_kind"],
        object_id=of["object_id"],
        reason=of["reason"],
        account=of["account"],
        at=of["at"],
        holders=msgspec.json.decode(of["holders"], type=tuple[str, ...]),
        state=of["state"],
    )


# what was recalled before it came


def add_ahead(tx: Transaction, lane: bytes, sequences: Iterable[int], op: Op) -> None:
    """These are not to be taken in when they come."""
    tx.many(
        "INSERT INTO sharing_recall_ahead (lane, sequence, op) VALUES (?, ?, ?)"
        " ON CONFLICT (lane, sequence) DO UPDATE SET op = excluded.op",
        [(lane, sequence, int(op)) for sequence in sequences],
    )


def ahead_in(view: Reading, lane: bytes, first: int, last: int) -> dict[int, Op]:
    """Number -> what was said about it before it came, in a span, both ends included."""
    query = "SELECT sequence, op FROM sharing_recall_ahead WHERE lane = ? AND sequence BETWEEN ? AND ?"
    return {sequence: Op(op) for sequence, op in view.rows(query, (lane, first, last))}


def forget_ahead(tx: Transaction, lane: bytes, last: int) -> None:
    tx.many("DELETE FROM sharing_recall_ahead WHERE lane = ? AND sequence <= ?", [(lane, last)])


# receipts


def save_receipt(tx: Transaction, recall: bytes, peer: str, receipt: Receipt, at: datetime) -> bool:
    """Keep a receipt; False when there was one."""
    where = (receipts.c.recall == recall) & (receipts.c.peer == peer)
    if tx.execute(select(receipts.c.at).where(where)).first():
        return False
    signature = receipt.signature.encode()
    values = {"recall": recall, "peer": peer, "text": receipt.text, "signature": signature, "at": at}
    tx.execute(insert(receipts), values)
    return True


def receipts_of(view: Reading, ids: Sequence[bytes]) -> dict[bytes, dict[str, datetime]]:
    """Recall -> member -> when its receipt came."""
    found: dict[bytes, dict[str, datetime]] = {each: {} for each in ids}
    for at in range(0, len(ids), CHUNK):
        query = select(receipts.c.recall, receipts.c.peer, receipts.c.at).where(
            receipts.c.recall.in_(ids[at : at + CHUNK])
        )
        for row in view.execute(query):
            found[row.recall][row.peer] = row.at
    return found


# dropping content


def held_in(view: Reading, lane: bytes, sequences: Sequence[int] | None, upto: int) -> list[tuple[int, str, int]]:
    """Number, object id and version of the entries among these, up to a number, whose content is here.

    The id is empty for one that waits to be judged.
    """
    base = (
        f"SELECT sequence, coalesce(object_id, ''), coalesce(version, 0) FROM sharing_entry WHERE lane = ? AND {HELD}"
    )
    if sequences is None:
        return view.rows(f"{base} AND sequence <= ?", (lane, upto))
    found: list[tuple[int, str, int]] = []
    for at in range(0, len(sequences), CHUNK):
        some = [each for each in sequences[at : at + CHUNK] if each <= upto]
        if some:
            marks = ",".join("?" * len(some))
            found += view.rows(f"{base} AND sequence IN ({marks})", (lane, *some))
    return found


def own_entries_of(view: Reading, object_ids: Sequence[str], me: str) -> list[tuple[bytes, int, str, int]]:
    """Lane, number, object id and version of all entries of ours that hold one of these objects."""
    found: list[tuple[bytes, int, str, int]] = []
    for at in range(0, len(object_ids), CHUNK):
        some = object_ids[at : at + CHUNK]
        marks = ",".join("?" * len(some))
        found += view.rows(
            "SELECT e.lane, e.sequence, e.object_id, e.version"
            " FROM sharing_entry e JOIN sharing_lane l ON l.id = e.lane"
            f" WHERE e.object_id IN ({marks}) AND e.verdict = 'own' AND l.origin = ? ORDER BY e.lane, e.sequence",
            (*some, me),
        )
    return found


def kinds_of(view: Reading, object_ids: Iterable[str], origin: str) -> dict[str, tuple[str, int]]:
    """Object id -> its kind and newest version, for those of an origin that are known."""
    wanted, found = sorted(set(object_ids)), {}
    for at in range(0, len(wanted), CHUNK):
        some = wanted[at : at + CHUNK]
        marks = ",".join("?" * len(some))
        query = f"SELECT object_id, kind, version FROM sharing_object WHERE origin = ? AND object_id IN ({marks})"
        found.update({row[0]: (row[1], row[2]) for row in view.rows(query, (origin, *some))})
    return found


def drop_entries(
    tx: Transaction, lane: bytes, origin: str, held: Sequence[tuple[int, str, int]], verdict: str
) -> list[Dropped]:
    """Destroy the content of entries and what was kept of their objects' versions; their headers stay.

    The object's own body is not touched here: at the origin it stays with a withdrawal.
    """
    kinds = kinds_of(tx, (object_id for _, object_id, _ in held), origin)
    tx.forget_bodies([entry_key(lane, sequence) for sequence, _, _ in held])
    tx.many(
        "UPDATE sharing_entry SET verdict = ?, object_id = NULL, version = NULL, retain_until = NULL,"
        " salt = NULL, body = NULL WHERE lane = ? AND sequence = ?",
        [(verdict, lane, sequence) for sequence, _, _ in held],
    )
    return [
        Dropped(sequence, object_id, version, kind, version >= newest)
        for sequence, object_id, version in held
        if object_id
        for kind, newest in [kinds.get(object_id, ("", version))]
    ]


def forget_dropped(tx: Transaction, dropped: Sequence[Dropped], origin: str) -> None:
    """The index no longer knows these objects, but for those with a newer version."""
    forget_objects(tx, [(each.object_id, origin, each.version) for each in dropped])
