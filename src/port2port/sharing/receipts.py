"""Answers recalls with signed receipts, and takes in those of others.

A receipt is given when it is true: every reader of this node that keeps copies has dealt with the recall, and the
database's log is folded away. Both take a moment, so a task waits for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from port2port.core.exchange import ObjectErased, ObjectWithdrawn
from port2port.sharing import calls, forgetting, recall, recall_tables
from port2port.sharing.batch import Batch
from port2port.sharing.calls import CallFailed, PeerAnswer, PeerRequest, PeerRoute
from port2port.sharing.facts import RecallConfirmed
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import is_set_within
from port2port.sharing.recall import Receipt, Receipts, ReceiptText
from port2port.sharing.recall_tables import RecallRow
from port2port.sharing.taking_back import TakingBack
from port2port.store.types import to_us

LOOK_S = 30.0
RETRY_S = 1.0
READY_S = 0.1
"""How often it is asked whether a recall has been dealt with, while one is pending."""
RETENTION_S = 600.0
PATH = "/p2p/v1/receipts"
log = logging.getLogger("port2port.sharing")


class Confirming:
    """Gives our receipts to the origins."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._retention_at = 0.0

    async def run(self) -> None:
        """Confirm until cancelled; drop what may no longer be kept on the way."""
        loop = asyncio.get_running_loop()
        with self._peers.pulse.waking() as changed:
            while True:
                changed.clear()
                if loop.time() >= self._retention_at:
                    await asyncio.to_thread(expire_overdue, self._peers)
                    await asyncio.to_thread(reroute, self._peers)
                    self._retention_at = loop.time() + RETENTION_S
                pending, ready = await asyncio.to_thread(self._look)
                if ready:
                    sent = await self._send(ready)
                    wait_s = RETRY_S if not sent else READY_S
                else:
                    wait_s = READY_S if pending else LOOK_S
                await is_set_within(changed, wait_s)

    def _look(self) -> tuple[list[RecallRow], list[RecallRow]]:
        """What is not confirmed yet, and what of it is true to confirm now."""
        with self._peers.site.store.reading() as view:
            pending = recall_tables.pending_recalls(view, recall.MAX_RECEIPTS)
        is_done = bool(pending) and self._is_dealt_with() and self._peers.site.store.scrub()
        return pending, pending if is_done else []

    def _is_dealt_with(self) -> bool:
        """Whether nothing that was taken back is ahead of a reader that keeps copies.

        A reader's cursor alone does not say so: it moves only with what concerns that reader.
        """
        store, kinds = self._peers.site.store, {ObjectWithdrawn.kind(), ObjectErased.kind()}
        names = self._peers.site.others.readers(ObjectWithdrawn, ObjectErased)
        with store.reading() as view:
            cursors = [view.cursor(name) for name in names]
        return not any(store.read(cursor, 1, kinds) for cursor in cursors)

    async def _send(self, ready: Sequence[RecallRow]) -> bool:
        """Post them, one call to each origin; answers whether any arrived."""
        network = self._peers.network()
        arrived = False
        for origin in {each.origin for each in ready}:
            member = network.members.get(origin)
            rows = [each for each in ready if each.origin == origin]
            if member is None or not network.is_member(origin):
                await asyncio.to_thread(self._settle, rows)
                continue
            body = msgspec.json.encode(Receipts([self._receipt(each) for each in rows]))
            try:
                answer = await calls.call(self._peers, member, "POST", PATH, body)
            except CallFailed:
                continue
            if answer.status == 204:
                await asyncio.to_thread(self._settle, rows)
                arrived = True
        return arrived

    def _settle(self, rows: Sequence[RecallRow]) -> None:
        with self._peers.site.store.transaction() as tx:
            recall_tables.settle_recalls(tx, (each.id for each in rows))

    def _receipt(self, row: RecallRow) -> Receipt:
        now = self._peers.site.clock()
        text = ReceiptText(
            recall=row.id.hex(),
            by=self._peers.site.party.node_id,
            done_at=now,
            removed=row.count,
            backups_until=now + timedelta(days=self._peers.settings.backups_kept_days),
        )
        return recall.sign_receipt(text, self._peers.site.identity)


def route(peers: Peers) -> PeerRoute:
    """Takes in receipts for what we took back."""

    def handle(peer: str, request: PeerRequest) -> PeerAnswer:
        posted = recall.decode_receipts(request.body)
        site, now = peers.site, peers.site.clock()
        with site.store.transaction() as tx:
            network = peers.book.network(tx)
            for receipt in posted:
                text = recall.read_receipt(receipt, peer, *network.keys(peer))
                recall_id = bytes.fromhex(text.recall)
                known = recall_tables.find_recall(tx, recall_id)
                if known is None or not known.own or peer not in known.holders:
                    site.counters.add("sharing.refused.unasked-receipt")
                    continue
                if recall_tables.save_receipt(tx, recall_id, peer, receipt, now):
                    tx.append(
                        RecallConfirmed(
                            at=now, recall=text.recall, by=peer, by_name=network.name(peer), removed=text.removed
                        )
                    )
        return PeerAnswer(204)

    return PeerRoute("POST", PATH, handle, at_any_time=True)


def reroute(peers: Peers) -> int:
    """An agreement ends without anybody saying so: look now and then who can no longer read what he must drop."""
    site = peers.site
    with site.store.transaction() as tx:
        network = peers.book.network(tx)
        return TakingBack(site, tx, network, Batch(site, tx, network)).reroute()


def expire_overdue(peers: Peers) -> int:
    """Drop, at every node, what its label says may no longer be kept; answers how many entries."""
    site, total = peers.site, 0
    while True:
        now_us = to_us(site.clock())
        with site.store.reading() as view:
            found = forgetting.overdue(view, now_us)
        if not found:
            break
        with site.store.transaction() as tx:
            for lane, origin, own, held in found:
                total += forgetting.expire(tx, lane, origin, own, held)
    if total:
        site.counters.add("sharing.expired", total)
        log.info("%d entries whose retention has ended were dropped", total)
    return total
