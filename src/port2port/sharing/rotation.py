"""Changing this node's key while it runs: announce the next one, go on with the present one, then change over.

Partners hear of the next key over connections that the present one still proves, and accept both from then on. So
there is no day on which all must act, and no call is refused. The old key is accepted for a week after the change
(`key_log.OVERLAP`), for what it signed on the way.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from port2port.capability import Site
from port2port.core.errors import BadInput, Conflict, NotFound
from port2port.sharing import documents
from port2port.sharing.announcing import sign_and_announce
from port2port.sharing.book import Book
from port2port.sharing.documents import KeyText, Kind
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import is_set_within
from port2port.store.identity import Identity, public_bytes

NOTICE = timedelta(days=7)
"""How long before the change partners are told: as long as a member may be away without missing anything."""
LOOK_S = 5.0


def rotate(site: Site, known: Book, notice: timedelta = NOTICE) -> datetime:
    """Announce a new key for this node; answers when it comes into use. Raises `NotFound`, `Conflict`."""
    identity, me, now = site.identity, site.party.node_id, site.clock()
    if not isinstance(identity, Identity):
        raise BadInput("The key of this node lies outside its folder.")
    with site.store.transaction() as tx:
        network = known.network(tx)
        if not network.is_member(me):
            raise NotFound("This node is in no network yet.", hint="A new folder has a new key.")
        keys = network.log.by_node[me]
        if keys.contested:
            raise Conflict("Two keys follow this node's: somebody else holds it.", hint="See: network new-key")
        if keys.newest != public_bytes(identity):
            raise Conflict("A new key is on its way already.", hint="Wait until it is in use.")
        text = KeyText(
            node_id=me,
            public_key=public_bytes(identity.next_key()).hex(),
            previous=keys.newest.hex(),
            recovery=keys.recovery,
            valid_from=max(now + notice, keys.steps[-1].valid_from),
            by=me,
        )
        sign_and_announce(site, known, tx, documents.sign(Kind.KEY, text, identity), now)
    return text.valid_from


def take_up_when_due(site: Site, known: Book) -> bool:
    """Change to the key that the network expects of us by now; whether there was something to do."""
    with site.store.reading() as view:
        network = known.network(view)
        due = network.key(site.party.node_id, site.clock())
    identity = site.identity
    if due is None or not isinstance(identity, Identity) or due == public_bytes(identity):
        return False
    if not identity.take_up(due):
        return False
    site.counters.add("sharing.key-changed")
    return True


class Rotation:
    """Changes over at the announced moment."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def run(self) -> None:
        """Look again and again until cancelled."""
        with self._peers.pulse.waking() as changed:
            while True:
                changed.clear()
                if await asyncio.to_thread(take_up_when_due, self._peers.site, self._peers.book):
                    self._peers.pulse.wake()
                await is_set_within(changed, LOOK_S)
