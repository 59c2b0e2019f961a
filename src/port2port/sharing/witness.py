"""Members tell each other which heads of third members' connections they saw: who signs two histories is found out.

A node that is told of its own connections learns whether it is behind its own word, as after a restored backup.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from port2port.core.errors import DecodeError
from port2port.sharing import calls, heads, restore, tables, verify, wire
from port2port.sharing.calls import CallFailed, PeerAnswer, PeerRequest, PeerRoute
from port2port.sharing.documents import Member
from port2port.sharing.entry import HASH_BYTES, MAX_SEQUENCE, Checkpoint
from port2port.sharing.limits import MAX_LANES
from port2port.sharing.outlet import may_read
from port2port.sharing.peers import Peers

PATH = "/p2p/v1/witness"
MAX_SEEN = 4 * MAX_LANES


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest head of one connection that a member holds, with its origin's signature."""

    lane: str
    seq: int
    chain: bytes
    ts_ms: int
    signature: bytes


_seen = msgspec.json.Decoder(list[Seen])


def decode(data: bytes) -> list[Checkpoint]:
    """Read what a member saw. Raises `DecodeError`."""
    try:
        found = _seen.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"Heads cannot be read: {error}.", reason="bad-witness") from error
    sane = all(
        wire.is_lane_id(each.lane)
        and 1 <= each.seq <= MAX_SEQUENCE
        and len(each.chain) == HASH_BYTES
        and 0 <= each.ts_ms < 2**63
        for each in found
    )
    if len(found) > MAX_SEEN or not sane:
        raise DecodeError("Heads have impossible values.", reason="bad-witness")
    return [Checkpoint(bytes.fromhex(each.lane), each.seq, each.chain, each.ts_ms, each.signature) for each in found]


def route(peers: Peers) -> PeerRoute:
    """Answers with the heads that we hold of others' connections, as far as the asker may read them."""

    def handle(peer: str, request: PeerRequest) -> PeerAnswer:
        site, now = peers.site, peers.site.clock()
        with site.store.reading() as view:
            network = peers.book.network(view)
            rows = [row for row in tables.foreign_lanes(view) if row.cursor.sequence]
            told = [
                Seen(
                    lane=row.lane.id.hex(),
                    seq=head.sequence,
                    chain=head.chain,
                    ts_ms=head.ts_ms,
                    signature=head.signature,
                )
                for row in rows
                if may_read(row.lane, peer, network, now)
                for head in [tables.checkpoint_after(view, row.lane.id, row.cursor.sequence - 1)]
                if head is not None and head.signature
            ]
        return PeerAnswer(200, msgspec.json.encode(told[:MAX_SEEN]))

    return PeerRoute("GET", PATH, handle)


class Witness:
    """Asks every connected member from time to time; at the start, before we say anything new."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def run(self) -> None:
        """Ask until cancelled."""
        await self._at_start()
        while True:
            await asyncio.sleep(self._peers.settings.witness_s)
            await self.ask_all()

    async def _at_start(self) -> None:
        """What partners hold of ours is looked at first: numbers are never used twice."""
        try:
            async with asyncio.timeout(self._peers.settings.start_check_s):
                await self.ask_all()
        except TimeoutError:
            pass
        finally:
            self._peers.may_write.set()

    async def ask_all(self) -> None:
        """One round."""
        network = await asyncio.to_thread(self._peers.network)
        others = network.others(self._peers.site.party.node_id)
        told = await asyncio.gather(*(self._ask(each) for each in others))
        mine = [(member, head) for member, heads_ in zip(others, told, strict=True) for head in heads_]
        for with_gaps in (False, True):  # content first, from whoever has it; bare numbers only if nobody has
            for member, head in mine:
                await restore.catch_up(self._peers, member, head, with_gaps)

    async def _ask(self, member: Member) -> list[Checkpoint]:
        """Compare what one member saw; answers heads of our own that we do not have."""
        try:
            answer = await calls.call(self._peers, member, "GET", PATH)
            if answer.status != 200:
                return []
            told = decode(answer.body)
        except CallFailed:
            return []
        except DecodeError as error:
            self._peers.site.counters.add(f"sharing.refused.{error.reason}")
            return []
        if unknown := await asyncio.to_thread(self._forgotten, told):
            await restore.learn_lanes(self._peers, member, unknown)
        return await asyncio.to_thread(self._compare, member.node_id, told)

    def _forgotten(self, told: Sequence[Checkpoint]) -> set[bytes]:
        """Lanes that we signed and do not know: we were restored from before they began."""
        site = self._peers.site
        with site.store.reading() as view:
            keys = self._peers.book.network(view).keys(site.party.node_id)
            unknown = [head for head in told if tables.find_lane(view, head.lane) is None]
        return {head.lane for head in unknown if verify.signed_by_any(head, keys)}

    def _compare(self, member: str, told: Sequence[Checkpoint]) -> list[Checkpoint]:
        """Note what proves a fork; answers heads of ours that lie beyond or beside what we have."""
        site, mine = self._peers.site, []
        with site.store.transaction() as tx:
            network = self._peers.book.network(tx)
            for head in told:
                row = tables.find_lane(tx, head.lane)
                if row is not None and row.own:
                    if restore.is_ahead(tx, row, head, network.keys(site.party.node_id)):
                        mine.append(head)
                else:
                    heads.compare(tx, site, head, member, network)
        return mine
