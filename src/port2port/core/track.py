"""A track is what we believe is out there, with how we know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from port2port.core.place import Position


class Quality(StrEnum):
    """How far a track can be trusted."""

    MEASURED = "measured"
    """The last report is fresh and plausible."""
    DOUBTFUL = "doubtful"
    """Reports contradict each other, or the sensor says itself that it is unsure."""
    OLD = "old"
    """Nothing was heard for longer than the reporting interval allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One moving thing as the picture needs it; a capability keeps its own, richer state."""

    id: str
    """Stable within the node, e.g. `vessel:205123000`."""
    kind: str
    """Symbol class, declared by the capability, e.g. `vessel`, `barge`, `aton`."""
    name: str
    position: Position
    course_deg: float | None
    """Over ground, 0..360 from true north."""
    heading_deg: float | None
    speed_mps: float | None
    seen_at: datetime
    source: str
    """Name of the source as configured, e.g. `ais-scheldt`."""
    quality: Quality
    alarmed: bool = False
    """An alert about it is open: it is shown wherever the view is."""

    def age(self, now: datetime) -> timedelta:
        return now - self.seen_at
