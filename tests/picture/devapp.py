"""A harbour to look at: the real toolkit and picture, invented ships and alerts. Run it to work on the screens:

.venv/bin/python -m tests.picture.devapp        (or: python tests/picture/devapp.py) [port]
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from litestar import get
from litestar.response import Response

from port2port.capability import AlertAction, Ask, Counters, Layer, Running, Site
from port2port.core.alert import AlertRaised, Priority
from port2port.core.clock import system_clock
from port2port.core.ids import random_id
from port2port.core.place import Position, moved
from port2port.core.track import Quality, Track
from port2port.picture import PictureSettings, capability
from port2port.runtime import ReaderThread, keep_running
from port2port.testing import site
from port2port.web import FACTS, FromPath, Surface, WebSettings, build_app, hub_of, load_words
from port2port.web.server import serve

LAYER = "harbour.traffic"
MIDDLE = Position(51.27, 2.95)
NAMES = (
    "MORNING WAGTAIL",
    "SHY BITTERN",
    "CURIOUS PUFFIN",
    "VERDWAALDE EGEL",
    "GREY PLOVER",
    "QUIET HERON",
    "LATE SWALLOW",
)


class Fleet:
    """Ships that sail straight on; `report` is what a sensor would do. Safe for threads."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self._random = Random(seed)
        self._lock = threading.Lock()
        self._version = 0
        self._tracks: dict[str, tuple[int, Track]] = {}
        self._gone: list[tuple[int, str]] = []
        for number in range(count):
            self._put(self._invent(number))

    def _invent(self, number: int) -> Track:
        place = moved(MIDDLE, self._random.uniform(250, 400), self._random.uniform(500, 40_000))
        kind = self._random.choice(("vessel", "vessel", "vessel", "vessel", "barge", "aton"))
        still = kind == "aton" or self._random.random() < 0.25
        course = self._random.uniform(0, 360)
        name = f"{NAMES[number % len(NAMES)]} {number // len(NAMES) + 1}" if number >= len(NAMES) else NAMES[number]
        return Track(
            id=f"vessel:{205_000_000 + number}",
            kind=kind,
            name=f"BUOY {number}" if kind == "aton" else name,
            position=place,
            course_deg=None if still else course,
            heading_deg=None if kind == "aton" or self._random.random() < 0.1 else course,
            speed_mps=0.0 if still else self._random.uniform(2, 9),
            seen_at=system_clock() - timedelta(seconds=self._random.uniform(0, 600 if number % 9 == 0 else 10)),
            source="ais-coast",
            quality=Quality.DOUBTFUL if number % 23 == 5 else Quality.MEASURED,
        )

    def _put(self, track: Track) -> None:
        self._version += 1
        self._tracks[track.id] = (self._version, track)

    def changed_since(self, version: int) -> tuple[int, Iterable[Track], Iterable[str]]:
        with self._lock:
            changed = [track for number, track in self._tracks.values() if number > version]
            gone = [track_id for number, track_id in self._gone if number > version]
            return self._version, changed, gone

    def get(self, track_id: str) -> Track | None:
        return self._tracks.get(track_id, (0, None))[1]

    def report(self, now: datetime, share: float = 0.15) -> None:
        """Some of them are heard again, where they are by now."""
        with self._lock:
            for _, track in list(self._tracks.values()):
                if self._random.random() < share:
                    on = (track.speed_mps or 0.0) * (now - track.seen_at).total_seconds()
                    place = moved(track.position, track.course_deg or 0.0, on)
                    self._put(replace(track, position=place, seen_at=now))

    def change(self, track_id: str, **changes: Any) -> None:
        with self._lock:
            self._put(replace(self._tracks[track_id][1], **changes))

    def lose(self, track_id: str) -> None:
        with self._lock:
            self._version += 1
            del self._tracks[track_id]
            self._gone.append((self._version, track_id))


class Others:
    """Introduces the harbour's layers and one action."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def ask(self, name: str, shape: type[Any]) -> Ask[Any]:
        return Ask(lambda: None)

    def layers(self) -> Sequence[Layer]:
        return (
            Layer(id=LAYER, title="harbour.layer.traffic", movers=self.fleet, detail="/harbour/{id}/detail"),
            Layer(id="harbour.zones", title="harbour.layer.zones", features=zones),
        )

    def actions(self) -> Sequence[AlertAction]:
        return (AlertAction(title="harbour.action.incident", path="/harbour/incident/{id}", key="i"),)


def zones() -> Mapping[str, Any]:
    def box(west: float, south: float, east: float, north: float) -> list[list[list[float]]]:
        return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]

    areas = (
        ("wind", "Wind farm area", "zone-restricted", box(2.55, 51.42, 2.95, 51.62)),
        ("anchor", "Anchorage", "zone-anchorage", box(3.0, 51.38, 3.12, 51.44)),
        ("harbour", "Port of Ostend", "zone-harbour", box(2.9, 51.22, 2.945, 51.245)),
    )
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": key,
                "geometry": {"type": "Polygon", "coordinates": shape},
                "properties": {"id": key, "name": name, "style": style},
            }
            for key, name, style, shape in areas
        ]
        + [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [2.935, 51.238]},
                "properties": {"id": "fence", "name": "Fence cut, east quay", "style": "incident"},
            }
        ],
    }


def raised(number: int, priority: Priority, now: datetime, **more: Any) -> AlertRaised:
    """An alert of the harbour."""
    given = {
        "alert_id": random_id(),
        "capability": "harbour",
        "rule": "harbour.rule.drift",
        "subject": f"vessel:{205_000_000 + number}",
        "subject_name": NAMES[number % len(NAMES)],
        "sentence": "harbour.said.drift",
        "values": {"name": NAMES[number % len(NAMES)]},
        "source": "ais-coast",
        "detail": f"/harbour/vessel:{205_000_000 + number}/detail",
    }
    return AlertRaised(at=now, priority=priority, **{**given, **more})


@dataclass
class Harbour:
    """A node with the picture and a fleet, served on a free port of this machine."""

    ships: int = 300
    port: int = 0
    settings: PictureSettings = field(default_factory=PictureSettings)
    demonstration: bool = True

    def open(self) -> Site:
        made = site(facts=FACTS, capabilities=[capability], clock=system_clock, demonstration=True)
        self.fleet = Fleet(self.ships)
        self.site = replace(made, others=Others(self.fleet), new_id=random_id, counters=Counters())
        self.running: Running = capability.start(self.site, self.settings)
        return self.site

    def raise_alert(self, number: int, priority: Priority, **more: Any) -> str:
        fact = raised(number, priority, self.site.clock(), **more)
        with self.site.store.transaction() as tx:
            tx.append(fact)
        return fact.alert_id

    def surface(self) -> Surface:
        folders = {"picture": capability.folder, "harbour": Path(__file__).parent / "harbour"}
        return Surface(
            party=self.site.party,
            store=self.site.store,
            clock=self.site.clock,
            new_id=self.site.new_id,
            counters=self.site.counters,
            words=load_words(folders),
            routes=[*self.running.routes, _detail(self.fleet)],
            pages=self.running.pages,
            folders=folders,
            demonstration=self.demonstration,
        )

    async def run(self, stop: asyncio.Event, ready: Callable[[int], None], report_every_s: float = 1.0) -> None:
        """Serve until stopped; `ready` gets the port."""
        reader = ReaderThread(self.site.store, self.running.readers[0], self.site.counters)
        reader.start()
        app = build_app(self.surface(), WebSettings())
        beats = asyncio.create_task(self._reports(report_every_s))
        tasks = asyncio.create_task(keep_running(self.running.tasks, self.site.counters))

        async def end_streams() -> None:
            await stop.wait()
            self.running.close()
            hub_of(app).stop()

        ending = asyncio.create_task(end_streams())
        try:
            await serve(app, address="127.0.0.1", port=self.port, ready=ready, stopping=stop)
        finally:
            for task in (beats, tasks, ending):
                task.cancel()
            await asyncio.gather(beats, tasks, ending, return_exceptions=True)
            reader.stop()
            await asyncio.to_thread(self.site.store.close)
            reader.join(6.0)

    async def _reports(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            self.fleet.report(self.site.clock())


def _detail(fleet: Fleet) -> Any:
    @get("/harbour/{track_id:str}/detail", sync_to_thread=True)
    def detail(track_id: FromPath[str]) -> Response[str]:
        found = fleet.get(track_id)
        name = found.name if found else track_id
        text = (
            f'<article class="detail"><p class="sentence">{name} makes 8.2 kn on course 214.</p><h3>Identity</h3>'
            f"<dl><dt>MMSI</dt><dd>{track_id[7:]}</dd><dt>Type</dt><dd>Tanker</dd><dt>Length</dt><dd>112 m</dd></dl>"
            "<h3>Voyage</h3><dl><dt>Destination</dt><dd>BEZEE</dd><dt>Draught</dt><dd>6.4 m</dd></dl></article>"
        )
        return Response(text, media_type="text/html")

    return detail


def show(harbour: Harbour) -> None:
    """A lively morning."""
    scene: tuple[tuple[Priority, str, dict[str, Any]], ...] = (
        (Priority.URGENT, "drift", {}),
        (Priority.HIGH, "drone", {"source": "remote-id"}),
        (Priority.HIGH, "fence", {"owner": "Liège", "tlp": "TLP:AMBER", "source": "Port of Liège"}),
        (Priority.MEDIUM, "loiter", {}),
        (Priority.MEDIUM, "loiter", {"owner": "Antwerp", "tlp": "TLP:GREEN", "source": "Antwerp-Bruges"}),
        (Priority.LOW, "dark", {}),
        (Priority.LOW, "dark", {}),
    )
    for number, (priority, what, more) in enumerate(scene):
        words = {"rule": f"harbour.rule.{what}", "sentence": f"harbour.said.{what}"}
        harbour.raise_alert(number, priority, **words, **more)
    for number in (0, 2):
        harbour.fleet.change(f"vessel:{205_000_000 + number}", alarmed=True, kind="vessel")


async def main(port: int) -> None:
    harbour = Harbour(port=port)
    harbour.open()
    show(harbour)
    await harbour.run(asyncio.Event(), lambda found: print(f"http://127.0.0.1:{found}/map", flush=True))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
