"""Puts the parts of one node's sharing together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from port2port.capability import Reader, Running, Site, Task
from port2port.core.exchange import ObjectOffered
from port2port.sharing import service
from port2port.sharing.answers import NetworkAnswers
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import load_bootstrap
from port2port.sharing.connector import Connector
from port2port.sharing.facts import DocumentSigned
from port2port.sharing.listener import Listener
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import Pulse
from port2port.sharing.sequencer import Sequencer
from port2port.sharing.settings import SharingSettings


@dataclass(frozen=True)
class Parts:
    """The parts, for those who need more than `Running` shows: pages and tests."""

    peers: Peers
    listener: Listener
    connector: Connector
    sequencer: Sequencer

    def reader(self) -> Reader:
        return Reader(name="sharing.sequence", facts=(ObjectOffered, DocumentSigned), handle=self.sequencer.handle)

    def tasks(self) -> tuple[Task, ...]:
        return (
            Task(name="sharing.listen", run=self.listener.run),
            Task(name="sharing.connect", run=self.connector.run),
        )

    def health(self) -> Mapping[str, object]:
        network = self.peers.network()
        me = self.peers.site.party.node_id
        return {
            "partners": len(network.others(me)) if network.is_member(me) else 0,
            "connected": self.peers.statuses.connected(),
            "listening": self.listener.address is not None,
        }


def assemble(site: Site, settings: SharingSettings) -> Parts:
    """Make the parts, and take in the network file. Starts no task."""
    known = Book()
    if settings.bootstrap:
        path = Path(settings.bootstrap)
        service.load_documents(site, known, load_bootstrap(path if path.is_absolute() else site.folder / path))
    peers = Peers(site, settings, known, Pulse(site.store))
    return Parts(peers, Listener(peers), Connector(peers), Sequencer(site, known))


def start(site: Site, settings: SharingSettings) -> Running:
    """Start the capability."""
    from port2port.sharing.web import pages, routes

    parts = assemble(site, settings)
    parts.peers.pulse.start()
    return Running(
        readers=(parts.reader(),),
        tasks=parts.tasks(),
        routes=routes(parts.peers),
        pages=pages(),
        answers={"network": NetworkAnswers(parts.peers)},
        health=parts.health,
        close=parts.peers.pulse.close,
    )
