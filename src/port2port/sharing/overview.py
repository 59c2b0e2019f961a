"""What the network page says, in plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select

from port2port.core.handling import Scope, Tlp
from port2port.sharing import ack_tables, outlet, receipts_due, tables
from port2port.sharing.ack_tables import AckRow
from port2port.sharing.documents import Member
from port2port.sharing.lane import NETWORK, Class, handling_of, member_of
from port2port.sharing.pace import Looks, Pace
from port2port.sharing.receipts_due import Due
from port2port.sharing.roster import Network
from port2port.sharing.status import Statuses
from port2port.sharing.tables import LaneRow
from port2port.sharing.verify import Broken
from port2port.sharing.visible import hidden_lanes
from port2port.store import Reading

URGENCIES = {Class.FLASH: "urgent", Class.NORMAL: "normal", Class.BULK: "large"}
"""How a person calls the three connections."""


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
class Part:
    """What travels by one of the three connections to a partner."""

    urgency: str
    """`urgent`, `normal`, `large`."""
    connected: bool
    behind: int
    """Entries of ours that it has not confirmed."""
    behind_since: datetime | None
    """When the oldest of them was written."""


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
    through: str = ""
    """Name of the member from whom we read it meanwhile."""
    parts: tuple[Part, ...] = ()
    behind: int = 0
    behind_since: datetime | None = None
    pace: Pace = Pace.LEVEL
    refused: dict[str, int] = field(default_factory=dict)
    """Why we refused entries of this partner: reason -> how many."""
    refused_there: dict[str, int] = field(default_factory=dict)
    """Why it refused entries of ours."""
    stopped: tuple[str, ...] = ()
    """Why we no longer read some of what it sends."""
    receipts_due: int = 0
    """Take-backs of ours that it has not confirmed."""
    receipts_since: datetime | None = None
    shared: tuple[Shared, ...] = ()

    @property
    def forked(self) -> bool:
        """Whether it signed two histories."""
        return Broken.FORK in self.stopped


def neighbours(
    view: Reading,
    network: Network,
    me: str,
    now: datetime,
    statuses: Statuses | None = None,
    looks: Looks | None = None,
    account: str = "",
) -> list[Neighbour]:
    """All partners by name; without statuses (another process) only what the store knows.

    `account`: who looks. What only named readers may know of is not counted for others.
    """
    if not network.is_member(me):
        return []
    acks = {(each.peer, each.lane): each for each in ack_tables.all_acks(view)}
    refused = _refused_here(view, hidden_lanes(view, account, me))
    stopped = _stopped(view)
    due = receipts_due.by_member(view)
    statuses, looks = statuses or Statuses(), looks or Looks()
    return [
        _neighbour(view, network, each, now, acks, refused, stopped, due, statuses, looks)
        for each in network.others(me)
    ]


def _neighbour(
    view: Reading,
    network: Network,
    member: Member,
    now: datetime,
    acks: dict[tuple[str, bytes], AckRow],
    refused: dict[str, dict[str, int]],
    stopped: dict[str, set[str]],
    due: dict[str, Due],
    statuses: Statuses,
    looks: Looks,
) -> Neighbour:
    node, status = member.node_id, statuses.of(member.node_id)
    rows = outlet.readable(view, node, network, now)
    confirmed = {row.lane.id: acks[node, row.lane.id].sequence for row in rows if (node, row.lane.id) in acks}
    parts = tuple(_part(view, urgency, rows, confirmed, status.up[urgency]) for urgency in Class)
    behind = sum(each.behind for each in parts)
    waits = due.get(node)
    return Neighbour(
        node_id=node,
        name=member.name,
        short_name=member.short_name,
        compartment=member.compartment,
        address=member.address,
        state="connected" if status.connected else "away" if status.since else "unknown",
        since=status.since,
        problem="" if status.connected else status.problem,
        last_contact=status.last_contact,
        clock_off_s=status.clock_off / timedelta(seconds=1) if status.clock_is_off else 0.0,
        through=network.members[status.through].name if status.through in network.members else "",
        parts=parts,
        behind=behind,
        behind_since=min((each.behind_since for each in parts if each.behind_since), default=None),
        pace=looks.at(node, sum(confirmed.values()), behind, status.since if status.connected else None, now),
        refused=refused.get(node, {}),
        refused_there=_refused_there(acks[node, row.lane.id] for row in rows if (node, row.lane.id) in acks),
        stopped=tuple(sorted(stopped.get(node, ()))),
        receipts_due=waits.count if waits else 0,
        receipts_since=waits.since if waits else None,
        shared=_shared(rows, network),
    )


def _part(view: Reading, urgency: Class, rows: list[LaneRow], confirmed: dict[bytes, int], connected: bool) -> Part:
    late = [
        (row, confirmed.get(row.lane.id, 0))
        for row in rows
        if row.lane.urgency is urgency and row.cursor.sequence > confirmed.get(row.lane.id, 0)
    ]
    written = (tables.entry_time(view, row.lane.id, upto + 1) for row, upto in late)
    return Part(
        urgency=URGENCIES[urgency],
        connected=connected,
        behind=sum(row.cursor.sequence - upto for row, upto in late),
        behind_since=min((each for each in written if each), default=None),
    )


def _stopped(view: Reading) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in tables.foreign_lanes(view):
        if row.stopped:
            found.setdefault(row.lane.origin, set()).add(row.stopped)
    return found


def _refused_here(view: Reading, hidden: frozenset[bytes]) -> dict[str, dict[str, int]]:
    at = ack_tables.refusals.c
    query = select(at.origin, at.reason, func.sum(at.count).label("total"))
    if hidden:
        query = query.where(at.lane.not_in(hidden))
    query = query.group_by(at.origin, at.reason).having(func.sum(at.count) > 0)
    found: dict[str, dict[str, int]] = {}
    for row in view.execute(query).mappings():
        found.setdefault(row["origin"], {})[row["reason"]] = int(row["total"])
    return found


def _refused_there(acks: Iterable[AckRow]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in acks:
        total.update(each.refused)
    return dict(total)


def _is_about_objects(row: LaneRow) -> bool:
    return row.lane.audience != NETWORK and not member_of(row.lane.audience)


def _shared(rows: list[LaneRow], network: Network) -> tuple[Shared, ...]:
    """One line for each label, widest first, whatever the connection and however often it began anew."""
    found: dict[tuple[Tlp, str, str, str], tuple[int, bool]] = {}
    for row in filter(_is_about_objects, rows):
        handling = handling_of(row.lane)
        group = network.roster.groups.get(handling.audience.group)
        agreement = network.roster.agreements.get(handling.agreement_id)
        scope = handling.audience.scope
        name = group.name if group and scope is Scope.GROUP else ""
        key = (handling.tlp, scope.value, name, agreement.title if agreement else "")
        entries, urgent = found.get(key, (0, False))
        found[key] = entries + row.cursor.sequence, urgent or row.lane.urgency is Class.FLASH
    widest_first = sorted(found.items(), key=lambda each: (list(Tlp).index(each[0][0]), each[0]))
    return tuple(
        Shared(tlp=tlp.value, scope=scope, group=group, agreement=agreement, entries=entries, urgent=urgent)
        for (tlp, scope, group, agreement), (entries, urgent) in widest_first
    )
