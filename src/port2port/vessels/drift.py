"""When is a vessel adrift? It goes over ground where its bow does not point, slowly, and for long. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.place import MPS_PER_KNOT, turn_deg
from port2port.vessels.ais import CLASS_A
from port2port.vessels.model import Vessel
from port2port.vessels.words import SIDEWAYS, type_group

UNDER_WAY = frozenset({0, 2, 4, 8, 11, 12, 15})
"""Statuses that may drift: under way, not under command, constrained by draught, sailing, towing, not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLimits:
    """Tuned on a recorded tanker in the Kattegat (2014-09-28): 1.8-2.6 knots at 45-60 degrees for 19 minutes."""

    minutes: float = 10.0
    least_knots: float = 0.5
    most_knots: float = 3.0
    least_angle_deg: float = 45.0
    still_angle_deg: float = 30.0
    """An open episode goes on down to this angle."""

    def slow(self, vessel: Vessel) -> bool:
        """Whether its speed is one at which vessels drift."""
        speed = vessel.speed_mps
        return speed is not None and self.least_knots * MPS_PER_KNOT <= speed <= self.most_knots * MPS_PER_KNOT

    def across(self, vessel: Vessel, already: bool) -> bool:
        """Whether it moves across its heading, and that is not its work; `already`: it is adrift by now."""
        course, heading = vessel.course_deg, vessel.heading_deg
        if course is None or heading is None or vessel.transponder != CLASS_A or vessel.status not in UNDER_WAY:
            return False
        least = self.still_angle_deg if already else self.least_angle_deg
        return turn_deg(course, heading) >= least and type_group(vessel) not in SIDEWAYS
