"""The collection that holds all an account may read: rows of its own, kept in step with its lanes.

It has stamps of its own, so nothing about a lane that the account may not read shows in it; not even by a gap.
It is brought up to date when something arrives and before it is read: lanes that the account may no longer read
leave it, and come in anew should it be allowed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from port2port.sharing.taxii import shelf, tables, taking_out
from port2port.sharing.taxii.rows import Placed, raw_of
from port2port.sharing.taxii.tables import Collection, Kind
from port2port.store import Reading, Store, Transaction

AT_ONCE = 5_000
"""Objects merged in one transaction."""
_AFTER = (
    "SELECT added_ms, id, type, version_us, pack, start, length FROM sharing_taxii_object"
    " WHERE collection = ? AND added_ms > ? ORDER BY added_ms LIMIT ?"
)


def is_current(view: Reading, account: str, lanes: Sequence[Collection]) -> bool:
    """Whether the merged collection holds just these lanes, each to its end."""
    merged = tables.find(view, Kind.MERGED, account)
    through = tables.merged_through(view, merged.number) if merged else {}
    return through.keys() <= {each.number for each in lanes} and all(
        each.last_ms <= through.get(each.number, 0) for each in lanes
    )


def bring_up_to_date(store: Store, account: str, lanes: Sequence[Collection], now: datetime) -> None:
    """As many transactions as it needs."""
    while True:
        with store.transaction() as tx:
            if merge_some(tx, account, lanes, now):
                return


def merge_some(tx: Transaction, account: str, lanes: Sequence[Collection], now: datetime) -> bool:
    """Merge at most `AT_ONCE` objects; answers whether that was all."""
    merged = tables.find_or_add(tx, Kind.MERGED, account)
    through = tables.merged_through(tx, merged.number)
    lost = sorted(through.keys() - {each.number for each in lanes})
    for source in lost:
        taking_out.remove_source(tx, merged.number, source, now)
    tables.unset_merged(tx, merged.number, lost)
    room = AT_ONCE
    for lane in lanes:
        after = through.get(lane.number, 0)
        if after < lane.last_ms and room > 0:
            room -= _merge_lane(tx, tables.get(tx, merged.number), lane, after, room, now)
    return room > 0


def _merge_lane(tx: Transaction, merged: Collection, lane: Collection, after: int, room: int, now: datetime) -> int:
    rows = tx.rows(_AFTER, (lane.number, after, room))
    items = [Placed(*row[1:]) for row in rows]
    shelf.place(tx, merged, items, lambda at: raw_of(tx, items[at]), now, lane.number, first_wins=True)
    tables.set_merged(tx, merged.number, lane.number, rows[-1][0] if len(rows) == room else lane.last_ms)
    return len(rows)
