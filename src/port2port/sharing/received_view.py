"""What others share with us, in counts: what came, what waits, what was refused, what was taken back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from port2port.core.clock import from_ms
from port2port.core.handling import Handling
from port2port.sharing import tables
from port2port.sharing.entry import Op
from port2port.sharing.forgetting import EXPIRED, VERDICTS
from port2port.sharing.roster import Network
from port2port.sharing.shared_view import Label, label_in_words
from port2port.sharing.tables import ACCEPTED, GONE, WAITS
from port2port.sharing.visible import hidden_lanes, label_of
from port2port.store import Reading

TAKEN_BACK = frozenset({*VERDICTS.values(), EXPIRED, GONE})
PASSED = frozenset({"repeated", "older"})
"""Nothing new and nothing wrong: not counted."""

_COUNTS = (
    "SELECT e.lane, e.verdict, count(*), max(e.ts_ms) FROM sharing_entry e JOIN sharing_lane l ON l.id = e.lane"
    " WHERE l.own = 0 AND e.op = ? GROUP BY e.lane, e.verdict"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is here under one label."""

    label: Label
    count: int


@dataclass(frozen=True, kw_only=True)
class FromPartner:
    """What one partner shares with us."""

    node_id: str
    name: str
    is_member: bool
    accepted: int = 0
    newest: datetime | None = None
    """When the newest of it was written, by its origin's clock."""
    kept: tuple[Kept, ...] = ()
    waits: dict[str, int] = field(default_factory=dict)
    """What it waits for -> how many."""
    refused: dict[str, int] = field(default_factory=dict)
    """Reason -> how many."""
    gone: dict[str, int] = field(default_factory=dict)
    """`withdrawn`, `erased`, `superseded`, `expired`, `gone` -> how many."""


@dataclass
class _Sum:
    newest_ms: int = 0
    kept: Counter[Handling] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)

    def add(self, label: Handling, verdict: str, count: int, newest_ms: int) -> None:
        if verdict == ACCEPTED:
            self.kept[label] += count
            self.newest_ms = max(self.newest_ms, newest_ms)
        elif verdict.startswith(WAITS):
            self.waits[verdict.removeprefix(WAITS)] += count
        elif verdict in TAKEN_BACK:
            self.gone[verdict] += count
        elif verdict not in PASSED:
            self.refused[verdict] += count


def from_partners(view: Reading, network: Network, me: str, account: str) -> list[FromPartner]:
    """All partners by name, and former ones of whom something is here. For the eyes of `account`."""
    sums = _sums(view, account, me)
    nodes = {each.node_id for each in network.others(me)} | (sums.keys() & network.members.keys())
    found = [_from(node, sums.get(node, _Sum()), network) for node in nodes]
    return sorted(found, key=lambda each: each.name)


def _sums(view: Reading, account: str, me: str) -> dict[str, _Sum]:
    hidden = hidden_lanes(view, account, me)
    lanes = {row.lane.id: row.lane for row in tables.foreign_lanes(view) if row.lane.id not in hidden}
    found: dict[str, _Sum] = {}
    for lane_id, verdict, count, newest_ms in view.rows(_COUNTS, (int(Op.PUT),)):
        lane = lanes.get(bytes(lane_id))
        label = label_of(lane) if lane else None
        if lane is not None and label is not None:
            found.setdefault(lane.origin, _Sum()).add(label, verdict, count, newest_ms)
    return found


def _from(node: str, total: _Sum, network: Network) -> FromPartner:
    kept = [Kept(label_in_words(label, network), count) for label, count in total.kept.items()]
    return FromPartner(
        node_id=node,
        name=network.members[node].name,
        is_member=network.is_member(node),
        accepted=sum(each.count for each in kept),
        newest=from_ms(total.newest_ms) if total.newest_ms else None,
        kept=tuple(sorted(kept, key=lambda each: (-each.count, each.label.tlp, each.label.agreement))),
        waits=dict(total.waits),
        refused=dict(total.refused),
        gone=dict(total.gone),
    )
