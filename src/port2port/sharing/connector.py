"""Reads from every partner: one connection per partner and class, called again when it is lost."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from random import Random
from time import monotonic

from port2port.core.errors import Unavailable
from port2port.sharing.book import Version, version
from port2port.sharing.credentials import Credentials
from port2port.sharing.documents import Member
from port2port.sharing.facts import PeerConnected, PeerLost
from port2port.sharing.intake import Intake
from port2port.sharing.lane import Class
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import is_set_within
from port2port.sharing.roster import Network
from port2port.sharing.status import PeerStatus
from port2port.sharing.stream import Stream, StreamEnded

FIRST_PAUSE_S = 0.1
FAST_ATTEMPTS = 12
"""Attempts before the pause grows beyond half a second: a whole network may be starting."""
FAST_PAUSE_S = 0.5
STEADY_S = 5.0
"""A connection that lasted longer was a good one: the next attempt comes at once."""
LOOK_S = 1.0
log = logging.getLogger("port2port.sharing")


def pause_s(attempt: int, longest_s: float, random: Random) -> float:
    """How long to wait before the next attempt: doubling, jittered, fast at first."""
    most = FAST_PAUSE_S if attempt <= FAST_ATTEMPTS else longest_s
    doublings = attempt if attempt <= FAST_ATTEMPTS else attempt - FAST_ATTEMPTS + 3
    grown: float = FIRST_PAUSE_S * 2 ** min(doublings, 20)
    return min(most, longest_s, grown) * random.uniform(0.5, 1.0)


@dataclass(frozen=True)
class _Line:
    """What identifies a connection; another address or key makes another one."""

    node: str
    key: str
    address: str
    urgency: Class
    origin: str = ""
    """Whose entries this partner hands on to us, when not its own."""


class Connector:
    """Keeps the connections to all members of the network of now."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._credentials = Credentials(peers.site)
        self._intake = Intake(peers.site, peers.book)
        self._random = Random(peers.public_key)  # noqa: S311 - spreads calls, keeps no secret
        self._running: dict[_Line, asyncio.Task[None]] = {}
        self._network = Network()
        self._version: Version | None = None
        self._started = peers.site.clock()
        self._news = asyncio.Event()
        """Set when there is something to report or to match."""

    async def run(self) -> None:
        """Connect until cancelled."""
        try:
            with self._peers.pulse.waking() as changed:
                self._news = changed
                while True:
                    changed.clear()
                    await self._match_network()
                    await asyncio.to_thread(self._report)
                    await is_set_within(changed, LOOK_S)
        finally:
            await self._end(list(self._running))

    async def _match_network(self) -> None:
        """Start what the roster asks for, end what it no longer does."""
        await asyncio.to_thread(self._look)
        members = self._network.others(self._peers.site.party.node_id)
        if not self._network.is_member(self._peers.site.party.node_id):
            members = []
        self._peers.statuses.keep_only(each.node_id for each in members)
        wanted = {
            _Line(each.node_id, self._keys(each), each.address, urgency): each for each in members for urgency in Class
        }
        handed_on = self._handed_on(members) if self._peers.settings.hand_on else {}
        through = {line.origin: line.node for line in handed_on}
        for each in members:
            self._peers.statuses.of(each.node_id).through = through.get(each.node_id, "")
        wanted |= handed_on
        await self._end([line for line in self._running if line not in wanted])
        for line, member in wanted.items():
            if line not in self._running:
                name = f"sharing.{member.short_name}.{line.urgency}"
                self._running[line] = asyncio.create_task(self._keep(member, line), name=name)

    def _handed_on(self, members: list[Member]) -> dict[_Line, Member]:
        """For each partner that cannot be reached: one that can, and may have its entries."""
        reached = [each for each in members if self._peers.statuses.of(each.node_id).connected]
        found: dict[_Line, Member] = {}
        for away in members:
            if away in reached or not reached or not self._is_long_away(away.node_id):
                continue
            present = {line.node for line in self._running if line.origin == away.node_id}
            through = next((each for each in reached if each.node_id in present), None) or self._random.choice(reached)
            for urgency in Class:
                line = _Line(through.node_id, self._keys(through), through.address, urgency, away.node_id)
                found[line] = through
        return found

    def _keys(self, member: Member) -> str:
        """Whose keys prove both ends now: with another one, the connection is made anew."""
        theirs = self._network.key(member.node_id, self._peers.site.clock()) or b""
        return (theirs + self._peers.public_key).hex()

    def _is_long_away(self, node: str) -> bool:
        status = self._peers.statuses.of(node)
        since = status.since or self._started
        return (self._peers.site.clock() - since).total_seconds() >= self._peers.settings.hand_on_after_s

    def _look(self) -> None:
        with self._peers.site.store.reading() as view:
            newest = version(view)
            if newest != self._version:
                self._network, self._version = self._peers.book.network(view), newest

    async def _end(self, lines: list[_Line]) -> None:
        tasks = [self._running.pop(line) for line in lines]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, member: Member, line: _Line) -> None:
        """Call, read, and call again for as long as it is a member."""
        status = self._peers.statuses.of(member.node_id)
        knock = self._peers.knocks.setdefault(member.node_id, asyncio.Event())
        attempt = 0
        while True:
            knock.clear()
            began = monotonic()
            problem = await self._once(member, line)
            steady = monotonic() - began > STEADY_S or problem == "began-with-live-set"
            attempt = 0 if steady else attempt + 1
            if not line.origin:
                status.closed(line.urgency, self._peers.site.clock(), problem)
            wait_s = pause_s(attempt, self._peers.settings.longest_pause_s, self._random)
            if problem in _UNREACHABLE:
                await is_set_within(knock, wait_s)
            else:
                await asyncio.sleep(wait_s)

    async def _once(self, member: Member, line: _Line) -> str:
        """One connection from its beginning to its end; answers why it ended."""
        try:
            stream = Stream(self._peers, self._credentials, self._intake, member, line.urgency, line.origin)
            stream.on_open = self._news.set
            await stream.run()
        except StreamEnded as ended:
            return ended.reason
        except Unavailable:
            return "our-store-is-away"
        except Exception:  # a partner may fail in any way; the others go on
            self._peers.site.counters.add("sharing.stream.failed")
            log.exception("The connection to %s failed", member.short_name)
            return "failed"
        return "ended"

    def _report(self) -> None:
        """Say in the journal who can be heard and who no longer; only changes, and no flapping."""
        now = self._peers.site.clock()
        for member in self._network.others(self._peers.site.party.node_id):
            status = self._peers.statuses.of(member.node_id)
            if status.connected and not status.told:
                self._tell(status, PeerConnected(at=now, node_id=member.node_id, name=member.name), True)
            elif status.told and not status.connected and status.since is not None:
                away_s = (now - status.since).total_seconds()
                if away_s >= self._peers.settings.lost_after_s:
                    lost = PeerLost(at=now, node_id=member.node_id, name=member.name, since=status.since)
                    self._tell(status, lost, False)

    def _tell(self, status: PeerStatus, fact: PeerConnected | PeerLost, connected: bool) -> None:
        with self._peers.site.store.transaction() as tx:
            tx.append(fact)
        status.told = connected


_UNREACHABLE = frozenset({"unreachable", "refused", "silent"})
"""Problems that are over when the partner calls us."""
