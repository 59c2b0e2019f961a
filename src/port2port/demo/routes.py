"""Routes of the simulated harbour: lines drawn by hand, strung together, with rounded bends."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, radians
from pathlib import Path
from typing import Any

from port2port.core.place import Position, bearing_deg, distance_m, moved

METRES_PER_DEGREE = 111_195.0
BEND_STEPS = 6
SHIFT_OF_ROOM = 0.4
"""A vessel keeps to starboard by at most this part of the water beside the centre line."""
LOOK_M = 25.0
"""Course is taken over twice this length, so that it turns through a bend and does not jump."""


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline, how far along it each point lies, and how much water there is to either side, metres."""

    points: tuple[Position, ...]
    along_m: tuple[float, ...]
    room_m: tuple[float, ...]

    @property
    def length_m(self) -> float:
        return self.along_m[-1]

    def at(self, along_m: float) -> Position:
        """The point so far along; before the start and past the end it is the start and the end."""
        i, part = self._segment(along_m)
        return between(self.points[i], self.points[i + 1], part)

    def course_deg(self, along_m: float) -> float:
        """Direction of the line, 0..360."""
        low = min(max(along_m - LOOK_M, 0.0), self.length_m - 2 * LOOK_M)
        return bearing_deg(self.at(low), self.at(low + 2 * LOOK_M))

    def beside(self, along_m: float, shift_m: float) -> Position:
        """The point `shift_m` to starboard of one that sails forward, less where it is narrow; negative is to port."""
        i, part = self._segment(along_m)
        room = SHIFT_OF_ROOM * (self.room_m[i] + part * (self.room_m[i + 1] - self.room_m[i]))
        return moved(self.at(along_m), self.course_deg(along_m) + 90, min(max(shift_m, -room), room))

    def _segment(self, along_m: float) -> tuple[int, float]:
        """Index of the segment, and which part of it lies behind."""
        along_m = min(max(along_m, 0.0), self.length_m)
        i = min(bisect_right(self.along_m, along_m) - 1, len(self.points) - 2)
        return i, (along_m - self.along_m[i]) / (self.along_m[i + 1] - self.along_m[i])

    def nearest(self, to: Position) -> tuple[float, float]:
        """(how far along, how far off) of the closest point of the line, metres."""
        flat = [flat_m(to, point) for point in self.points]
        found = (_foot(here, there) for here, there in pairwise(flat))
        return min(
            ((begin + run, hypot(east, north)) for begin, (run, east, north) in zip(self.along_m, found, strict=False)),
            key=lambda pair: pair[1],
        )


def _foot(here: tuple[float, float], there: tuple[float, float]) -> tuple[float, float, float]:
    """Where the segment comes closest to the origin: metres from `here`, then east and north."""
    east, north = there[0] - here[0], there[1] - here[1]
    length = hypot(east, north)
    part = min(max(-(here[0] * east + here[1] * north) / length**2, 0.0), 1.0)
    return part * length, here[0] + part * east, here[1] + part * north


def between(here: Position, there: Position, part: float) -> Position:
    return Position(
        here.latitude_deg + (there.latitude_deg - here.latitude_deg) * part,
        here.longitude_deg + (there.longitude_deg - here.longitude_deg) * part,
    )


Mark = tuple[Position, float]
"""A point of a way, and the water to either side of it in metres."""


def line(marks: Iterable[Mark]) -> Line:
    """A line of at least two different points; of one that is told twice the narrower counts."""
    kept = _once(marks)
    assert len(kept) > 1, "a line has two points"
    along = [0.0]
    for (here, _), (there, _) in pairwise(kept):
        along.append(along[-1] + distance_m(here, there))
    return Line(tuple(point for point, _ in kept), tuple(along), tuple(room for _, room in kept))


def _once(marks: Iterable[Mark]) -> list[Mark]:
    kept: list[Mark] = []
    for point, room in marks:
        if kept and distance_m(kept[-1][0], point) <= 1:
            kept[-1] = (point, min(room, kept[-1][1]))
        else:
            kept.append((point, room))
    return kept


def rounded(marks: Sequence[Mark], bend_m: float) -> list[Mark]:
    """The same way with every corner replaced by a parabola that begins at most `bend_m` before it."""
    found = [marks[0]]
    for (before, _), (corner, room), (after, _) in zip(marks, marks[1:], marks[2:], strict=False):
        bend = min(bend_m, 2 * room)
        enter, leave = _towards(corner, before, bend), _towards(corner, after, bend)
        for i in range(BEND_STEPS + 1):
            t = i / BEND_STEPS
            found.append((between(between(enter, corner, t), between(corner, leave, t), t), room))
    return [*found, marks[-1]]


def _towards(corner: Position, other: Position, bend_m: float) -> Position:
    length = distance_m(corner, other)
    return between(corner, other, min(bend_m, 0.45 * length) / length) if length > 1 else corner


def read_features(folder: Path, name: str) -> list[tuple[dict[str, Any], Any]]:
    """(properties, coordinates) of a GeoJSON file (RFC 7946) of the network's folder."""
    collection = json.loads((folder / f"{name}.geojson").read_text(encoding="utf-8"))
    return [(each["properties"], each["geometry"]["coordinates"]) for each in collection["features"]]


def positions(coordinates: Iterable[Sequence[float]]) -> list[Position]:
    """GeoJSON writes longitude first."""
    return [Position(latitude, longitude) for longitude, latitude in coordinates]


@dataclass(frozen=True, slots=True)
class Chart:
    """What the traffic needs to know of the region."""

    legs: Mapping[str, Sequence[Mark]]
    """Fairways and waterways by id."""
    locks: Sequence[tuple[str, Position]]
    docks: Sequence[tuple[str, str, Sequence[Position]]]
    """Name, UN/LOCODE of the port and outline."""
    aids: Sequence[tuple[int, str, Position]]
    """MMSI, name and place of each aid to navigation."""

    def route(self, legs: Sequence[str], bend_m: float) -> Line:
        """Legs one after another; `-` before an id sails it from its end."""
        way: list[Mark] = []
        for leg in legs:
            marks = self.legs[leg.removeprefix("-")]
            way += reversed(marks) if leg.startswith("-") else marks
        return line(rounded(_once(way), bend_m))

    def locks_on(self, route: Line, within_m: float = 250.0) -> list[float]:
        """How far along the route its locks lie."""
        found = (route.nearest(place) for _, place in self.locks)
        return sorted(along for along, off in found if off <= within_m)


def read_chart(folder: Path) -> Chart:
    """Read the drawing of a network's folder. The only I/O of the simulated harbour."""
    ways = [*read_features(folder, "waterways"), *read_features(folder, "fairways")]
    legs = {about["id"]: [(point, _room_m(about)) for point in positions(way)] for about, way in ways}
    return Chart(
        legs=legs,
        locks=[(about["name"], positions([point])[0]) for about, point in read_features(folder, "locks")],
        docks=[(about["name"], about["port"], positions(ring[0])) for about, ring in read_features(folder, "docks")],
        aids=[(about["mmsi"], about["name"], positions([point])[0]) for about, point in read_features(folder, "aids")],
    )


def _room_m(about: Mapping[str, Any]) -> float:
    return float(about.get("half_width_m") or about["width_m"] / 2)


def flat_m(origin: Position, point: Position) -> tuple[float, float]:
    """East and north of `origin` in metres, good for the width of a port."""
    east = (point.longitude_deg - origin.longitude_deg) * METRES_PER_DEGREE * cos(radians(origin.latitude_deg))
    return east, (point.latitude_deg - origin.latitude_deg) * METRES_PER_DEGREE
