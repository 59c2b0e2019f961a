"""Who may come in at the listener for other ports, and how far.

Four kinds of caller, told apart by the certificate they show: a member; one who holds an invitation; one who is a
member no longer, and is told so; anybody else. TLS lets in whoever could be one of the first three, and every
request is then asked anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from port2port.capability import Site
from port2port.core.errors import Conflict, DecodeError, Port2PortError
from port2port.sharing import book, invitation, leaving, service, trust
from port2port.sharing.book import Book
from port2port.sharing.calls import PeerAnswer
from port2port.sharing.roster import Network
from port2port.store import Reading

JOIN, FAREWELL = "/p2p/v1/join", "/p2p/v1/farewell"


@dataclass(frozen=True)
class Caller:
    """Who calls, from its certificate. One field at most is set."""

    peer: str = ""
    """Node id of a member."""
    invited: bytes = b""
    """Public key of an invitation, open or not."""
    former: str = ""
    """Node id of one who is a member no longer."""

    def may_call(self, path: str) -> bool:
        """Whether the door is open for this call."""
        if self.peer:
            return path not in (JOIN, FAREWELL)
        return (path == JOIN and bool(self.invited)) or (path == FAREWELL and bool(self.former))

    @property
    def name(self) -> str:
        """Whose requests are counted together."""
        return self.peer or self.former or "invited"


def trusted(view: Reading, network: Network, me: str, now: datetime) -> dict[str, tuple[bytes, ...]]:
    """Certificate name -> the public keys that TLS accepts for it."""
    anchors = {node: _member_keys(network, node, now) for node in network.members if node != me}
    invited = (each.key for each in book.invitations(view) if each.is_answered(now))
    return anchors | {invitation.subject(key): (key,) for key in invited}


def who(view: Reading, network: Network, me: str, now: datetime, certificate: bytes | None) -> Caller:
    """Who shows this certificate (DER)."""
    name = trust.subject_of(certificate) if certificate else ""
    if not certificate or not name or name == me:
        return Caller()
    if name in network.members:
        if not trust.is_issued_by(certificate, *_member_keys(network, name, now)):
            return Caller()
        return Caller(peer=name) if network.is_member(name) else Caller(former=name)
    return Caller(invited=_invited(view, name, now, certificate))


def answer(site: Site, known: Book, caller: Caller, path: str, body: bytes) -> PeerAnswer:
    """What somebody at the door hears: one of two calls, and a clear word when it is refused."""
    try:
        if path == JOIN and caller.invited:
            return PeerAnswer(200, service.admit(site, known, caller.invited, body))
        if path == FAREWELL and caller.former:
            return PeerAnswer(200, leaving.farewell(site, caller.former))
    except Port2PortError as error:
        site.counters.add("sharing.refused.at-the-door")
        status = 409 if isinstance(error, Conflict) else 400
        title = "Bad request" if isinstance(error, DecodeError) else error.message
        said = {"type": "about:blank", "title": title, "status": status}
        return PeerAnswer(status, msgspec.json.encode(said), "application/problem+json")
    return PeerAnswer(404)


def _member_keys(network: Network, node: str, now: datetime) -> tuple[bytes, ...]:
    return network.keys(node, now) if network.is_member(node) else network.last_keys(node)


def _invited(view: Reading, name: str, now: datetime, certificate: bytes) -> bytes:
    for each in book.invitations(view) if invitation.is_invitation(name) else ():
        if each.is_answered(now) and invitation.subject(each.key) == name:
            return each.key if trust.is_issued_by(certificate, each.key) else b""
    return b""
