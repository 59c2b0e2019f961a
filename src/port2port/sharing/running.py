"""Puts the parts of one node's sharing together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from port2port.capability import Reader, Running, Site, Task
from port2port.sharing import keeping_up, receipts, sequencer, service, snapshot, witness
from port2port.sharing.answers import NetworkAnswers
from port2port.sharing.audit.running import AuditParts
from port2port.sharing.audit.running import assemble as assemble_audit
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import load_bootstrap
from port2port.sharing.connector import Connector
from port2port.sharing.keeping_up import KeepingUp
from port2port.sharing.listener import Listener
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import Pulse
from port2port.sharing.receipts import Confirming
from port2port.sharing.rotation import Rotation
from port2port.sharing.sequencer import Sequencer
from port2port.sharing.settings import SharingSettings
from port2port.sharing.witness import Witness


@dataclass(frozen=True)
class Parts:
    """The parts, for those who need more than `Running` shows: pages and tests."""

    peers: Peers
    listener: Listener
    connector: Connector
    sequencer: Sequencer
    confirming: Confirming
    witness: Witness
    audit: AuditParts
    rotation: Rotation
    keeping_up: KeepingUp

    def reader(self) -> Reader:
        return Reader(name="sharing.sequence", facts=sequencer.FACTS, handle=self.sequencer.handle)

    def begin(self) -> None:
        """Before the tasks: from here on the first thing we say waits for what partners hold of us."""
        self.peers.may_write.clear()
        self.peers.pulse.start()

    def tasks(self) -> tuple[Task, ...]:
        return (
            Task(name="sharing.listen", run=self.listener.run),
            Task(name="sharing.connect", run=self.connector.run),
            Task(name="sharing.confirm", run=self.confirming.run),
            Task(name="sharing.witness", run=self.witness.run),
            Task(name="sharing.rotate", run=self.rotation.run),
            Task(name="sharing.keep-up", run=self.keeping_up.run),
            *self.audit.tasks(),
        )

    def health(self) -> Mapping[str, object]:
        network = self.peers.network()
        me = self.peers.site.party.node_id
        return {
            "partners": len(network.others(me)) if network.is_member(me) else 0,
            "connected": self.peers.statuses.connected(),
            "listening": self.listener.address is not None,
            **self.audit.health(),
        }


def assemble(site: Site, settings: SharingSettings) -> Parts:
    """Make the parts, and take in the network file. Starts no task."""
    known = Book()
    if settings.bootstrap:
        path = Path(settings.bootstrap)
        service.load_documents(site, known, load_bootstrap(path if path.is_absolute() else site.folder / path))
    peers = Peers(site, settings, known, Pulse(site.store))
    peers.routes += [receipts.route(peers), snapshot.route(peers), witness.route(peers), keeping_up.route(peers)]
    audit = assemble_audit(peers)
    peers.routes += audit.peer_routes()
    wait = partial(_wait_for_start, peers)
    return Parts(
        peers,
        Listener(peers),
        Connector(peers),
        Sequencer(site, known, wait=wait),
        Confirming(peers),
        Witness(peers),
        audit,
        Rotation(peers),
        KeepingUp(peers),
    )


def _wait_for_start(peers: Peers) -> None:
    """The first thing we say waits until partners were asked what they have of us; they may all be away."""
    peers.may_write.wait(peers.settings.start_check_s + 1.0)


def start(site: Site, settings: SharingSettings) -> Running:
    """Start the capability."""
    from port2port.sharing import register_web
    from port2port.sharing.audit import web as audit_web
    from port2port.sharing.taxii.running import start as start_taxii
    from port2port.sharing.web import pages, routes

    parts = assemble(site, settings)
    parts.begin()
    programs = start_taxii(parts.peers)
    return Running(
        readers=(parts.reader(), parts.audit.reader(), *programs.readers),
        tasks=(*parts.tasks(), *programs.tasks),
        routes=[
            *routes(parts.peers),
            *register_web.routes(parts.peers),
            *audit_web.routes(parts.audit),
            *programs.routes,
        ],
        pages=(*pages(), *audit_web.pages()),
        answers={"network": NetworkAnswers(parts.peers)},
        health=parts.health,
        close=parts.peers.pulse.close,
    )
