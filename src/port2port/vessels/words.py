"""Which words say it: type groups, places and the values that fill a sentence. Pure.

Values are things that need no translation: names, numbers, coordinates. What needs it is a word key.
"""

from __future__ import annotations

from math import cos, radians

import shapely
from shapely.geometry.base import BaseGeometry

from port2port.core.place import MPS_PER_KNOT
from port2port.vessels.model import AID, BARGE, BASE, DISTRESS, METRES_PER_DEG, SAR_AIRCRAFT, Vessel
from port2port.vessels.zones import Zone, Zones

NEAR_M = 37_040.0
"""20 nautical miles: a zone farther away does not tell where something is."""
METRES_PER_MILE = 1852.0
DRIFT_GROUPS = frozenset({"tanker", "cargo", "passenger", "fishing", "tug", "barge"})

_TENS = {2: "wig", 4: "high-speed", 6: "passenger", 7: "cargo", 8: "tanker", 9: "other"}
_EXACT = {
    30: "fishing",
    31: "towing",
    32: "towing",
    33: "dredger",
    34: "diving",
    35: "military",
    36: "sailing",
    37: "pleasure",
    50: "pilot",
    51: "search-rescue",
    52: "tug",
    53: "port-tender",
    54: "anti-pollution",
    55: "law-enforcement",
    58: "medical",
    59: "non-combatant",
}
SIDEWAYS = frozenset(
    {"fishing", "towing", "dredger", "diving", "military", "sailing", "pleasure", "pilot", "search-rescue", "tug"}
    | {"law-enforcement", "port-tender", "anti-pollution"}
)
"""Types whose work or sport makes them move sideways: not adrift for that."""


def type_group(vessel: Vessel) -> str:
    """The word of its type (M.1371-5 table 53), `vessels.type.<group>`."""
    if vessel.kind in (AID, BASE, SAR_AIRCRAFT, DISTRESS, BARGE):
        return vessel.kind
    return _EXACT.get(vessel.ship_type) or _TENS.get(vessel.ship_type // 10, "unknown")


def drift_sentence(vessel: Vessel) -> str:
    group = type_group(vessel)
    return f"vessels.sentence.drift.{group if group in DRIFT_GROUPS else 'vessel'}"


def place_label(vessel: Vessel, zones: Zones) -> str:
    """The zone it is in, the nearest with its distance, or the coordinates: readable in every language."""
    if vessel.latitude_deg is None or vessel.longitude_deg is None:
        return "–"
    point = shapely.Point(vessel.longitude_deg, vessel.latitude_deg)
    near = _nearest(point, vessel.latitude_deg, zones)
    if near is None:
        return coordinates(vessel.latitude_deg, vessel.longitude_deg)
    zone, away_m = near
    return zone.name if away_m == 0 else f"{zone.name}, {away_m / METRES_PER_MILE:.1f} nm"


def _nearest(point: shapely.Point, latitude: float, zones: Zones) -> tuple[Zone, float] | None:
    best: tuple[Zone, float] | None = None
    for zone in zones.areas:
        away_m = _away_m(point, latitude, zone.shape)
        if away_m <= NEAR_M and (best is None or away_m < best[1]):
            best = zone, away_m
    return best


def _away_m(point: shapely.Point, latitude: float, shape: BaseGeometry) -> float:
    if shapely.intersects(shape, point):
        return 0.0
    (_, (longitude_b, latitude_b)) = shapely.get_coordinates(shapely.shortest_line(point, shape))
    north = (latitude_b - latitude) * METRES_PER_DEG
    east = (longitude_b - point.x) * METRES_PER_DEG * cos(radians(latitude))
    return float((north * north + east * east) ** 0.5)


def coordinates(latitude: float, longitude: float) -> str:
    """Degrees and minutes, as on a chart: `51°14.20′N 002°55.10′E`."""
    return f"{_axis(latitude, 2, 'NS')} {_axis(longitude, 3, 'EW')}"


def _axis(value: float, width: int, letters: str) -> str:
    hundredths = round(abs(value) * 6000)
    degrees, minutes = divmod(hundredths, 6000)
    return f"{degrees:0{width}d}°{minutes / 100:05.2f}′{letters[value < 0]}"


def knots(speed_mps: float | None) -> str:
    return "–" if speed_mps is None else f"{speed_mps / MPS_PER_KNOT:.1f}"
