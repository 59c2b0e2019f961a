"""What we took back, who has confirmed it, and who has not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select

from port2port.sharing import recall_tables
from port2port.sharing.recall_tables import RecallRow
from port2port.sharing.roster import Network
from port2port.sharing.status import Statuses
from port2port.sharing.taking_back import OP_NAMES
from port2port.store import Reading

MAX_RECALLS = 1_000
"""The newest of ours that pages look at."""


@dataclass(frozen=True, slots=True)
class Due:
    """Receipts of one member that are outstanding."""

    count: int
    since: datetime
    """When the first of them was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outstanding:
    """One member who has not confirmed, and why not as far as we know."""

    node_id: str
    name: str
    state: str
    """`connected`, `away`, `unknown`, or `left`: no longer a member, and not heard any more."""
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """One order to drop something, and what came of it."""

    id: str
    op: str
    """`withdraw`, `erase`, `supersede`."""
    reason: str
    account: str
    at: datetime
    count: int
    """Entries that it means."""
    object_kind: str
    object_id: str
    """Empty for an erasure: its name is not kept either."""
    confirmed: tuple[tuple[str, datetime], ...]
    """Names, and when their receipt came."""
    outstanding: tuple[Outstanding, ...]

    @property
    def asked(self) -> int:
        return len(self.confirmed) + len(self.outstanding)


def by_member(view: Reading) -> dict[str, Due]:
    """Member -> its outstanding receipts."""
    at = recall_tables.recalls.c
    query = select(at.id, at.at, at.holders).where(at.own == 1).order_by(at.at.desc(), at.id).limit(MAX_RECALLS)
    rows = view.execute(query).all()
    given = recall_tables.receipts_of(view, [row.id for row in rows])
    found: dict[str, Due] = {}
    for row in rows:
        for node in set(msgspec.json.decode(row.holders, type=list[str])) - given[row.id].keys():
            known = found.get(node)
            found[node] = Due(known.count + 1 if known else 1, row.at)
    return found


def taken_back(
    view: Reading, network: Network, statuses: Statuses, object_id: str = "", limit: int = 200
) -> list[TakenBack]:
    """Ours, those with outstanding receipts first, then newest first; with `object_id` those of one object."""
    rows = recall_tables.own_recalls(view, limit)
    if object_id:
        rows = [each for each in rows if each.object_id == object_id]
    given = recall_tables.receipts_of(view, [each.id for each in rows])
    found = [_taken_back(each, given[each.id], network, statuses) for each in rows]
    return sorted(found, key=lambda each: not each.outstanding)


def _taken_back(row: RecallRow, given: dict[str, datetime], network: Network, statuses: Statuses) -> TakenBack:
    confirmed = sorted((_name(network, node), at) for node, at in given.items())
    waits = [_outstanding(node, network, statuses) for node in row.holders if node not in given]
    return TakenBack(
        id=row.id.hex(),
        op=OP_NAMES[row.op],
        reason=row.reason,
        account=row.account,
        at=row.at,
        count=row.count,
        object_kind=row.object_kind,
        object_id=row.object_id,
        confirmed=tuple(confirmed),
        outstanding=tuple(sorted(waits, key=lambda each: each.name)),
    )


def _outstanding(node: str, network: Network, statuses: Statuses) -> Outstanding:
    status = statuses.of(node)
    state = "connected" if status.connected else "away" if status.since else "unknown"
    if not network.is_member(node):
        state = "left"
    return Outstanding(node_id=node, name=_name(network, node), state=state, since=status.since)


def _name(network: Network, node: str) -> str:
    return network.members[node].name if node in network.members else ""
