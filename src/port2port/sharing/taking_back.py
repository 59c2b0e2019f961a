"""The origin's side of a recall: which entries it means, who must confirm, and where it travels.

It travels urgently to the same readers as what it takes back. Who may no longer read there, because he left the group
or the agreement ended, still holds what he read before: he gets it in a connection of his own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from port2port.capability import Site
from port2port.core.handling import Scope
from port2port.sharing import ack_tables, outlet, recall, recall_tables, tables
from port2port.sharing.batch import Batch
from port2port.sharing.entry import Op
from port2port.sharing.facts import RecallIssued, RecallOrdered
from port2port.sharing.forgetting import VERDICTS, vanished
from port2port.sharing.lane import NETWORK, Class, Lane, direct_to, handling_of, member_of
from port2port.sharing.recall import Recall, Why
from port2port.sharing.recall_tables import Dropped, RecallRow
from port2port.sharing.roster import Network
from port2port.store import Reading, Transaction

ORDERS = {"withdraw": Op.WITHDRAW, "erase": Op.ERASE}
MAX_OUTSTANDING = 10_000
"""Recalls of ours, newest first, of which it is still looked after who gets them."""
OP_NAMES = {Op.WITHDRAW: "withdraw", Op.ERASE: "erase", Op.SUPERSEDE: "supersede"}


class TakingBack:
    """Recalls inside one transaction of the sequencer."""

    def __init__(self, site: Site, tx: Transaction, network: Network, batch: Batch) -> None:
        self._site, self._tx, self._network, self._batch = site, tx, network, batch
        self._me, self._now = site.party.node_id, site.clock()
        self._known_acks: list[ack_tables.AckRow] | None = None

    def carry_out(self, order: RecallOrdered) -> None:
        """Take back all versions of these objects from everybody; an erasure removes them here too."""
        op = ORDERS[order.op]
        entries = recall_tables.own_entries_of(self._tx, order.object_ids, self._me)
        for lane, held in _by_lane(entries):
            dropped = self.recall(lane, held, op, Why(order.reason), order.account)
            if op is Op.ERASE:
                self._erase_here(dropped, order.reason)

    def move(self, object_id: str, to: Lane, account: str) -> None:
        """The object goes on under another label: who reads only the old connection drops it."""
        entries = recall_tables.own_entries_of(self._tx, [object_id], self._me)
        for lane, held in _by_lane(entries):
            row = tables.find_lane(self._tx, lane)
            assert row is not None
            if row.lane.audience != to.audience:
                self.recall(lane, held, Op.SUPERSEDE, Why.NARROWED, account)

    def recall(
        self, lane: bytes, held: Sequence[tuple[int, str, int]], op: Op, reason: Why, account: str
    ) -> list[Dropped]:
        """Take back entries of one lane of ours; their content is destroyed here at once."""
        row = tables.find_lane(self._tx, lane)
        assert row is not None
        dropped: list[Dropped] = []
        for at in range(0, len(held), recall.MAX_ENTRIES):
            some = held[at : at + recall.MAX_ENTRIES]
            self._issue(row.lane, some, op, reason, account)
            dropped += recall_tables.drop_entries(self._tx, lane, self._me, some, VERDICTS[op])
        return dropped

    def _issue(self, lane: Lane, held: Sequence[tuple[int, str, int]], op: Op, reason: Why, account: str) -> None:
        numbers = [sequence for sequence, _, _ in held]
        said = Recall(id=self._site.new_id().replace("-", ""), lane=lane.id.hex(), entries=numbers, reason=reason)
        holders = holders_of(self._tx, lane, min(numbers), self._network, self._me, self._now)
        direct = carry(self._batch, lane, said, op, holders, self._network, self._now)
        ids = {object_id for _, object_id, _ in held}
        one = ids.pop() if len(ids) == 1 and op is not Op.ERASE else ""
        kinds = recall_tables.kinds_of(self._tx, [one], self._me) if one else {}
        recall_tables.add_recall(
            self._tx,
            RecallRow(
                id=bytes.fromhex(said.id),
                own=True,
                origin=self._me,
                lane=lane.id,
                op=op,
                entries=tuple(numbers),
                count=len(numbers),
                object_kind=kinds[one][0] if one in kinds else "",
                object_id=one,
                reason=reason,
                account=account,
                at=self._now,
                holders=tuple(sorted(holders)),
                state=recall_tables.direct_text(direct),
            ),
        )
        self._tx.append(
            RecallIssued(
                at=self._now,
                recall=said.id,
                op=OP_NAMES[op],
                count=len(numbers),
                reason=reason,
                account=account,
                holders=tuple(sorted(holders)),
            )
        )

    def reroute(self) -> int:
        """Who has not confirmed, and may no longer read where the recall stands, gets it in his own connection.

        Answers how many were sent again.
        """
        sent = 0
        rows = recall_tables.own_recalls(self._tx, MAX_OUTSTANDING)
        confirmed = recall_tables.receipts_of(self._tx, [row.id for row in rows])
        for row in rows:
            lane = tables.find_lane(self._tx, row.lane)
            late = self._confirmed_since(row)
            waiting = (set(row.holders) | late) - confirmed[row.id].keys() - set(row.direct)
            if late:
                recall_tables.note_holders(self._tx, row, late)
            if lane is None or not waiting:
                continue
            sibling = Lane(lane.lane.origin, lane.lane.audience, Class.FLASH)
            lost = {
                each
                for each in waiting
                if self._network.is_member(each) and not outlet.may_read(sibling, each, self._network, self._now)
            }
            said = Recall(id=row.id.hex(), lane=row.lane.hex(), entries=list(row.entries or ()), reason=Why(row.reason))
            for each in sorted(lost):
                self._batch.put(Lane(self._me, direct_to(each), Class.FLASH), recall.encode(said), op=row.op)
            if lost:
                recall_tables.note_direct(self._tx, row, lost)
            sent += len(lost)
        self._batch.flush()
        return sent

    def _confirmed_since(self, row: RecallRow) -> set[str]:
        """Members who say that they have read it, and of whom we did not know: we were restored from a backup."""
        first = min(row.entries or (1,))
        readers = {each.peer for each in self._acks() if each.lane == row.lane and each.sequence >= first}
        return {each for each in readers - set(row.holders) if self._network.is_member(each)}

    def _acks(self) -> list[ack_tables.AckRow]:
        if self._known_acks is None:
            self._known_acks = ack_tables.all_acks(self._tx)
        return self._known_acks

    def drop(self, lane: bytes, held: Sequence[tuple[int, str, int]], op: Op, reason: str) -> None:
        """Destroy the content of entries of ours, and with an erasure the objects themselves."""
        dropped = recall_tables.drop_entries(self._tx, lane, self._me, held, VERDICTS[op])
        if op is Op.ERASE:
            self._erase_here(dropped, reason)

    def _erase_here(self, dropped: Sequence[Dropped], reason: str) -> None:
        self._tx.forget_bodies([(each.object_id, each.version) for each in dropped])
        recall_tables.forget_dropped(self._tx, dropped, self._me)
        for each in dropped:
            if each.newest:
                self._tx.append(vanished(Op.ERASE, each, each.object_id, self._me, reason, self._now))


def holders_of(view: Reading, lane: Lane, first: int, network: Network, me: str, now: datetime) -> set[str]:
    """Members who may have read an entry from number `first` on: all for whom it is or was meant, and who confirmed."""
    confirmed = {each.peer for each in ack_tables.all_acks(view) if each.lane == lane.id and each.sequence >= first}
    entitled = {each.node_id for each in network.others(me) if outlet.may_read(lane, each.node_id, network, now)}
    return {each for each in confirmed | entitled | _meant(view, lane, network) if network.is_member(each)} - {me}


def _meant(view: Reading, lane: Lane, network: Network) -> set[str]:
    """The audience without the agreement, which may have ended since they read."""
    if lane.audience == NETWORK or member_of(lane.audience):
        return set()
    handling = handling_of(lane)
    if handling.audience.scope is Scope.NODES:
        return set(handling.audience.nodes)
    agreement = network.roster.agreements.get(handling.agreement_id)
    if handling.audience.scope is Scope.ALL_MEMBERS:
        return set(agreement.parties) if agreement else set(network.members)
    row = tables.find_lane(view, lane.id)
    return set(msgspec.json.decode(row.members, type=list[str])) if row and row.members else set()


def carry(
    batch: Batch, lane: Lane, said: Recall, op: Op, holders: Iterable[str], network: Network, now: datetime
) -> set[str]:
    """Put a recall where all its holders will read it; answers who gets it in his own connection."""
    body = recall.encode(said)
    sibling = Lane(lane.origin, lane.audience, Class.FLASH)
    readers = {each for each in holders if outlet.may_read(sibling, each, network, now)}
    if readers and lane.audience != NETWORK:
        batch.put(sibling, body, op=op)
    direct = set(holders) - readers
    for each in sorted(direct):
        batch.put(Lane(lane.origin, direct_to(each), Class.FLASH), body, op=op)
    return direct


def _by_lane(
    entries: Sequence[tuple[bytes, int, str, int]],
) -> list[tuple[bytes, list[tuple[int, str, int]]]]:
    found: dict[bytes, list[tuple[int, str, int]]] = {}
    for lane, sequence, object_id, version in entries:
        found.setdefault(bytes(lane), []).append((sequence, object_id, version))
    return list(found.items())
