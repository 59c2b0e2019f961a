"""What one peer may read here, asked anew at every page with the roster of now: our lanes, and what we hand on.

Another origin's lane is handed on as it came: with its origin's signature, up to where we hold everything. So whoever
hands on can change no byte, drop nothing in the middle and invent no head.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.core.clock import to_ms
from port2port.core.handling import Released, may_release
from port2port.sharing import entry, tables
from port2port.sharing.entry import Checkpoint, Cursor, Entry, Op
from port2port.sharing.lane import NETWORK, Class, Lane, handling_of, member_of
from port2port.sharing.limits import MAX_PAGE_ENTRIES, PAGE_BODY_BYTES
from port2port.sharing.roster import Network
from port2port.sharing.tables import LaneRow
from port2port.sharing.wire import PageLine, page_line
from port2port.store import Reading


@dataclass(frozen=True, slots=True)
class Fork:
    """The reader's cursor is not in our log: he, or we, went back in time."""


@dataclass(frozen=True, slots=True)
class TooOld:
    """The reader's cursor is older than what we keep."""


def may_read(lane: Lane, peer: str, network: Network, now: datetime) -> bool:
    """Whether the peer may read this lane at this moment. An origin may always read back its own."""
    if not network.is_member(peer):
        return False
    if lane.audience == NETWORK or peer == lane.origin:
        return True
    if member := member_of(lane.audience):
        return member == peer
    handling = handling_of(lane)
    return isinstance(may_release(handling, peer, handling.purpose, now, network.roster), Released)


def readable(
    view: Reading, peer: str, network: Network, now: datetime, urgency: Class | None = None, origin: str = ""
) -> list[LaneRow]:
    """The lanes that the peer may read, membership first: ours, or those of `origin` that we hand on."""
    rows = tables.lanes_of(view, origin, urgency) if origin else tables.own_lanes(view, urgency)
    found = [row for row in rows if may_read(row.lane, peer, network, now)]
    return sorted(found, key=lambda row: (row.lane.audience != NETWORK, row.lane.id))


def page_after(
    view: Reading,
    row: LaneRow,
    cursor: Cursor,
    key: Ed25519PrivateKey,
    now: datetime,
    limit: int = MAX_PAGE_ENTRIES,
    *,
    to_origin: bool = False,
) -> PageLine | Fork | TooOld | None:
    """The next page of a lane, signed at its end; None when there is nothing (more) to give after the cursor.

    `to_origin`: the reader takes its own word back. Then a header alone is better than nothing: a number that was
    given out must be known to who gave it.
    """
    lane = row.lane.id
    if cursor.sequence > row.cursor.sequence:
        return Fork() if row.own else None
    known = tables.chain_at(view, lane, cursor.sequence) if cursor.sequence >= row.base else None
    if known is None:
        return TooOld() if cursor.sequence < row.base or row.own else None
    if known != cursor.chain:
        return Fork()
    if row.own:
        return _own_page(view, row, cursor, key, now, limit)
    return _page_of_other(view, row, cursor, now, to_origin)


def _own_page(
    view: Reading, row: LaneRow, cursor: Cursor, key: Ed25519PrivateKey, now: datetime, limit: int
) -> PageLine | None:
    entries = _fill(view, row.lane.id, cursor, now, min(limit, MAX_PAGE_ENTRIES))
    if not entries:
        return None
    for each in entries:
        cursor = entry.follow(cursor, each.header)
    return page_line(entries, entry.sign(key, row.lane.id, cursor, to_ms(now)))


def _page_of_other(view: Reading, row: LaneRow, cursor: Cursor, now: datetime, to_origin: bool) -> PageLine | None:
    """Up to the origin's next signature that we hold."""
    head = tables.checkpoint_after(view, row.lane.id, cursor.sequence)
    if head is None:
        return None
    count = head.sequence - cursor.sequence
    stored = tables.entries_after(view, row.lane.id, cursor.sequence, count, row.lane.origin)
    if len(stored) < count:
        return None
    if not to_origin and any(_is_missing(view, row.lane.id, each.entry) for each in stored):
        return None
    entries = [_expired(each.entry, each.retain_until, now) for each in stored]
    return page_line(entries, Checkpoint(row.lane.id, head.sequence, head.chain, head.ts_ms, head.signature))


def _is_missing(view: Reading, lane: bytes, each: Entry) -> bool:
    """Whether content is gone here though its origin did not say so: then another must hand it on."""
    if each.body is not None or each.header.op != Op.PUT:
        return False
    verdict = view.rows(
        "SELECT verdict FROM sharing_entry WHERE lane = ? AND sequence = ?", (lane, each.header.sequence)
    )
    return verdict[0][0] not in _GONE_FOR_ALL


_GONE_FOR_ALL = frozenset({"withdrawn", "erased", "superseded", "expired", tables.GONE})


def _fill(view: Reading, lane: bytes, cursor: Cursor, now: datetime, limit: int) -> list[Entry]:
    """Entries up to the page's limits. What may no longer be kept goes out as its header alone."""
    entries: list[Entry] = []
    room = PAGE_BODY_BYTES
    for stored in tables.entries_after(view, lane, cursor.sequence, limit):
        each = _expired(stored.entry, stored.retain_until, now)
        room -= len(each.body or b"")
        if room < 0 and entries:
            break
        entries.append(each)
    return entries


def _expired(each: Entry, retain_until: datetime | None, now: datetime) -> Entry:
    return Entry(each.header, None, None) if retain_until is not None and retain_until <= now else each
