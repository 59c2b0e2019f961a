"""The live operating picture: map, queue, timeline.

Knows layers and alerts, never who draws or raises them. The queue is folded from the journal's alert entries;
positions are state of the layers, gathered five times a second and sent to every screen as the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from port2port.capability import Capability, Page, Reader, Running, Site, Task
from port2port.picture import model, service
from port2port.picture.basemap import Basemap, find_basemap
from port2port.picture.glass import Glass
from port2port.picture.positions import Gathering, Positions
from port2port.picture.service import Queue
from port2port.picture.settings import PictureSettings
from port2port.picture.web import Parts, routes

FOLDER = Path(__file__).parent
BUILT_BASEMAP = FOLDER / "static" / "basemap.pmtiles"


def start(site: Site, settings: PictureSettings) -> Running:
    """Put the picture of one node together."""
    queue, glass = Queue(site), Glass()
    positions = Positions(Gathering(site.others.layers, site.clock, site.counters))

    def basemap() -> Basemap | None:
        return find_basemap(Path(settings.basemap) if settings.basemap else BUILT_BASEMAP)

    basemap()  # a wrong setting is told at start, not at the first look
    parts = Parts(site=site, settings=settings, queue=queue, positions=positions, glass=glass, basemap=basemap)
    return Running(
        readers=[
            Reader(
                name=service.READER,
                facts=model.FACTS,
                handle=lambda tx, entries: service.read_entries(tx, entries, site.counters),
            )
        ],
        tasks=[Task(name="picture.positions", run=positions.run)],
        routes=routes(parts),
        pages=[Page(title="picture.page.map", path="/map", order=1)],
        answers={"alerts": queue},
        health=lambda: {**queue.counts(), **positions.numbers(), **glass.numbers()},
        close=positions.close,
    )


capability = Capability(
    name="picture",
    question="The live operating picture: map, queue, timeline.",
    folder=FOLDER,
    settings=PictureSettings,
    start=start,
)

__all__ = ["PictureSettings", "capability", "start"]
