"""AIS: our whole path from bytes to tracks, zones and journal, beside pyais decoding alone; and a nation's feed live.

With `PORT2PORT_SHARED` set, real recordings are used; without it, messages that pyais encodes.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import msgspec
import pyais
from pyais.exceptions import AISBaseException

from port2port.bench.figures import Figure, limit_figure, ratio_figure
from port2port.core.clock import system_clock
from port2port.core.ids import seeded_ids
from port2port.testing import site
from port2port.vessels import capability
from port2port.vessels.nmea import LineReader
from port2port.vessels.rules import Watch
from port2port.vessels.service import Batch, VesselService
from port2port.vessels.zones import Zones, read_zones

DANISH = "data/picture/ais/dk_2013-11-12_1200utc_5min.pghp.gz"
AMERICAN = "data/picture/ais/us_2016-07-28_part1.uscg.gz"
ZONES_NORTH, ZONES_EAST = 6, 10
BATCH_LINES = 100
PAGE_BATCHES = 64
"""As the node's follower takes them from the log."""
GENERATED_VESSELS, GENERATED_REPORTS = 1_500, 24_000

Lines = Sequence[bytes]


def measure(long: bool = False) -> dict[str, Figure]:
    """Two figures; see the module."""
    danish, american, note = _recordings()
    zones = _zones(danish)
    sentences = [line[line.find(b"!") :] for line in danish if b"VDM," in line or b"VDO," in line]
    ours, floors = [], []
    for _ in range(9 if long else 5):
        ours.append(len(sentences) / _whole_path(danish, zones))
        floors.append(len(sentences) / _timed(lambda: _pyais(sentences)))
    share, path_note = _feed_share(american, zones)
    return {
        "ais_bytes_to_journal_per_s": ratio_figure(
            max(ours),
            max(floors),
            "sentences/s",
            0.4,
            note or f"{len(zones)} zones; floor: pyais decoding alone; best of {len(ours)} rounds each",
        ),
        "ais_us_feed_core_share": limit_figure(share, "core", 0.2, note=note or path_note),
    }


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


@contextmanager
def _service(zones: Zones) -> Iterator[VesselService]:
    """A service on an SQLite store in a folder of its own, as in a node."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'node.db'}"
        at = site(Path(name), capabilities=[capability], url=url, clock=system_clock)
        with closing(at.store):
            yield VesselService(at, Watch(zones, seeded_ids(1)))


def _whole_path(lines: Lines, zones: Zones) -> float:
    """Seconds from bytes to committed facts and saved tracks; opening the store is not part of it."""
    with _service(zones) as service:
        return _timed(lambda: _hear(service, lines))


def _hear(service: VesselService, lines: Lines) -> None:
    batches = [
        Batch("bench", lines[start : start + BATCH_LINES], 0.0, live=False)
        for start in range(0, len(lines), BATCH_LINES)
    ]
    for start in range(0, len(batches), PAGE_BATCHES):
        service.hear(*batches[start : start + PAGE_BATCHES])
        service.tick()
    service.save()
    assert service.account("bench").balanced()


def _pyais(sentences: Lines) -> None:
    waiting: list[bytes] = []
    for sentence in sentences:
        if sentence[7:8] != b"1":
            waiting.append(sentence)
            if len(waiting) < int(sentence[7:8]):
                continue
        parts, waiting = waiting or [sentence], []
        try:
            pyais.decode(*parts)
        except AISBaseException:
            continue


def _feed_share(lines: Lines, zones: Zones) -> tuple[float, str]:
    """CPU seconds for the feed divided by the seconds it lasted."""
    with _service(zones) as service:
        began = time.process_time()
        _hear(service, lines)
        used_s = time.process_time() - began
    # Receivers' clocks differ: the recording lasts from the 1st to the 99th percentile of what they told.
    times = sorted(sentence.at_s for sentence in LineReader().read(lines, 0.0))
    lasted_s = max(1.0, times[int(len(times) * 0.99)] - times[int(len(times) * 0.01)])
    decoded = service.account("bench").decoded
    return used_s / lasted_s, f"{decoded} messages in {lasted_s:.0f} s used {used_s:.2f} s of CPU"


def _zones(lines: Lines) -> Zones:
    """Sixty circles over Danish waters, a third of which alert."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "id": f"zone-{row}-{column}",
                "kind": "anchorage",
                "radius_m": 8_000,
                "rules": [{"rule": "enter"}, {"rule": "stop-in-zone"}] if (row + column) % 3 == 0 else [],
            },
            "geometry": {"type": "Point", "coordinates": [8 + column * 0.6, 54.4 + row * 0.6]},
        }
        for row in range(ZONES_NORTH)
        for column in range(ZONES_EAST)
    ]
    return read_zones(msgspec.json.encode({"type": "FeatureCollection", "features": features}))


def _recordings() -> tuple[Lines, Lines, str]:
    folder = os.environ.get("PORT2PORT_SHARED")
    if folder:
        danish, american = (gzip.decompress((Path(folder) / name).read_bytes()) for name in (DANISH, AMERICAN))
        return danish.splitlines(), american.splitlines(), ""
    lines = _generated()
    return lines, lines, "generated messages: set PORT2PORT_SHARED for the real recordings"


def _generated() -> Lines:
    """Position reports of invented vessels around Denmark, about 800 a second, encoded by pyais."""
    random, lines = Random(1), []
    for number in range(GENERATED_REPORTS):
        mmsi = 219_000_000 + number % GENERATED_VESSELS
        report: dict[str, str | int | float | bytes | bool] = {
            "type": 1,
            "mmsi": mmsi,
            "lat": 54.4 + (mmsi * 7 % 3600) / 1000 + number / 1e7,
            "lon": 8 + (mmsi * 13 % 6000) / 1000 + number / 1e7,
            "speed": random.uniform(0, 15),
            "course": random.uniform(0, 359),
            "heading": random.randrange(360),
            "second": number // 800 % 60,
        }
        tag = f"s:invented,c:{1_700_000_000_000 + number * 1250 // 1000}"
        check = 0
        for byte in tag.encode():
            check ^= byte
        lines.append(f"\\{tag}*{check:02X}\\{pyais.encode_dict(report)[0]}".encode())
    return lines
