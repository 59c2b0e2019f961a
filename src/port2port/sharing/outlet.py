"""What one peer may read of our lanes, asked anew at every page with the roster of now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.core.clock import to_ms
from port2port.core.handling import Released, may_release
from port2port.sharing import entry, tables
from port2port.sharing.entry import Cursor, Entry
from port2port.sharing.lane import NETWORK, Class, Lane, handling_of
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
    """Whether the peer may read this lane of ours at this moment."""
    if not network.is_member(peer):
        return False
    if lane.audience == NETWORK:
        return True
    handling = handling_of(lane)
    return isinstance(may_release(handling, peer, handling.purpose, now, network.roster), Released)


def readable(view: Reading, peer: str, network: Network, now: datetime, urgency: Class | None = None) -> list[LaneRow]:
    """Our lanes that the peer may read, membership first."""
    rows = [row for row in tables.own_lanes(view, urgency) if may_read(row.lane, peer, network, now)]
    return sorted(rows, key=lambda row: (row.lane.audience != NETWORK, row.lane.id))


def page_after(
    view: Reading,
    row: LaneRow,
    cursor: Cursor,
    key: Ed25519PrivateKey,
    now: datetime,
    limit: int = MAX_PAGE_ENTRIES,
) -> PageLine | Fork | TooOld | None:
    """The next page of a lane of ours, signed at its end; None when there is nothing after the cursor."""
    lane = row.lane.id
    if cursor.sequence > row.cursor.sequence:
        return Fork()
    known = tables.chain_at(view, lane, cursor.sequence)
    if known is None:
        return TooOld()
    if known != cursor.chain:
        return Fork()
    entries = _fill(view, lane, cursor, now, limit)
    if not entries:
        return None
    for each in entries:
        cursor = entry.follow(cursor, each.header)
    return page_line(entries, entry.sign(key, lane, cursor, to_ms(now)))


def _fill(view: Reading, lane: bytes, cursor: Cursor, now: datetime, limit: int) -> list[Entry]:
    """Entries up to the page's limits. What may no longer be kept goes out as its header alone."""
    entries: list[Entry] = []
    room = PAGE_BODY_BYTES
    for each, retain_until in tables.entries_after(view, lane, cursor.sequence, min(limit, MAX_PAGE_ENTRIES)):
        if retain_until is not None and retain_until <= now:
            each = Entry(each.header, None, None)
        room -= len(each.body or b"")
        if room < 0 and entries:
            break
        entries.append(each)
    return entries
