"""Builders of `observed-data` with our properties: a passage through a gate, a port call, a track. Pure.

`refs` are the ids of what was seen: containers, vehicles, vessels, aircraft, badges. At least one (section 4.14).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from port2port.core.errors import BadInput
from port2port.core.identifiers import facility, locode
from port2port.stix.extension import properties
from port2port.stix.reading import Object
from port2port.stix.version import Version, domain_object, present


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Where something was. Altitude above the WGS 84 ellipsoid; course clockwise from true north."""

    at: datetime
    latitude_deg: float
    longitude_deg: float
    altitude_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None


def gate_transaction(
    version: Version,
    refs: Sequence[str],
    direction: Literal["in", "out"],
    arrived_at: datetime,
    *,
    completed_at: datetime | None = None,
    gate: str | None = None,
    lane: str | None = None,
    facility_number: str | None = None,
    decision: Literal["permitted", "denied", "unknown"] | None = None,
    sensor: str | None = None,
    sensor_confidence: int | None = None,
) -> Object:
    """A vehicle, container or badge at a gate."""
    said = present(
        direction=direction,
        gate=gate,
        lane=lane,
        facility_number=facility.check(facility_number) if facility_number else None,
        arrived_at=arrived_at,
        completed_at=completed_at,
        decision=decision,
        sensor=sensor,
        sensor_confidence=sensor_confidence,
    )
    return _observed(version, refs, arrived_at, completed_at or arrived_at, gate_transaction=said)


def port_call(
    version: Version,
    refs: Sequence[str],
    un_locode: str,
    first_observed: datetime,
    last_observed: datetime,
    *,
    facility_number: str | None = None,
    berth: str | None = None,
    expected_at: datetime | None = None,
    arrived_at: datetime | None = None,
    departed_at: datetime | None = None,
    previous_un_locode: str | None = None,
    next_un_locode: str | None = None,
    voyage: str | None = None,
) -> Object:
    """A vessel's call."""
    said = present(
        un_locode=locode.check(un_locode),
        facility_number=facility.check(facility_number) if facility_number else None,
        berth=berth,
        expected_at=expected_at,
        arrived_at=arrived_at,
        departed_at=departed_at,
        previous_un_locode=locode.check(previous_un_locode) if previous_un_locode else None,
        next_un_locode=locode.check(next_un_locode) if next_un_locode else None,
        voyage=voyage,
    )
    return _observed(version, refs, first_observed, last_observed, port_call=said)


def track(
    version: Version,
    refs: Sequence[str],
    fixes: Sequence[Fix],
    *,
    sensor: str | None = None,
    sensor_confidence: int | None = None,
) -> Object:
    """Where something went; fixes in order of time, at least one."""
    if not fixes:
        raise BadInput("A track has at least one position.")
    said = present(fixes=[_fix(each) for each in fixes], sensor=sensor, sensor_confidence=sensor_confidence)
    return _observed(version, refs, fixes[0].at, fixes[-1].at, track=said)


def _fix(fix: Fix) -> Object:
    return present(
        at=fix.at,
        latitude=fix.latitude_deg,
        longitude=fix.longitude_deg,
        altitude_m=fix.altitude_m,
        speed_mps=fix.speed_mps,
        course_deg=fix.course_deg,
    )


def _observed(version: Version, refs: Sequence[str], first: datetime, last: datetime, **ours: Any) -> Object:
    if not refs or last < first:
        raise BadInput("An observation says what was seen, and ends after it began.")
    return domain_object(
        "observed-data",
        version,
        first_observed=first,
        last_observed=last,
        number_observed=1,
        object_refs=list(refs),
        extensions=properties(**ours),
    )
