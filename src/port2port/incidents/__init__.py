"""What happened, who acts, and what does the reporter hear back?

A person's report or an alert becomes an incident; people triage, assign, note and close it; one of them may share it,
and sees by name who will receive it. What others share stands here as a read-only copy, and in the queue.
`model` decides, `release` names the receivers, `stix` is how an incident reads to another port.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from port2port.capability import AlertAction, Capability, Layer, Page, Reader, Running, Site, Task
from port2port.incidents import arrivals
from port2port.incidents.api import api_routes
from port2port.incidents.asks import Alerts, NetworkView
from port2port.incidents.cli import commands
from port2port.incidents.facts import FACTS
from port2port.incidents.housekeeping import keep_forgetting
from port2port.incidents.service import IncidentService
from port2port.incidents.settings import IncidentSettings
from port2port.incidents.titles import IncidentTitles
from port2port.incidents.view import as_features
from port2port.incidents.web import routes


def start(site: Site, settings: IncidentSettings) -> Running:
    """Begin to take reports, and to read what arrives."""
    network = site.others.ask("network", NetworkView)  # type: ignore[type-abstract]
    alerts = site.others.ask("alerts", Alerts)  # type: ignore[type-abstract]
    service = IncidentService(site, settings, alerts, network)
    reader = Reader(name=arrivals.READER, facts=arrivals.FACTS, handle=arrivals.Arrivals(site, network).handle)
    return Running(
        readers=[reader],
        tasks=[Task(name="incidents.forget", run=partial(keep_forgetting, service))],
        routes=[*routes(service), *api_routes(service)],
        layers=[
            Layer(
                id="incidents.open",
                title="incidents.layer.open",
                features=partial(as_features, service),
                detail="/incidents/{id}/detail",
            )
        ],
        pages=[
            Page(title="incidents.title", path="/incidents", order=20),
            Page(title="incidents.report.title", path="/report", order=25),
        ],
        actions=[AlertAction(title="incidents.action.make", path="/incidents/from-alert/{id}", key="i")],
        answers={"titles": IncidentTitles(site.store)},
        health=service.counts,
    )


capability: Capability[IncidentSettings] = Capability(
    name="incidents",
    question="What happened, who acts, and what does the reporter hear back?",
    folder=Path(__file__).parent,
    settings=IncidentSettings,
    start=start,
    facts=FACTS,
    commands=(commands,),
)
