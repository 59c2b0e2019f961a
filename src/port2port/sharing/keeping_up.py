"""Hearing of new keys, new officers and ended memberships from anybody, not only from who said it.

Each member speaks through its own log, and that is not enough in three cases: a member was away while another
changed its key, and now cannot check who answers; officers put another in the place of one who no longer answers;
a membership was ended, and nobody talks to its former holder any more. So every minute one member is asked for
the documents of these kinds. They prove themselves, whoever brings them. Who is no longer a member hears that.
"""

from __future__ import annotations

import asyncio
from itertools import count

import msgspec

from port2port.core.errors import DecodeError
from port2port.sharing import book, documents, door, leaving, membership
from port2port.sharing.calls import CallFailed, PeerAnswer, PeerRequest, PeerRoute, call
from port2port.sharing.documents import Document, Kind, Member
from port2port.sharing.limits import MAX_DOCUMENTS
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import is_set_within

PATH = "/p2p/v1/trust"
FIRST_S, EVERY_S = 10.0, 60.0
"""A starting node lets its connections come up first."""
KINDS = (Kind.KEY, Kind.ROOT, Kind.REVOCATION)
_documents = msgspec.json.Decoder(list[Document])


def route(peers: Peers) -> PeerRoute:
    """What we answer to a member who asks."""

    def handle(_peer: str, _request: PeerRequest) -> PeerAnswer:
        with peers.site.store.reading() as view:
            found = book.documents_of(view, KINDS)
        return PeerAnswer(200, msgspec.json.encode(found))

    return PeerRoute("GET", PATH, handle)


class KeepingUp:
    """Asks one member after the other."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self.every_s = EVERY_S

    async def run(self) -> None:
        """Ask until cancelled."""
        never = asyncio.Event()
        await is_set_within(never, FIRST_S)
        for turn in count():
            members = await asyncio.to_thread(self._members)
            if members:
                await self.ask(members[turn % len(members)])
            await is_set_within(never, self.every_s)

    async def ask(self, member: Member) -> None:
        """Take in what this member has; a refusal may mean that we are a member no longer."""
        try:
            answer = await call(self._peers, member, "GET", PATH)
            if answer.status == 200:
                await asyncio.to_thread(self._take, member.node_id, answer.body)
            elif answer.status == 404:
                answer = await call(self._peers, member, "GET", door.FAREWELL)
                if answer.status == 200:
                    await asyncio.to_thread(leaving.hear_farewell, self._peers.site, self._peers.book, answer.body)
        except CallFailed:
            return
        except DecodeError as error:
            self._peers.site.counters.add(f"sharing.refused.{error.reason}")

    def _members(self) -> list[Member]:
        network, me = self._peers.network(), self._peers.site.party.node_id
        return network.others(me) if network.is_member(me) else []

    def _take(self, peer: str, data: bytes) -> None:
        try:
            said = [documents.decode(each.encoded()) for each in _documents.decode(data)[:MAX_DOCUMENTS]]
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise DecodeError("Documents of the network cannot be read.", reason="bad-document") from error
        with self._peers.site.store.transaction() as tx:
            new = [each for each in said if each.kind in KINDS and not book.has_document(tx, each)]
            for each in new:
                membership.receive(tx, self._peers.book, each, peer, self._peers.site.clock())
