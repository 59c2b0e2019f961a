"""What we believe is on the water: one state per identity, joined from positions and static data.

Pure: records in, state on. The caller hands its `Traffic` over and gets the same object back, changed;
copying fifteen hundred vessels for each message would cost more than everything else together.

AIS is unauthenticated. Two ships with one MMSI, a forged position, a satellite's late copy: none is
merged silently. A report that implies more than 60 knots is held until a second one confirms it, and
the vessel is doubtful meanwhile; reports older than the last are passed by; another IMO number under
the same MMSI makes the identity doubtful.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import cos, hypot, radians
from typing import NamedTuple

import msgspec

from port2port.core.place import EARTH_RADIUS_M, MPS_PER_KNOT, Position
from port2port.core.track import Quality, Track
from port2port.vessels.ais import (
    AIRCRAFT,
    CLASS_A,
    CLASS_B,
    LONG_RANGE,
    AidToNavigation,
    BaseStation,
    Heard,
    PositionReport,
    StaticData,
)

MAX_VESSELS = 100_000
"""More than all ships that carry AIS at one time in the North Sea, ten times over; beyond it is an attack."""
MAX_GONE_KEPT = 20_000
PLAUSIBLE_MPS = 60 * MPS_PER_KNOT
PLAUSIBLE_AIRCRAFT_MPS = 600 * MPS_PER_KNOT
JUMP_SLACK_M = 300.0
"""Position error and clock error of receivers: below this nothing is called a jump."""
CONFIRM_WITHIN_S = 600.0
DOUBT_S = 120.0
LONG_DOUBT_S = 1800.0
JUMPS_OF_TWO = 3
"""So many jumps while doubtful: probably two transmitters use one MMSI."""
SWEEP_S = 5.0
"""How often the rules ask about what shows only by silence or by lasting."""
MOVING_MPS = 0.5 * MPS_PER_KNOT
NEAR_DEG = 0.0015
"""Less than `JUMP_SLACK_M` in both directions together: the usual case, decided without trigonometry."""
METRES_PER_DEG = EARTH_RADIUS_M * radians(1)

ANCHORED, MOORED, AGROUND = 1, 5, 6
STATIONARY = frozenset({ANCHORED, MOORED, AGROUND})
"""Navigation statuses of vessels that are not under way (M.1371-5 table 48)."""
NO_STATUS = 15

VESSEL, BARGE, AID, BASE, SAR_AIRCRAFT, DISTRESS = "vessel", "barge", "aton", "base-station", "sar-aircraft", "sart"


class Vessel(msgspec.Struct):
    """One identity that was heard. Times are seconds since 1970 UTC."""

    mmsi: int
    kind: str = VESSEL
    transponder: str = CLASS_A
    name: str = ""
    call_sign: str = ""
    imo: int = 0
    eni: str = ""
    ship_type: int = 0
    convoy_type: int = 0
    length_m: float = 0.0
    beam_m: float = 0.0
    draught_m: float = 0.0
    destination: str = ""
    eta: tuple[int, int, int, int] | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    heading_deg: float | None = None
    turn_deg_per_min: float | None = None
    status: int = NO_STATUS
    at_s: float = 0.0
    """When its position was heard; 0 before the first."""
    before: tuple[float, float] | None = None
    """Latitude and longitude of the report before the last."""
    heard_s: float = 0.0
    """When static data was heard."""
    source: str = ""
    station: str = ""
    doubt: str = ""
    """Why it is doubtful: `jump`, `two-transmitters`, `identity`, `off-position`. Word key `vessels.doubt.<reason>`."""
    doubt_until_s: float = 0.0
    jumps: int = 0
    elsewhere: tuple[float, float, float] | None = None
    """Latitude, longitude and time of a report that nobody has confirmed yet."""

    @property
    def track_id(self) -> str:
        return f"{self.kind if self.kind in (AID, BASE) else VESSEL}:{self.mmsi:09d}"

    @property
    def shown_name(self) -> str:
        return self.name or (f"ENI {self.eni}" if self.eni else f"MMSI {self.mmsi:09d}")

    def old_after_s(self) -> float:
        """Some missed reports: intervals are 2-10 s under way, 3 min at anchor (M.1371-5 table 1 and 2)."""
        if self.kind in (AID, BASE) or self.transponder == LONG_RANGE:
            return 720.0
        moving = (self.speed_mps or 0.0) > MOVING_MPS and self.status not in STATIONARY
        if self.transponder == CLASS_B:
            return 180.0 if moving else 600.0
        return 60.0 if moving else 600.0

    def quality(self, now_s: float) -> Quality:
        if now_s - self.at_s > self.old_after_s():
            return Quality.OLD
        return Quality.DOUBTFUL if now_s < self.doubt_until_s else Quality.MEASURED


class Moved(NamedTuple):
    """Some vessels whose position is news, and the moment of a sweep when one is due after them."""

    vessels: list[Vessel]
    sweep_s: float | None


@dataclass
class Traffic:
    """Everyone we know of, and in which order they changed."""

    vessels: dict[int, Vessel] = field(default_factory=dict)
    """By MMSI; aids to navigation and base stations under the negative MMSI, for they never become a vessel."""
    now_s: float = 0.0
    """The newest time that any message has told: the clock of the rules."""
    version: int = 0
    changed: dict[int, int] = field(default_factory=dict)
    """Key -> version of its last change, the latest change last."""
    gone: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=MAX_GONE_KEPT))
    heard: dict[str, float] = field(default_factory=dict)
    """Source -> the newest time it has told: a vessel is not "gone dark" when its receiver is."""
    unused: dict[str, int] = field(default_factory=dict)
    """Decoded messages that changed nothing, by reason."""

    def see(self, heard: Sequence[Heard], source: str) -> Iterator[Moved]:
        """Take in messages; yields groups of vessels (not aids, not stations) whose position is news.

        A group ends before one of its vessels moves again, and where the clock of the messages passes a multiple
        of `SWEEP_S`. So rules see every report and ask about silence at the same moments whatever the size of the
        batch: replay at any speed gives what live gave. Consume it to its end.
        """
        moved: dict[int, Vessel] = {}
        sweep_s = (self.now_s // SWEEP_S + 1) * SWEEP_S
        for records, at_s, station, again, copy in heard:
            if at_s > self.now_s:
                if at_s >= sweep_s:
                    yield Moved(list(moved.values()), at_s // SWEEP_S * SWEEP_S)
                    moved, sweep_s = {}, (at_s // SWEEP_S + 1) * SWEEP_S
                self.now_s = self.heard[source] = at_s
            if again:
                self._unused("again")
                continue
            for record in records:
                kind = type(record)
                if kind is PositionReport:
                    if record.mmsi in moved:
                        yield Moved(list(moved.values()), None)
                        moved = {}
                    vessel = self._position(record, at_s, source, station, copy)  # type: ignore[arg-type]
                    if vessel is not None:
                        moved[record.mmsi] = vessel
                elif kind is StaticData:
                    self._static(record, at_s, source)  # type: ignore[arg-type]
                elif kind is AidToNavigation or kind is BaseStation:
                    self._fixed(record, at_s, source, station)  # type: ignore[arg-type]
                else:
                    self._unused("other-type")
        if heard:
            self.heard[source] = max(self.heard.get(source, 0.0), heard[-1].at_s)
        yield Moved(list(moved.values()), None)

    def find(self, track_id: str) -> Vessel | None:
        """By track id, e.g. `vessel:205123000`."""
        kind, _, number = track_id.partition(":")
        if not (number.isascii() and number.isdigit() and len(number) <= 10):
            return None
        found = self.vessels.get(-int(number) if kind in (AID, BASE) else int(number))
        return found if found is not None and found.track_id == track_id else None

    def forget(self, key: int) -> None:
        """It was not heard for long: no longer part of the picture."""
        vessel = self.vessels.pop(key)
        self.changed.pop(key, None)
        self.version += 1
        self.gone.append((self.version, vessel.track_id))

    def touch(self, key: int) -> None:
        """Something about it changed that a viewer should see."""
        self.version += 1
        self.changed.pop(key, None)
        self.changed[key] = self.version

    def changed_since(self, version: int) -> Iterator[int]:
        """Keys changed after `version`, the latest first."""
        for key, at in reversed(self.changed.items()):
            if at <= version:
                return
            yield key

    def _unused(self, reason: str) -> None:
        self.unused[reason] = self.unused.get(reason, 0) + 1

    def _vessel(self, key: int, kind: str) -> Vessel | None:
        vessel = self.vessels.get(key)
        if vessel is None:
            if not 0 < abs(key) <= 999_999_999 or len(self.vessels) >= MAX_VESSELS:
                self._unused("mmsi" if len(self.vessels) < MAX_VESSELS else "too-many")
                return None
            vessel = self.vessels[key] = Vessel(abs(key), kind)
        return vessel

    def _position(
        self, report: PositionReport, at_s: float, source: str, station: str, copy: bool = False
    ) -> Vessel | None:
        latitude, longitude = report.latitude_deg, report.longitude_deg
        if latitude is None or longitude is None:
            self._unused("no-position")
            return None
        vessel = self.vessels.get(report.mmsi) or self._vessel(report.mmsi, _kind_of(report))
        if vessel is None:
            return None
        if vessel.at_s:
            if at_s < vessel.at_s:
                self._unused("late")
                return None
            near = (
                abs(latitude - vessel.latitude_deg) < NEAR_DEG and abs(longitude - vessel.longitude_deg) < NEAR_DEG  # type: ignore[operator]
            )
            if not near and not self._plausible(vessel, latitude, longitude, at_s, report.transponder, copy):
                return None
            vessel.before = (vessel.latitude_deg or 0.0, vessel.longitude_deg or 0.0)
            vessel.elsewhere = None  # only the very next report confirms a jump
        vessel.latitude_deg, vessel.longitude_deg = latitude, longitude
        vessel.transponder = report.transponder
        vessel.speed_mps, vessel.course_deg = report.speed_mps, report.course_deg
        vessel.heading_deg, vessel.turn_deg_per_min = report.heading_deg, report.turn_deg_per_min
        vessel.status, vessel.at_s = report.status, at_s
        vessel.source, vessel.station = source, station
        self.version += 1
        self.changed.pop(report.mmsi, None)
        self.changed[report.mmsi] = self.version
        return vessel

    def _plausible(
        self, vessel: Vessel, latitude: float, longitude: float, at_s: float, transponder: str, copy: bool
    ) -> bool:
        """Whether the report may move the vessel. One that may not is kept `elsewhere`, until confirmed."""
        top = PLAUSIBLE_AIRCRAFT_MPS if transponder == "S" else PLAUSIBLE_MPS
        old_latitude, old_longitude = vessel.latitude_deg or 0.0, vessel.longitude_deg or 0.0
        off_m = flat_m(old_latitude, old_longitude, latitude, longitude)
        if off_m <= JUMP_SLACK_M + top * (at_s - vessel.at_s):
            return True
        if copy:
            self._unused("late")
            return False
        vessel.jumps = vessel.jumps + 1 if at_s < vessel.doubt_until_s else 1
        two = vessel.jumps >= JUMPS_OF_TWO
        vessel.doubt = "two-transmitters" if two else "jump"
        vessel.doubt_until_s = at_s + (LONG_DOUBT_S if two else DOUBT_S)
        held, vessel.elsewhere = vessel.elsewhere, (latitude, longitude, at_s)
        self.touch(vessel.mmsi)
        self._unused("jump")
        if held is None or at_s - held[2] > CONFIRM_WITHIN_S or two:
            return False
        return flat_m(held[0], held[1], latitude, longitude) <= JUMP_SLACK_M + top * (at_s - held[2])

    def _static(self, record: StaticData, at_s: float, source: str) -> None:
        vessel = self._vessel(record.mmsi, VESSEL)
        if vessel is None:
            return
        if record.imo and vessel.imo and record.imo != vessel.imo:
            vessel.doubt, vessel.doubt_until_s = "identity", at_s + LONG_DOUBT_S
        for name in _STATIC_FIELDS:
            value = getattr(record, name)
            if value is not None:
                setattr(vessel, name, value)
        if vessel.eni or vessel.convoy_type:
            vessel.kind = BARGE
        vessel.source = vessel.source or source
        vessel.heard_s = max(vessel.heard_s, at_s)
        self.touch(record.mmsi)

    def _fixed(self, record: AidToNavigation | BaseStation, at_s: float, source: str, station: str) -> None:
        if record.latitude_deg is None or record.longitude_deg is None:
            self._unused("no-position")
            return
        aid = record if isinstance(record, AidToNavigation) else None
        vessel = self._vessel(-record.mmsi, AID if aid else BASE)
        if vessel is None or at_s < vessel.at_s:
            return
        vessel.latitude_deg, vessel.longitude_deg, vessel.at_s = record.latitude_deg, record.longitude_deg, at_s
        vessel.source, vessel.station = source, station
        if aid:
            vessel.name, vessel.ship_type = aid.name or vessel.name, aid.aid_type
            if aid.off_position:
                vessel.doubt, vessel.doubt_until_s = "off-position", at_s + LONG_DOUBT_S
        self.touch(-record.mmsi)


_STATIC_FIELDS = tuple(name for name in StaticData.__struct_fields__ if name not in ("mmsi", "transponder"))


def _kind_of(report: PositionReport) -> str:
    """The first digits of an MMSI tell what carries it (ITU-R M.585-9)."""
    if report.transponder == AIRCRAFT or 111_000_000 <= report.mmsi < 112_000_000:
        return SAR_AIRCRAFT
    return DISTRESS if report.mmsi // 1_000_000 in (970, 972, 974) else VESSEL


def key_of(vessel: Vessel) -> int:
    """Under which key `Traffic.vessels` has it."""
    return -vessel.mmsi if vessel.kind in (AID, BASE) else vessel.mmsi


def flat_m(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Distance on a plane, metres: within 1 % below 100 km outside the polar circles, and cheap."""
    across = (longitude_b - longitude_a + 180) % 360 - 180
    return METRES_PER_DEG * hypot(latitude_b - latitude_a, across * cos(radians(latitude_b)))


def moment(at_s: float) -> datetime:
    """The UTC-aware moment of seconds since 1970."""
    return datetime.fromtimestamp(at_s, UTC)


def as_track(vessel: Vessel, now_s: float, alarmed: bool) -> Track:
    """What the picture needs of a vessel that has a position."""
    assert vessel.latitude_deg is not None
    assert vessel.longitude_deg is not None
    return Track(
        id=vessel.track_id,
        kind=vessel.kind,
        name=vessel.shown_name,
        position=Position(vessel.latitude_deg, vessel.longitude_deg),
        course_deg=vessel.course_deg,
        heading_deg=vessel.heading_deg,
        speed_mps=vessel.speed_mps,
        seen_at=moment(vessel.at_s),
        source=vessel.source,
        quality=vessel.quality(now_s),
        alarmed=alarmed,
    )
