"""What listener, connector, commands and pages of one node share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event

from port2port.capability import Site
from port2port.sharing import message_signatures
from port2port.sharing.book import Book
from port2port.sharing.calls import PeerRoute
from port2port.sharing.confirmed import Confirmed
from port2port.sharing.credentials import Credentials
from port2port.sharing.pulse import Pulse
from port2port.sharing.roster import Network
from port2port.sharing.settings import SharingSettings
from port2port.sharing.status import Statuses
from port2port.store.identity import public_bytes


def _set() -> Event:
    event = Event()
    event.set()
    return event


@dataclass
class Peers:
    """One node's dealings with others."""

    site: Site
    settings: SharingSettings
    book: Book
    pulse: Pulse
    statuses: Statuses = field(default_factory=Statuses)
    routes: list[PeerRoute] = field(default_factory=list)
    """What parts beside the listener answer to members. Complete before the listener starts."""
    confirmed: Confirmed = field(default_factory=Confirmed)
    may_write: Event = field(default_factory=_set)
    """Not set while a starting node does not know whether it is behind its own word: nothing new gets a number."""
    knocks: dict[str, asyncio.Event] = field(default_factory=dict)
    """By node id: set when a partner whom we are waiting to call again has called us."""

    @cached_property
    def credentials(self) -> Credentials:
        """What we show when we call."""
        return Credentials(self.site)

    def signed(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """Headers that sign a call which changes something (RFC 9421); none for one that only asks."""
        if method != "POST":
            return {}
        site = self.site
        return message_signatures.sign(method, url, body, site.identity, site.party.node_id, site.clock())

    @property
    def public_key(self) -> bytes:
        return public_bytes(self.site.identity)

    def network(self) -> Network:
        with self.site.store.reading() as view:
            return self.book.network(view)

    def heard_from(self, peer: str) -> None:
        """The partner called: it is there, so we need not wait before we call."""
        self.statuses.of(peer).heard(self.site.clock())
        if peer in self.knocks:
            self.knocks[peer].set()
