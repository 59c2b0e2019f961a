"""What the network page says, in plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from port2port.core.handling import Scope
from port2port.sharing import outlet, tables
from port2port.sharing.lane import NETWORK, handling_of
from port2port.sharing.roster import Network
from port2port.sharing.status import Statuses
from port2port.sharing.tables import AckRow, LaneRow
from port2port.store import Reading


@dataclass(frozen=True, kw_only=True)
class Shared:
    """One kind of thing that we share with a partner, and why it may have it."""

    tlp: str
    scope: str
    group: str
    """Name of the sharing group, with scope `group`."""
    agreement: str
    """Title of the agreement that the audience cites."""
    entries: int
    urgent: bool


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """One partner, as one row of the page."""

    node_id: str
    name: str
    short_name: str
    compartment: str
    address: str
    state: str = "unknown"
    """`connected`, `away`, `unknown`."""
    since: datetime | None = None
    problem: str = ""
    last_contact: datetime | None = None
    clock_off_s: float = 0.0
    """Its clock minus ours in seconds; 0 when within half a minute."""
    behind: int = 0
    """Entries of ours that it has not confirmed."""
    behind_since: datetime | None = None
    """When the oldest of them was written."""
    refused: dict[str, int] = field(default_factory=dict)
    """Why we refused entries of this partner: reason -> how many."""
    refused_there: dict[str, int] = field(default_factory=dict)
    """Why it refused entries of ours."""
    stopped: tuple[str, ...] = ()
    """Why we no longer read some of what it sends."""
    shared: tuple[Shared, ...] = ()


def neighbours(
    view: Reading, network: Network, me: str, now: datetime, statuses: Statuses | None = None
) -> list[Neighbour]:
    """All partners by name; without statuses (another process) only what the store knows."""
    if not network.is_member(me):
        return []
    acks = {(each.peer, each.lane): each for each in tables.all_acks(view)}
    refused = tables.refusals_by_origin(view)
    stopped: dict[str, list[str]] = {}
    for row in tables.foreign_lanes(view):
        if row.stopped:
            stopped.setdefault(row.lane.origin, []).append(row.stopped)
    found = []
    for member in network.others(me):
        rows = outlet.readable(view, member.node_id, network, now)
        behind, since = _behind(view, member.node_id, rows, acks)
        found.append(
            Neighbour(
                node_id=member.node_id,
                name=member.name,
                short_name=member.short_name,
                compartment=member.compartment,
                address=member.address,
                behind=behind,
                behind_since=since,
                refused=refused.get(member.node_id, {}),
                refused_there=_refused_there(member.node_id, rows, acks),
                stopped=tuple(stopped.get(member.node_id, ())),
                shared=tuple(_shared(row, network) for row in rows if row.lane.audience != NETWORK),
                **_live(member.node_id, statuses),
            )
        )
    return found


def _behind(
    view: Reading, peer: str, rows: list[LaneRow], acks: dict[tuple[str, bytes], AckRow]
) -> tuple[int, datetime | None]:
    behind, oldest = 0, None
    for row in rows:
        ack = acks.get((peer, row.lane.id))
        confirmed = ack.sequence if ack else 0
        if row.cursor.sequence > confirmed:
            behind += row.cursor.sequence - confirmed
            written = tables.entry_time(view, row.lane.id, confirmed + 1)
            oldest = min(filter(None, (oldest, written)), default=None)
    return behind, oldest


def _refused_there(peer: str, rows: list[LaneRow], acks: dict[tuple[str, bytes], AckRow]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for row in rows:
        ack = acks.get((peer, row.lane.id))
        total.update(ack.refused if ack else {})
    return dict(total)


def _shared(row: LaneRow, network: Network) -> Shared:
    handling = handling_of(row.lane)
    group = network.roster.groups.get(handling.audience.group)
    agreement = network.roster.agreements.get(handling.agreement_id)
    return Shared(
        tlp=handling.tlp,
        scope=handling.audience.scope,
        group=group.name if group and handling.audience.scope is Scope.GROUP else "",
        agreement=agreement.title if agreement else handling.agreement_id,
        entries=row.cursor.sequence,
        urgent=row.lane.urgency == "flash",
    )


def _live(peer: str, statuses: Statuses | None) -> dict[str, Any]:
    if statuses is None:
        return {}
    status = statuses.of(peer)
    state = "connected" if status.connected else ("away" if status.since else "unknown")
    off_s = status.clock_off.total_seconds() if status.clock_is_off else 0.0
    return {
        "state": state,
        "since": status.since,
        "problem": "" if status.connected else status.problem,
        "last_contact": status.last_contact,
        "clock_off_s": off_s,
    }
