"""Puts the parts of one node's audit log together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from port2port.capability import Reader, Task
from port2port.sharing import calls
from port2port.sharing.audit import status
from port2port.sharing.audit.checking import Checking
from port2port.sharing.audit.log import AuditLog
from port2port.sharing.audit.peering import Answers, Rounds
from port2port.sharing.audit.witness import Witness
from port2port.sharing.calls import PeerAnswer, PeerRoute
from port2port.sharing.documents import Member
from port2port.sharing.peers import Peers
from port2port.store import Reading


@dataclass(frozen=True)
class AuditParts:
    """The parts, for those who need more than readers, tasks and routes."""

    peers: Peers
    log: AuditLog
    answers: Answers
    rounds: Rounds
    checking: Checking

    def reader(self) -> Reader:
        return self.log.reader()

    def tasks(self) -> tuple[Task, ...]:
        return (
            Task(name="sharing.audit", run=self.rounds.run),
            Task(name="sharing.audit-check", run=self.checking.run),
        )

    def peer_routes(self) -> tuple[PeerRoute, ...]:
        return self.answers.routes()

    def health(self) -> Mapping[str, object]:
        """Numbers for the system page."""
        with self.peers.site.store.reading() as view:
            now = status.read(view, self.peers.site.party.node_id, len(self.rounds.others()))
        return {"audit_entries": now.size, "audit_confirmed_to": now.confirmed_size}


def assemble(peers: Peers) -> AuditParts:
    """Make the parts. Starts nothing."""
    site = peers.site

    def keys_of(view: Reading, node: str) -> tuple[bytes, ...]:
        return peers.book.network(view).keys(node, site.clock())

    def any_keys_of(view: Reading, node: str) -> tuple[bytes, ...]:
        return known_keys(peers, view, node)

    def name_of(view: Reading, node: str) -> str:
        return peers.book.network(view).name(node)

    def others() -> Sequence[Member]:
        network = peers.network()
        return network.others(site.party.node_id) if network.is_member(site.party.node_id) else ()

    async def call(member: Member, method: str, path: str, body: bytes) -> PeerAnswer:
        return await calls.call(peers, member, method, path, body)

    log, witness = AuditLog(site), Witness(site, keys_of, any_keys_of, name_of)
    return AuditParts(
        peers,
        log,
        Answers(site, witness),
        Rounds(site, log, witness, others, call),
        Checking(site, log, any_keys_of),
    )


def known_keys(peers: Peers, view: Reading, node: str) -> tuple[bytes, ...]:
    """Every key that a node has or had: what was signed in its time still counts."""
    own = (peers.public_key,) if node == peers.site.party.node_id else ()
    return tuple(dict.fromkeys((*own, *peers.book.network(view).log.ever(node))))
