"""How logs are confirmed between nodes: what we answer, and the round that asks partners every minute.

In a round the newest checkpoint goes to partners until enough have confirmed it. Then some partners are asked for
their own newest checkpoint, and for what they confirmed of others: two words about one log must go together, or
the log itself shows the proof that they do. So a log that tells two partners two stories is found out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from random import Random

from port2port.capability import Site
from port2port.core.errors import DecodeError
from port2port.sharing.audit import checkpoint, log, note, tables, witness
from port2port.sharing.audit.checkpoint import Checkpoint
from port2port.sharing.audit.limits import FIRST_ROUND_S, MAX_AGREED, WITNESS_EVERY_S, WITNESSES_ASKED
from port2port.sharing.audit.log import AuditLog
from port2port.sharing.audit.merkle import is_consistent
from port2port.sharing.audit.note import Note
from port2port.sharing.audit.tables import Cosignature, Seen, StoredCheckpoint
from port2port.sharing.audit.witness import TEXT, Request, Witness
from port2port.sharing.calls import CallFailed, PeerAnswer, PeerRequest, PeerRoute
from port2port.sharing.documents import Member

Call = Callable[[Member, str, str, bytes], Awaitable[PeerAnswer]]
"""Ask a member: method, path, body. Raises `CallFailed`."""


@dataclass(frozen=True)
class Answers:
    """What members may ask about audit logs."""

    site: Site
    witness: Witness

    def routes(self) -> tuple[PeerRoute, ...]:
        return (
            PeerRoute("GET", "/p2p/v1/audit/checkpoint", self.checkpoint),
            PeerRoute("GET", "/p2p/v1/audit/proof", self.proof),
            PeerRoute("GET", "/p2p/v1/audit/seen", lambda peer, request: self.witness.seen()),
            PeerRoute("POST", "/p2p/v1/audit/cosign", lambda peer, request: self.witness.cosign(peer, request.body)),
        )

    def checkpoint(self, peer: str, request: PeerRequest) -> PeerAnswer:
        """Our newest checkpoint, with the confirmations that it has."""
        with self.site.store.reading() as view:
            newest = log.newest_note(view)
        return PeerAnswer(200, newest.encode(), TEXT) if newest else PeerAnswer(404, content_type=TEXT)

    def proof(self, peer: str, request: PeerRequest) -> PeerAnswer:
        """That our tree of `old` leaves is a beginning of that of `size`; 422 when there is no such proof."""
        old, size = (checkpoint.number(request.query.get(each, "")) for each in ("old", "size"))
        with self.site.store.reading() as view:
            if not old <= size <= tables.size(view):
                return PeerAnswer(422, content_type=TEXT)
            return PeerAnswer(200, witness.proof_text(log.consistency(view, old, size)).encode(), TEXT)


@dataclass
class Rounds:
    """The task of one node: get its log confirmed, and compare what is known of the others'."""

    site: Site
    log: AuditLog
    witness: Witness
    others: Callable[[], Sequence[Member]]
    call: Call
    random: Random = field(default_factory=Random)
    agreed: set[tuple[str, int, int]] = field(default_factory=set)
    """Log and two sizes that were proven to go together."""

    async def run(self) -> None:
        """Round after round until cancelled."""
        await asyncio.sleep(FIRST_ROUND_S * (0.5 + 0.5 * self.random.random()))
        while True:
            await self.round()
            await asyncio.sleep(WITNESS_EVERY_S * (0.9 + 0.2 * self.random.random()))

    async def round(self) -> None:
        """Once: confirm and compare."""
        partners = list(await asyncio.to_thread(self.others))
        self.random.shuffle(partners)
        newest = await asyncio.to_thread(self._newest)
        if newest is not None:
            await self._get_confirmed(newest, partners)
        for each in partners[:WITNESSES_ASKED]:
            await self._compare_with(each, {other.node_id: other for other in partners})

    def _newest(self) -> StoredCheckpoint | None:
        with self.site.store.transaction() as tx:
            return self.log.make_checkpoint(tx)

    async def _get_confirmed(self, newest: StoredCheckpoint, partners: Sequence[Member]) -> None:
        """Ask one after the other until enough have confirmed."""
        confirmed = await asyncio.to_thread(self._confirmed, newest.size)
        for each in partners:
            if len(confirmed & {one.node_id for one in partners}) >= WITNESSES_ASKED:
                return
            if each.node_id not in confirmed and await self._ask(newest, each):
                confirmed |= {each.node_id}

    def _confirmed(self, size: int) -> set[str]:
        with self.site.store.reading() as view:
            return {each.witness for each in tables.cosignatures_at(view, size)}

    async def _ask(self, newest: StoredCheckpoint, member: Member) -> bool:
        """Whether this partner confirmed; when it is elsewhere than we thought, it says where, and is asked again."""
        old = await asyncio.to_thread(self._confirmed_by, member.node_id)
        for _ in range(2):
            body = await asyncio.to_thread(self._request, newest, min(old, newest.size))
            answer = await self._call(member, "POST", "/p2p/v1/audit/cosign", body)
            if answer is None:
                return False
            if answer.status != 409:
                return answer.status == 200 and await asyncio.to_thread(self._keep, newest, member, answer.body)
            old = _size(answer.body)
            if not 0 <= old <= newest.size:
                break
        self.site.counters.add("sharing.audit.not-confirmed")
        return False

    def _confirmed_by(self, node: str) -> int:
        with self.site.store.reading() as view:
            return tables.confirmed_by(view, node)

    def _request(self, newest: StoredCheckpoint, old: int) -> bytes:
        with self.site.store.reading() as view:
            proof = log.consistency(view, old, newest.size)
        return Request(old, tuple(proof), note.decode(newest.note)).encode()

    def _keep(self, newest: StoredCheckpoint, member: Member, data: bytes) -> bool:
        """Keep a confirmation that is the partner's and fits."""
        text = note.decode(newest.note).text
        try:
            lines = note.read_signatures(data.decode("utf-8", "replace"))
        except DecodeError:
            lines = ()
        with self.site.store.transaction() as tx:
            public = self.witness.any_keys_of(tx, member.node_id)
            keys = [checkpoint.witness_key(member.node_id, each) for each in public]
            for line, key in product(lines, keys):
                if at := checkpoint.cosigned_at(text, line, key):
                    tables.save_cosignature(tx, Cosignature(newest.size, member.node_id, at, line.line()))
                    return True
        self.site.counters.add("sharing.refused.audit-wrong-confirmation")
        return False

    async def _compare_with(self, member: Member, known: dict[str, Member]) -> None:
        """Its own newest checkpoint, and what it confirmed of the others and of us."""
        own = await self._call(member, "GET", "/p2p/v1/audit/checkpoint")
        told = await self._call(member, "GET", "/p2p/v1/audit/seen")
        try:
            notes = [note.decode(own.body)] if own and own.status == 200 else []
            notes += witness.read_seen(told.body) if told and told.status == 200 else []
            for each in notes:
                await self._compare(each, member, known)
        except DecodeError as error:
            self.site.counters.add(f"sharing.refused.audit-{error.reason}")

    async def _compare(self, given: Note, teller: Member, known: dict[str, Member]) -> None:
        """Does this word about a log go together with what we confirmed of it?"""
        node = checkpoint.node_of(checkpoint.read(given.text).origin)
        if node == self.site.party.node_id:
            await asyncio.to_thread(self._about_us, given, teller.node_id)
            return
        pair = await asyncio.to_thread(self._pair, node, given)
        if pair is None or node not in known:
            return
        ours, theirs = pair
        first, second = sorted((ours.size, theirs.size))
        if (node, first, second) in self.agreed and first != second:
            return
        agrees = await self._goes_together(known[node], ours, theirs)
        if agrees is True:
            if len(self.agreed) >= MAX_AGREED:
                self.agreed.clear()
            self.agreed.add((node, first, second))
        elif agrees is False:
            await asyncio.to_thread(self._contradiction, node, given, teller.node_id)

    def _pair(self, node: str, given: Note) -> tuple[Seen, Checkpoint] | None:
        with self.site.store.reading() as view:
            ours, theirs = (
                tables.find_seen(view, node),
                checkpoint.of_log(given, node, self.witness.any_keys_of(view, node)),
            )
        return (ours, theirs) if ours and theirs and not ours.witness else None

    async def _goes_together(self, owner: Member, ours: Seen, theirs: Checkpoint) -> bool | None:
        """None: the owner of the log could not be asked."""
        if ours.size == theirs.size:
            return ours.root == theirs.root
        (old, old_root), (size, root) = sorted(((ours.size, ours.root), (theirs.size, theirs.root)))
        answer = await self._call(owner, "GET", f"/p2p/v1/audit/proof?old={old}&size={size}")
        if answer is None or answer.status not in (200, 422):
            return None
        try:
            proof = witness.read_proof(answer.body)
        except DecodeError:
            return False
        return answer.status == 200 and is_consistent(old, old_root, size, root, proof)

    def _contradiction(self, node: str, given: Note, teller: str) -> None:
        with self.site.store.transaction() as tx:
            known = tables.find_seen(tx, node)
            if known is not None:
                self.witness.contradiction(tx, known, given.encode(), teller)

    def _about_us(self, given: Note, teller: str) -> None:
        """A partner holds a checkpoint that our key signed: it must be in our log."""
        me = self.site.party.node_id
        with self.site.store.transaction() as tx:
            said = checkpoint.of_log(given, me, self.witness.any_keys_of(tx, me))
            if said and not (said.size <= tables.size(tx) and log.root_at(tx, said.size) == said.root):
                self.log.contradicted(tx, teller, said.size, given.encode())

    async def _call(self, member: Member, method: str, path: str, body: bytes = b"") -> PeerAnswer | None:
        try:
            return await self.call(member, method, path, body)
        except CallFailed:
            self.site.counters.add("sharing.audit.unreachable")
            return None


def _size(body: bytes) -> int:
    """The size in a witness's 409; -1 when it is none."""
    try:
        return checkpoint.number(body[:21].decode("ascii", "replace").removesuffix("\n"))
    except DecodeError:
        return -1
