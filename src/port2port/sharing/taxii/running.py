"""The TAXII part of one node's sharing, put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from port2port.capability import Reader, Task
from port2port.sharing.peers import Peers
from port2port.sharing.taxii import web
from port2port.sharing.taxii.feeder import FACTS, Feeder
from port2port.sharing.taxii.polling import Poller
from port2port.sharing.taxii.service import Service


@dataclass(frozen=True)
class Taxii:
    """What `sharing.running` adds to its own."""

    routes: list[Any]
    readers: tuple[Reader, ...]
    tasks: tuple[Task, ...]
    feeder: Feeder


def start(peers: Peers) -> Taxii:
    """The parts of the server, and the task that polls others. Starts nothing."""
    settings, folder = peers.settings, peers.site.folder
    quarantine = timedelta(days=settings.quarantine_days)
    service = Service(peers, quarantine)
    poller = Poller(peers.site, folder / settings.taxii_passwords, quarantine)

    async def poll() -> None:
        await poller.run(settings.taxii_sources, timedelta(minutes=settings.taxii_poll_minutes))

    feeder = Feeder(peers)
    tasks = [Task(name="sharing.taxii-feed", run=feeder.run)]
    if settings.taxii_sources:
        tasks.append(Task(name="sharing.taxii-poll", run=poll))
    return Taxii(
        routes=web.routes(peers, service),
        readers=(Reader(name="sharing.taxii", facts=FACTS, handle=feeder.handle),),
        tasks=tuple(tasks),
        feeder=feeder,
    )
