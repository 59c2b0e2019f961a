"""What happens in the simulated harbour besides ordinary traffic: the drop-off off Ostend, and three small things.

Each scene is a motion like any other; the rules of `vessels` find it, nobody tells them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

from port2port.core.place import MPS_PER_KNOT, Position, bearing_deg, distance_m, moved
from port2port.demo.fleet import Actor, eni_number, imo_number, mmsi
from port2port.demo.routes import Chart, Line, line
from port2port.demo.sentences import SHIP_TYPE_PLEASURE, SHIP_TYPE_TANKER, Equipment, Vessel
from port2port.demo.voyages import AT_ANCHOR, FISHING, MOORED, Motion, Pose, Ring

DROP_OFF = Position(51.337, 2.735)
"""Where the engine stops: eight miles and a half north-west of Ostend, in the watch area."""
INBOUND_DEG, INBOUND_KN = 96.0, 9.0
STREAM_DEG, STREAM_KN = 22.0, 1.2
"""The tidal stream that carries it: 74 degrees off its heading."""
SLOW_DOWN_S = 40.0
ADRIFT_S = 2 * 3600.0
ANCHOR_PLACE = Position(51.43, 2.43)

TANKER = Vessel(
    mmsi=mmsi(538, 1),
    name="MORNING WAGTAIL",
    callsign="X38001",
    ship_type=SHIP_TYPE_TANKER,
    length_m=112,
    beam_m=17,
    draught_m=6.4,
    destination="BEZEE",
    imo=imo_number(300_001),
)
BARGE = Vessel(
    mmsi=mmsi(205, 2),
    name="VERDWAALDE EGEL",
    callsign="OR0002",
    ship_type=79,
    length_m=86,
    beam_m=9,
    draught_m=2.6,
    destination="BEMSI",
    eni=eni_number(2),
)
YACHT = Vessel(
    mmsi=mmsi(244, 3),
    name="CURIOUS PUFFIN",
    callsign="PX0003",
    ship_type=SHIP_TYPE_PLEASURE,
    length_m=12,
    beam_m=4,
    draught_m=1.6,
    equipment=Equipment.CLASS_B,
)
FISHERMAN = Vessel(
    mmsi=mmsi(205, 4),
    name="SHY BITTERN",
    callsign="OR0004",
    ship_type=30,
    length_m=28,
    beam_m=7,
    draught_m=3.2,
)


@dataclass(frozen=True, slots=True)
class Drift:
    """Comes in under way, loses its engine at `begins_s`, drifts, sails away to anchor after two hours."""

    begins_s: float

    def pose(self, elapsed_s: float) -> Pose:
        since = elapsed_s - self.begins_s
        if since < 0:
            return self._under_way(DROP_OFF, INBOUND_DEG, since)
        if since < ADRIFT_S:
            return self._adrift(since)
        return self._leaving(since - ADRIFT_S)

    def _under_way(self, place: Position, course: float, seconds: float) -> Pose:
        here = moved(place, course, seconds * INBOUND_KN * MPS_PER_KNOT)
        return Pose(here, course, course, INBOUND_KN)

    def _adrift(self, since: float) -> Pose:
        """For `SLOW_DOWN_S` the ship's own way dies out; then only the stream moves it, at 0.9 to 1.5 knots."""
        own = max(0.0, 1 - since / SLOW_DOWN_S)
        run = INBOUND_KN * MPS_PER_KNOT * min(since, SLOW_DOWN_S) * (1 + own) / 2
        carried = max(0.0, since - SLOW_DOWN_S)
        speed = STREAM_KN + 0.3 * sin(since / 240)
        set_m = (STREAM_KN * carried + 0.3 * 240 * (1 - cos(carried / 240))) * MPS_PER_KNOT
        here = moved(moved(DROP_OFF, INBOUND_DEG, run), STREAM_DEG, set_m)
        if own > 0:
            return Pose(here, INBOUND_DEG, INBOUND_DEG, max(INBOUND_KN * own, speed))
        return Pose(here, STREAM_DEG + 5 * sin(since / 90), INBOUND_DEG + 2 * sin(since / 150), speed)

    def _leaving(self, since: float) -> Pose:
        start = self._adrift(ADRIFT_S).position
        course, run = bearing_deg(start, ANCHOR_PLACE), since * INBOUND_KN * MPS_PER_KNOT
        if run >= distance_m(start, ANCHOR_PLACE):
            return Pose(ANCHOR_PLACE, course, course, 0.0, AT_ANCHOR)
        return self._under_way(start, course, since)


@dataclass(frozen=True, slots=True)
class Halt:
    """Sails a line, stops where it may not at `stops_s` for `lasts_s`, goes on, and moors at the end."""

    route: Line
    along_m: float
    speed_kn: float
    stops_s: float
    lasts_s: float

    def pose(self, elapsed_s: float) -> Pose:
        since = elapsed_s - self.stops_s
        sailed_s = min(0.0, since) + max(0.0, since - self.lasts_s)
        along = max(0.0, self.along_m + sailed_s * self.speed_kn * MPS_PER_KNOT)
        course = self.route.course_deg(along)
        here = self.route.beside(along, 18.0)
        if along >= self.route.length_m:
            return Pose(here, course, course, 0.0, MOORED)
        return Pose(here, course, course, 0.0 if 0 <= since < self.lasts_s else self.speed_kn)


@dataclass(frozen=True, slots=True)
class Visit:
    """Sails a line so that it is at `along_m` at `at_s`, goes to its end, comes back to its begin and rests there."""

    route: Line
    along_m: float
    at_s: float
    speed_kn: float

    def pose(self, elapsed_s: float) -> Pose:
        run = max(0.0, self.along_m + (elapsed_s - self.at_s) * self.speed_kn * MPS_PER_KNOT)
        back = run > self.route.length_m
        along = max(0.0, 2 * self.route.length_m - run) if back else run
        course = (self.route.course_deg(along) + (180 if back else 0)) % 360
        return Pose(self.route.at(along), course, course, self.speed_kn if along > 0 else 0.0)


@dataclass(frozen=True, slots=True)
class Silent:
    """Somebody else's motion, without a transmitter from `begins_s` for `lasts_s`."""

    motion: Motion
    begins_s: float
    lasts_s: float

    def pose(self, elapsed_s: float) -> Pose | None:
        return None if 0 <= elapsed_s - self.begins_s < self.lasts_s else self.motion.pose(elapsed_s)


def scenes(chart: Chart, begins_s: float) -> list[Actor]:
    """All of them; the tanker loses its engine `begins_s` after the start, the rest follows by the minute."""
    return [
        Actor(TANKER, Drift(begins_s)),
        Actor(BARGE, _before_liege(chart, begins_s + 60)),
        Actor(YACHT, _into_deurganck(begins_s + 120)),
        Actor(FISHERMAN, Silent(Ring(Position(51.262, 2.78), 900.0, 3.8, 0.3, FISHING), begins_s + 180, 1800)),
    ]


LIEGE_HALT = Position(50.728, 5.6748)
"""On the Albert Canal between Haccourt and the terminal, where there is no berth."""
YACHT_WAY = (
    (51.3465, 4.2575),
    (51.3405, 4.2675),
    (51.3335, 4.2717),
    (51.3225, 4.2742),
    (51.312, 4.2752),
    (51.3052, 4.2758),
    (51.298, 4.2685),
)
DEURGANCK_MOUTH = Position(51.3052, 4.2758)


def _before_liege(chart: Chart, stops_s: float) -> Halt:
    route = chart.route(["albert-liege"], 110.0)
    return Halt(route, route.nearest(LIEGE_HALT)[0], 6.0, stops_s, 3600.0)


def _into_deurganck(enters_s: float) -> Visit:
    route = line((Position(latitude, longitude), 100.0) for latitude, longitude in YACHT_WAY)
    return Visit(route, route.nearest(DEURGANCK_MOUTH)[0], enters_s, 5.5)
