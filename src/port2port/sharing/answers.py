"""What other capabilities may ask about the network."""

from __future__ import annotations

from collections.abc import Sequence

from port2port.core.handling import Agreement, Roster
from port2port.sharing.peers import Peers


class NetworkAnswers:
    """Answers the ask `network`."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def roster(self) -> Roster:
        """Who is in the network now; empty before this node is in one."""
        return self._peers.network().roster

    def own_agreements(self) -> Sequence[Agreement]:
        """The agreements in force now that this node has signed, by title."""
        me, now = self._peers.site.party.node_id, self._peers.site.clock()
        found = self._peers.network().roster.agreements.values()
        return sorted(
            (each for each in found if me in each.parties and each.starts <= now < each.ends),
            key=lambda each: each.title,
        )
