"""How it stands with each partner right now, as the node's loop sees it. In memory only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from port2port.sharing.lane import Class

CLOCK_WARNING = timedelta(seconds=30)
"""From this difference on, the partner's clock is shown as wrong."""


@dataclass
class PeerStatus:
    """One partner. Written by the loop, read by anyone."""

    node: str
    up: dict[Class, bool] = field(default_factory=lambda: dict.fromkeys(Class, False))
    since: datetime | None = None
    """When it last connected, or was last lost; None: not heard since this node started."""
    last_contact: datetime | None = None
    clock_off: timedelta = timedelta()
    """Its clock minus ours."""
    problem: str = ""
    """Short reason of the last failure, e.g. `unreachable`."""
    through: str = ""
    """Node id of the member from whom we read it while it is away."""
    told: bool = False
    """Whether the journal says that it is connected."""

    @property
    def connected(self) -> bool:
        """Whether we hear the urgent connection, which carries membership too."""
        return self.up[Class.FLASH]

    @property
    def clock_is_off(self) -> bool:
        return abs(self.clock_off) >= CLOCK_WARNING

    def opened(self, urgency: Class, now: datetime) -> None:
        self.up[urgency] = True
        self.problem, self.last_contact = "", now
        if urgency is Class.FLASH:
            self.since = now

    def closed(self, urgency: Class, now: datetime, problem: str) -> None:
        if self.up[urgency] and urgency is Class.FLASH:
            self.since = now
        self.up[urgency] = False
        self.problem = problem

    def heard(self, now: datetime, sender_time: datetime | None = None) -> None:
        self.last_contact = now
        if sender_time is not None:
            self.clock_off = sender_time - now


class Statuses:
    """All partners."""

    def __init__(self) -> None:
        self._all: dict[str, PeerStatus] = {}

    def of(self, node: str) -> PeerStatus:
        return self._all.setdefault(node, PeerStatus(node))

    def keep_only(self, nodes: Iterable[str]) -> None:
        wanted = set(nodes)
        self._all = {node: each for node, each in self._all.items() if node in wanted}

    def connected(self) -> int:
        return sum(each.connected for each in self._all.values())
