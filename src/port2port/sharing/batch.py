"""Lanes of ours while entries are added to them: numbers, chains, and one signature a lane at the end."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from port2port.capability import Site
from port2port.core.clock import to_ms
from port2port.core.handling import Scope
from port2port.sharing import entry, tables
from port2port.sharing.entry import Cursor, Entry, Header, Op
from port2port.sharing.facts import LaneClosed
from port2port.sharing.lane import NETWORK, Lane, handling_of, member_of
from port2port.sharing.roster import Network
from port2port.sharing.tables import EntryRow, LaneRow
from port2port.store import Transaction


def random_salt() -> bytes:
    """Sixteen bytes that nobody can guess."""
    return secrets.token_bytes(entry.SALT_BYTES)


@dataclass
class _Open:
    """A lane while a batch is added to it."""

    lane: Lane
    cursor: Cursor
    rows: list[EntryRow] = field(default_factory=list)
    bodies: list[tuple[str, int, bytes]] = field(default_factory=list)


class Batch:
    """What one page of the journal adds. Nothing is stored before `flush`."""

    def __init__(self, site: Site, tx: Transaction, network: Network, salt: Callable[[], bytes] = random_salt) -> None:
        self._site, self._tx, self._network, self._salt = site, tx, network, salt
        self._open: dict[tuple[str, str], _Open] = {}
        self._ts_ms = to_ms(site.clock())

    def put(
        self,
        first: Lane,
        body: bytes,
        *,
        op: Op = Op.PUT,
        retain_until: datetime | None = None,
        object_id: str | None = None,
        version: int | None = None,
        content: bytes = b"",
    ) -> tuple[Lane, int]:
        """Add one entry to the open epoch of a lane; answers that lane and the entry's number."""
        at = self._lane(first)
        salt = self._salt()
        header = Header(at.lane.id, at.cursor.sequence + 1, op, self._ts_ms, entry.commitment(salt, body))
        at.cursor = entry.follow(at.cursor, header)
        at.rows.append(tables.entry_row(header, at.cursor.chain, tables.OWN, retain_until, object_id, version))
        at.bodies.append(tables.entry_body(Entry(header, salt, body), content))
        return at.lane, header.sequence

    def flush(self) -> None:
        """Store the entries, and vouch once for each lane."""
        for each in self._open.values():
            if each.rows:
                self._tx.put_bodies(each.bodies)
                tables.add_entries(self._tx, each.rows)
                tables.move_lane(self._tx, entry.sign(self._site.identity, each.lane.id, each.cursor, self._ts_ms))
        self._open.clear()

    def close(self, row: LaneRow, why: str) -> None:
        """End a lane: whatever is added to its audience from now on goes into the next epoch."""
        self.put(row.lane, msgspec.json.encode({"why": why}), op=Op.CLOSE)
        self.flush()
        tables.set_lane(self._tx, row.lane.id, closed=1)
        self._tx.append(LaneClosed(at=self._site.clock(), lane=row.lane.id.hex(), why=why))

    def close_left_groups(self) -> None:
        """Somebody left a group: its lanes go on in a new epoch, which the leaver never learns of."""
        for row in tables.own_lanes(self._tx):
            present = members_text(row.lane, self._network)
            if row.closed or present == row.members:
                continue
            if _left(row.members, present) and row.cursor.sequence:
                self.close(row, "left-group")
            else:
                tables.set_lane(self._tx, row.lane.id, members=present)

    def _lane(self, first: Lane) -> _Open:
        key = (first.audience, first.urgency.value)
        known = self._open.get(key)
        if known is None:
            lane, row = tables.open_lane(self._tx, first)
            if row is None:
                row = tables.add_lane(self._tx, lane, own=True, members=members_text(lane, self._network))
            known = self._open[key] = _Open(lane, row.cursor)
        return known


def members_text(lane: Lane, network: Network) -> str:
    """Who is in the group that a lane is for, spelled in one way; empty for every other audience."""
    if lane.audience == NETWORK or member_of(lane.audience):
        return ""
    audience = handling_of(lane).audience
    if audience.scope is not Scope.GROUP:
        return ""
    group = network.roster.groups.get(audience.group)
    return msgspec.json.encode(sorted(group.members if group else ())).decode()


def _left(before: str, present: str) -> bool:
    was = set(msgspec.json.decode(before, type=list[str])) if before else set()
    return bool(was - set(msgspec.json.decode(present, type=list[str]) if present else ()))
