"""Who is on the water? AIS sentences to vessels, vessels and zones to alerts.

`sources/` gives lines, `nmea` and `ais` read them, `model` joins them to vessels, `zones` and `rules`
say what happened; `service` keeps it. The map's layers, the list of vessels and `port2port vessels
replay` look at the same state.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from port2port.capability import Capability, Layer, Page, Running, Site, Task
from port2port.core.errors import BadInput
from port2port.transport import Log
from port2port.vessels.cli import commands
from port2port.vessels.drift import DriftLimits
from port2port.vessels.facts import FACTS
from port2port.vessels.follower import Follower
from port2port.vessels.rules import Watch
from port2port.vessels.service import Batch, VesselService
from port2port.vessels.settings import VesselSettings
from port2port.vessels.sources import open_source
from port2port.vessels.status import health
from port2port.vessels.web import routes
from port2port.vessels.zones import Zones, as_features, read_zones

FOLDER = Path(__file__).parent
LOG_BATCHES = 4096
"""Eighty seconds of the busiest feed at fifty batches a second, at most 100 lines each."""


def start(site: Site, settings: VesselSettings) -> Running:
    """Begin to hear. Raises `BadInput` for a zones file or source that cannot be used."""
    zones = _zones(site.folder, settings.zones_file)
    service = VesselService(site, _watch(site, settings, zones), 60 * settings.gone_after_min)
    service.load()
    log: Log[Batch] = Log(LOG_BATCHES)
    sources = [open_source(each, log, site.clock, site.folder) for each in settings.sources]
    states = [state for state, _ in sources]
    follower = Follower(service, log, site.counters)
    follower.start()
    detail = "/vessels/{id}/detail"
    return Running(
        tasks=[Task(name=f"vessels.source.{state.name}", run=run) for state, run in sources],
        routes=routes(service, states),
        layers=[
            Layer(id="vessels.traffic", title="vessels.layer.traffic", movers=service, detail=detail),
            Layer(id="vessels.zones", title="vessels.layer.zones", features=partial(as_features, zones)),
        ],
        pages=[Page(title="vessels.title", path="/vessels", order=30)],
        health=partial(health, service, states, site.clock),
        close=follower.close,
    )


def _watch(site: Site, settings: VesselSettings, zones: Zones) -> Watch:
    limits = DriftLimits(
        minutes=settings.drift_minutes,
        least_knots=settings.drift_least_knots,
        most_knots=settings.drift_most_knots,
        least_angle_deg=settings.drift_angle_deg,
        still_angle_deg=min(DriftLimits().still_angle_deg, settings.drift_angle_deg),
    )
    return Watch(zones, site.new_id, limits if settings.drift else None)


def _zones(folder: Path, name: str) -> Zones:
    if not name:
        return Zones()
    path = folder / name
    try:
        return read_zones(path.read_bytes())
    except OSError as error:
        raise BadInput(f"The zones file {path} cannot be read: {error}.", hint="See vessels.zones_file.") from error


capability: Capability[VesselSettings] = Capability(
    name="vessels",
    question="Who is on the water?",
    folder=FOLDER,
    settings=VesselSettings,
    start=start,
    facts=FACTS,
    commands=(commands,),
)
