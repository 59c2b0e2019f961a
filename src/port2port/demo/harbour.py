"""The simulated harbour: what the AIS stations of the region receive at each second. Pure, seeded, repeatable.

Every second is computed from the seed and the time alone, so that live, fast and repeated runs say the same. Reporting
intervals follow Recommendation ITU-R M.1371-5, table 1 and clause 3.1 of annex 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from port2port.core.clock import require_utc
from port2port.core.place import Position, distance_m
from port2port.demo import sentences
from port2port.demo.fleet import Actor, fleet
from port2port.demo.routes import Chart
from port2port.demo.scene import scenes
from port2port.demo.sentences import Equipment
from port2port.demo.voyages import AT_ANCHOR, MOORED, Pose

STATIC_S = 360
FIRST_STATIC_S = 60
"""Everybody says his name once within the first minute, so that nobody looks at numbers for long."""
BASE_STATION_S, AID_S = 10, 180
SLOW_KN, MIDDLE_KN, FAST_KN = 3, 14, 23
CLASS_B_SLOW_KN = 2
SCENE_BEGINS_S = 30.0


@dataclass(frozen=True, slots=True)
class Station:
    """A receiving station: its name, its antennas with their range in metres, and its MMSI as a base station."""

    name: str
    antennas: tuple[tuple[Position, float], ...]
    mmsi: int

    def hears(self, place: Position) -> bool:
        return any(distance_m(antenna, place) <= reach for antenna, reach in self.antennas)


STATIONS: tuple[Station, ...] = (
    Station("ostend", ((Position(51.235, 2.920), 48_000),), 2059981),
    Station("zeebrugge", ((Position(51.345, 3.205), 46_000),), 2059982),
    Station("vlissingen", ((Position(51.442, 3.600), 42_000),), 2449983),
    Station("antwerp", ((Position(51.285, 4.320), 34_000),), 2059984),
    Station("ghent", ((Position(51.150, 3.790), 27_000),), 2059985),
    Station("brussels", ((Position(50.930, 4.400), 26_000),), 2059986),
    Station("liege", ((Position(50.670, 5.630), 27_000), (Position(50.530, 5.230), 26_000)), 2059987),
    Station(
        "albert-canal",
        ((Position(51.165, 4.860), 26_000), (Position(50.980, 5.300), 26_000), (Position(50.870, 5.600), 18_000)),
        2059988,
    ),
)


@dataclass(frozen=True, slots=True)
class Transmission:
    """One AIS message as one station received it."""

    at: datetime
    station: str
    nmea_sentences: list[bytes]
    """With tag blocks, without line ends; several when the message has several parts."""


class Harbour:
    """The traffic of a chart from `start` on. `scene_s` is when the tanker loses its engine; None leaves scenes out.

    `listened_from_s`: when receivers are switched on; within a minute of it everybody says his name.
    """

    def __init__(
        self,
        chart: Chart,
        seed: int,
        start: datetime,
        *,
        scene_s: float | None = SCENE_BEGINS_S,
        listened_from_s: int = 0,
    ) -> None:
        self.start = require_utc(start).replace(microsecond=0)
        extra = [] if scene_s is None else scenes(chart, scene_s)
        self.actors: Sequence[Actor] = [*extra, *fleet(chart, seed)]
        self._aids = chart.aids
        self._listened_from_s = listened_from_s
        chance = Random(f"rhythm {seed}")
        self._phase = [chance.randrange(STATIC_S) for _ in (*self.actors, *self._aids, *STATIONS)]
        self._slot_ms = [chance.randrange(1000) for _ in self._phase]

    def poses(self, at: datetime) -> list[tuple[Actor, Pose]]:
        """Where everybody is who transmits: the truth behind the sentences."""
        elapsed = (at - self.start).total_seconds()
        return [(actor, pose) for actor in self.actors if (pose := actor.motion.pose(elapsed)) is not None]

    def sentences(self, at: datetime) -> list[Transmission]:
        """What all stations receive within the whole second that begins at `at`, in order of time."""
        second = round((require_utc(at) - self.start).total_seconds())
        found = [*self._vessels(second), *self._fixed(second)]
        return sorted(found, key=lambda transmission: transmission.at)

    def _vessels(self, second: int) -> Iterator[Transmission]:
        for i, actor in enumerate(self.actors):
            pose = actor.motion.pose(second)
            if pose is None:
                continue
            at = self._moment(second, i)
            if due(second, self._phase[i], interval_s(actor, pose)):
                yield from _received(sentences.position_report(actor.vessel, pose, at), pose.position, at)
            if self._says_name(second, i):
                for report in sentences.static_reports(actor.vessel, at):
                    yield from _received(report, pose.position, at)

    def _fixed(self, second: int) -> Iterator[Transmission]:
        """Aids to navigation, and the base stations themselves."""
        for i, (mmsi, name, place) in enumerate(self._aids, start=len(self.actors)):
            if due(second, self._phase[i], AID_S) or second == self._phase[i] % FIRST_STATIC_S:
                at = self._moment(second, i)
                yield from _received(sentences.aid_to_navigation(mmsi, name, place, at), place, at)
        for i, station in enumerate(STATIONS, start=len(self.actors) + len(self._aids)):
            if due(second, self._phase[i], BASE_STATION_S):
                at, place = self._moment(second, i), station.antennas[0][0]
                report = sentences.base_station(station.mmsi, place, at)
                yield Transmission(at, station.name, sentences.tagged(report, station.name, at))

    def _moment(self, second: int, i: int) -> datetime:
        return self.start + timedelta(seconds=second, milliseconds=self._slot_ms[i])

    def _says_name(self, second: int, i: int) -> bool:
        since = second - self._listened_from_s
        if 0 <= since < FIRST_STATIC_S:
            return since == self._phase[i] % FIRST_STATIC_S
        return due(second, self._phase[i], STATIC_S)


def due(second: int, phase: int, interval: int) -> bool:
    return (second - phase) % interval == 0


def interval_s(actor: Actor, pose: Pose) -> int:
    """How often it reports its position; whole seconds, so 3 1/3 becomes 3."""
    if actor.vessel.equipment is Equipment.CLASS_B:
        return 30 if pose.speed_kn > CLASS_B_SLOW_KN else 180
    if pose.status in (AT_ANCHOR, MOORED) and pose.speed_kn <= SLOW_KN:
        return 180
    if pose.speed_kn <= MIDDLE_KN:
        return 3 if pose.turning else 10
    return 2 if pose.turning or pose.speed_kn > FAST_KN else 6


def _received(report: list[str], place: Position, at: datetime) -> Iterator[Transmission]:
    """Once for each station in reach."""
    for station in STATIONS:
        if station.hears(place):
            yield Transmission(at, station.name, sentences.tagged(report, station.name, at))
