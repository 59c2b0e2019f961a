"""Sentences, zones and services for the tests of vessels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from pyais import encode_dict

from port2port.capability import Site
from port2port.core.clock import SteppedClock
from port2port.core.fact import Fact
from port2port.testing import site
from port2port.vessels import capability
from port2port.vessels.drift import DriftLimits
from port2port.vessels.model import moment
from port2port.vessels.nmea import checksum
from port2port.vessels.rules import Watch
from port2port.vessels.service import Batch, VesselService
from port2port.vessels.zones import Zones, read_zones

NOW_S = 1_772_366_400.0
"""The test kit's first moment, 2026-03-01 12:00 UTC."""
MMSI = 205_123_000


def sentences(message: dict[str, Any]) -> list[bytes]:
    """The sentences of one message, encoded by pyais."""
    return [line.encode() for line in encode_dict(message)]


def tagged(line: bytes, at_s: float, station: str = "coast") -> bytes:
    """A sentence behind a tag block with its time in milliseconds."""
    body = f"s:{station},c:{round(at_s * 1000)}".encode()
    return b"\\%s*%02X\\%s" % (body, checksum(body), line)


def position(latitude: float, longitude: float, at_s: float, mmsi: int = MMSI, **more: Any) -> bytes:
    """A tagged class A position report; `speed` in knots."""
    report = {"type": 1, "mmsi": mmsi, "lat": latitude, "lon": longitude, "speed": 8.0, "course": 90.0, "heading": 90}
    return tagged(sentences({**report, "second": int(at_s) % 60, "radio": int(at_s) % 500_000, **more})[0], at_s)


def voyage(mmsi: int = MMSI, **more: Any) -> list[bytes]:
    """A type 5 message, two sentences."""
    values = {"type": 5, "mmsi": mmsi, "shipname": "ZEEHOND", "callsign": "ORAB", "imo": 9074729, "ship_type": 80}
    return sentences({**values, "destination": "BEOST", "to_bow": 100, "to_stern": 20, "to_port": 8, **more})


def zone(shape: list[list[float]] | dict[str, Any], *rules: dict[str, Any], name: str = "Harbour", **more: Any) -> Any:
    """A GeoJSON feature; a list of corners is a polygon."""
    geometry = {"type": "Polygon", "coordinates": [[*shape, shape[0]]]} if isinstance(shape, list) else shape
    properties = {"id": name.lower(), "name": name, "kind": "restricted", "rules": list(rules), **more}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def zones(*features: Any) -> Zones:
    return read_zones(msgspec.json.encode({"type": "FeatureCollection", "features": list(features)}))


SQUARE = [[2.9, 51.2], [3.0, 51.2], [3.0, 51.3], [2.9, 51.3]]
"""South-west corner 51.2 N 2.9 E, a tenth of a degree wide."""


def service(
    known: Zones | None = None, drift: DriftLimits | None = None, at: Site | None = None, gone_after_s: float = 1800.0
) -> VesselService:
    at = at or site(capabilities=[capability])
    return VesselService(at, Watch(known or Zones(), at.new_id, drift), gone_after_s)


def hear(to: VesselService, lines: Sequence[bytes], at_s: float = NOW_S, **more: Any) -> None:
    """One batch at the time `at_s`; the clock of the site goes there."""
    clock = to.site.clock
    assert isinstance(clock, SteppedClock)
    clock.step(max(moment(at_s) - clock(), moment(0) - moment(0)))
    to.hear(Batch("ais-coast", tuple(lines), at_s, **more))


def facts(of: VesselService, kind: type[Fact] | None = None) -> list[Any]:
    """What the journal holds, by kind."""
    found: Iterator[Any] = (entry.fact for entry in of.site.store.read(0, 10_000))
    return [fact for fact in found if kind is None or type(fact) is kind]


DEADLINE_S = 5.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what is awaited has no event, and a test may not change it
            await asyncio.sleep(0.005)
