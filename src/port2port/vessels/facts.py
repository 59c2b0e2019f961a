"""What happened on the water, few and in the past tense. Positions are state and never stand here."""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.fact import Fact
from port2port.core.place import Position


@dataclass(frozen=True, kw_only=True)
class VesselAppeared(Fact):
    """A vessel was heard for the first time, and was inside a zone already."""

    track_id: str
    zone: str
    position: Position


@dataclass(frozen=True, kw_only=True)
class VesselEntered(Fact):
    """A vessel that was outside came into a zone."""

    track_id: str
    zone: str
    position: Position


@dataclass(frozen=True, kw_only=True)
class VesselLeft(Fact):
    """A vessel went out of a zone and stayed out."""

    track_id: str
    zone: str


@dataclass(frozen=True, kw_only=True)
class VesselLost(Fact):
    """A vessel inside a zone was not heard any more. `at` is when it last was."""

    track_id: str
    zone: str


FACTS = (VesselAppeared, VesselEntered, VesselLeft, VesselLost)
