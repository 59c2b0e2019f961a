"""Is a partner catching up, or stuck? Decided from two looks at what it has confirmed. Pure but for `Looks`.

A look alone cannot tell: 412 entries behind is the same number on the way up and at a standstill.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Lock

STILL = timedelta(seconds=30)
"""Without a new confirmation for this long, a connected partner that is behind is stuck."""


class Pace(StrEnum):
    """Each has words on the screen."""

    LEVEL = "level"
    """It has everything."""
    CATCHING_UP = "catching-up"
    STUCK = "stuck"
    WAITING = "waiting"
    """Behind, and we cannot tell yet; or it is away."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one partner."""

    confirmed: int
    behind: int
    since: datetime
    """When it last confirmed something new; or else when it was first seen behind."""
    moved: bool = False
    """Whether it confirmed something between two looks."""


def follow(before: Look | None, confirmed: int, behind: int, now: datetime) -> Look:
    """The look of now, after the one before."""
    if before is None or not before.behind or not behind or confirmed < before.confirmed:
        return Look(confirmed, behind, now)
    if confirmed > before.confirmed:
        return Look(confirmed, behind, now, moved=True)
    return replace(before, behind=behind)


def pace(look: Look, connected_since: datetime | None, now: datetime) -> Pace:
    """What two looks say; `connected_since` None: it is away."""
    if not look.behind:
        return Pace.LEVEL
    if now - look.since >= STILL:
        return Pace.STUCK if connected_since and now - connected_since >= STILL else Pace.WAITING
    return Pace.CATCHING_UP if look.moved else Pace.WAITING


class Looks:
    """The newest look at each partner, in memory: pages ask from several threads."""

    def __init__(self) -> None:
        self._looks: dict[str, Look] = {}
        self._lock = Lock()

    def at(self, peer: str, confirmed: int, behind: int, connected_since: datetime | None, now: datetime) -> Pace:
        """Look at a partner, and compare with the look before."""
        with self._lock:
            look = self._looks[peer] = follow(self._looks.get(peer), confirmed, behind, now)
        return pace(look, connected_since, now)
