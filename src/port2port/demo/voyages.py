"""How a simulated vessel moves: its pose as a pure function of the seconds since the harbour opened."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin
from typing import Protocol

from port2port.core.place import MPS_PER_KNOT, Position, moved, turn_deg
from port2port.demo.routes import Line

RAMP_S = 90.0
"""Time from rest to full speed and back."""
TAPER_M = 700.0
"""Near its berth a vessel comes back to the middle of the fairway."""
TURNING_DEG = 4.0
"""A change of course over the next 20 s that counts as turning."""

UNDER_WAY, AT_ANCHOR, MOORED, FISHING = 0, 1, 5, 7
"""Navigation status, Recommendation ITU-R M.1371-5, table 48."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a vessel is and what it does."""

    position: Position
    course_deg: float
    heading_deg: float
    speed_kn: float
    status: int = UNDER_WAY
    turning: bool = False


class Motion(Protocol):
    """Anything that moves. None: the transmitter is silent."""

    def pose(self, elapsed_s: float) -> Pose | None: ...


@dataclass(frozen=True, slots=True)
class Still:
    """Moored or at anchor, swinging a few metres."""

    place: Position
    heading_deg: float
    status: int = MOORED
    swing_m: float = 3.0

    def pose(self, elapsed_s: float) -> Pose:
        swing = self.swing_m * sin(elapsed_s / 600)
        return Pose(
            moved(self.place, self.heading_deg + 90, swing), self.heading_deg, self.heading_deg, 0.0, self.status
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One stretch without a stop: seconds and metres at begin and end of it, in the direction of travel."""

    begin_s: float
    begin_m: float
    length_m: float
    speed_mps: float

    @property
    def ramp_s(self) -> float:
        return min(RAMP_S, self.length_m / self.speed_mps)

    @property
    def lasts_s(self) -> float:
        return self.length_m / self.speed_mps + self.ramp_s

    def after(self, seconds: float) -> tuple[float, float]:
        """(metres along, speed in m/s) `seconds` after the begin: up, steady, down."""
        ramp, rest = self.ramp_s, self.lasts_s - seconds
        if rest <= 0:
            return self.begin_m + self.length_m, 0.0
        if seconds < ramp:
            return self.begin_m + self.speed_mps * seconds**2 / (2 * ramp), self.speed_mps * seconds / ramp
        if rest < ramp:
            return self.begin_m + self.length_m - self.speed_mps * rest**2 / (2 * ramp), self.speed_mps * rest / ramp
        return self.begin_m + self.speed_mps * (seconds - ramp / 2), self.speed_mps


@dataclass(frozen=True, slots=True)
class Shuttle:
    """There and back again on one route, waiting in its locks and resting at both ends."""

    route: Line
    out: tuple[Run, ...]
    back: tuple[Run, ...]
    """In metres from the far end."""
    cycle_s: float
    half_s: float
    shift_m: float
    phase_s: float
    status: int
    rest_status: int

    def pose(self, elapsed_s: float) -> Pose:
        at = (elapsed_s + self.phase_s) % self.cycle_s
        returning = at >= self.half_s
        along, speed = self._along(at)
        shift = self.shift_m * min(1.0, along / TAPER_M, (self.route.length_m - along) / TAPER_M)
        course = self.route.course_deg(along) + (180 if returning else 0)
        place = self.route.beside(along, -shift if returning else shift)
        ahead = along + (-1 if returning else 1) * max(speed * 20, 1)
        turning = speed > 0 and turn_deg(self.route.course_deg(along), self.route.course_deg(ahead)) > TURNING_DEG
        resting = speed == 0 and (along < 1 or along > self.route.length_m - 1)
        status = self.rest_status if resting else self.status
        return Pose(place, course % 360, course % 360, speed / MPS_PER_KNOT, status, turning)

    def _along(self, at: float) -> tuple[float, float]:
        runs, since = (self.out, at) if at < self.half_s else (self.back, at - self.half_s)
        i = max(bisect_right([run.begin_s for run in runs], since) - 1, 0)
        metres, speed = runs[i].after(since - runs[i].begin_s)
        return (metres if at < self.half_s else self.route.length_m - metres), speed


def shuttle(
    route: Line,
    *,
    speed_kn: float,
    stops_m: Sequence[float] = (),
    stop_s: float = 600.0,
    rest_s: float = 1800.0,
    shift_m: float = 0.0,
    phase: float = 0.0,
    status: int = UNDER_WAY,
    rest_status: int = MOORED,
) -> Shuttle:
    """Plan the voyage. `stops_m` are its locks along the route; `phase` 0..1 is where in the cycle it begins."""
    speed = speed_kn * MPS_PER_KNOT
    out = _runs([0.0, *stops_m, route.length_m], speed, stop_s)
    back = _runs([0.0, *(route.length_m - stop for stop in reversed(stops_m)), route.length_m], speed, stop_s)
    half = out[-1].begin_s + out[-1].lasts_s + rest_s
    cycle = half + back[-1].begin_s + back[-1].lasts_s + rest_s
    return Shuttle(route, out, back, cycle, half, shift_m, phase * cycle, status, rest_status)


def _runs(marks_m: Sequence[float], speed_mps: float, stop_s: float) -> tuple[Run, ...]:
    runs: list[Run] = []
    at = 0.0
    for begin, end in pairwise(marks_m):
        if end - begin < 1:
            continue
        runs.append(Run(at, begin, end - begin, speed_mps))
        at += runs[-1].lasts_s + stop_s
    return tuple(runs)


@dataclass(frozen=True, slots=True)
class Ring:
    """Round and round a point: a vessel that fishes, dredges or keeps watch."""

    centre: Position
    radius_m: float
    speed_kn: float
    phase: float
    status: int = FISHING

    def pose(self, elapsed_s: float) -> Pose:
        angle = 360 * self.phase + elapsed_s * self.speed_kn * MPS_PER_KNOT / radians(1) / self.radius_m
        stretch = 1 + 0.1 * cos(radians(3 * angle))
        course = (angle + 90) % 360
        return Pose(
            moved(self.centre, angle % 360, self.radius_m * stretch), course, course, self.speed_kn, self.status
        )
