"""Brings what was published here, or arrived from others, to the collection of its lane.

The journal's reader only notes down what there is to do, so that a long catch-up holds nobody up. The work itself is
done a little at a time, and only once some program may read at all.

What is recalled leaves every collection at once. Programs that only poll never hear of a deletion, so they are offered
a revoked version that says nothing any more. That is the best that TAXII can do, and no proof.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from port2port.core.errors import DecodeError
from port2port.core.exchange import ObjectArrived, ObjectErased, ObjectWithdrawn
from port2port.core.fact import Fact, Recorded
from port2port.sharing.facts import ObjectPublished
from port2port.sharing.lane import audience_of
from port2port.sharing.peers import Peers
from port2port.sharing.taxii import access, accounts, check, merged, revoked, shelf, tables, taking_out
from port2port.sharing.taxii.check import Failure
from port2port.sharing.taxii.rows import Item, Placed
from port2port.sharing.taxii.shelf import Outcome
from port2port.sharing.taxii.tables import Kind, Noted, Waiting
from port2port.store import Reading, Transaction
from port2port.store.types import to_us

FACTS: tuple[type[Fact], ...] = (ObjectPublished, ObjectArrived, ObjectWithdrawn, ObjectErased)
REVOKED_KEPT = timedelta(days=365)
"""How long a revoked version is offered to programs that have not polled since."""
AT_ONCE = 100
"""Bundles brought to their collections in one transaction."""
LOOK_EACH_S = 5.0
COMMIT_S = 0.05
"""What is noted down is committed soon after."""
LONGEST_REST_S = 0.2
"""Between two portions it rests as long as it worked, and at most this."""
_ENTRY = (
    "SELECT e.lane, e.retain_until FROM sharing_entry e JOIN sharing_lane l ON l.id = e.lane"
    " WHERE e.object_id = ? AND e.version = ? AND l.origin = ? LIMIT 1"
)
_LIKE = "SELECT id FROM sharing_lane WHERE origin = ? AND audience = ? ORDER BY urgency, epoch DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class _Bundle:
    """One bundle, read and checked."""

    waiting: Waiting
    body: bytes
    items: list[Item]


class Feeder:
    """One node's way from the journal to the collections."""

    def __init__(self, peers: Peers) -> None:
        self._peers, self._site = peers, peers.site
        self._wake: Callable[[], None] = lambda: None

    def handle(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Note down one page of the journal, inside the reader's transaction."""
        waiting: list[Noted] = []
        for recorded in page:
            fact = recorded.fact
            if isinstance(fact, ObjectPublished):
                waiting.append(self._published(tx, fact))
            elif isinstance(fact, ObjectArrived):
                waiting.append(_arrived(tx, fact))
            elif isinstance(fact, ObjectWithdrawn | ObjectErased):
                tables.add_waiting(tx, waiting)
                waiting = []
                self._recall(tx, fact.object_id, fact.version)
        tables.add_waiting(tx, waiting)
        self._wake()

    def _published(self, tx: Transaction, fact: ObjectPublished) -> Noted:
        entry = tx.rows(_ENTRY, (fact.object_id, fact.version, self._site.party.node_id))
        return fact.object_id, fact.version, fact.lane, entry[0][1] if entry else None

    async def run(self) -> None:
        """Work whenever something was noted down, and now and then: another process may have made an account."""
        loop, noted = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(noted.set)  # type: ignore[assignment]
        while True:
            await asyncio.to_thread(self.work)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(noted.wait(), LOOK_EACH_S)
            noted.clear()
            await asyncio.sleep(COMMIT_S)

    def work(self) -> None:
        """Bring all that waits to its collection, when there is a program that may read."""
        while True:
            began = time.monotonic()
            with self._site.store.reading() as view:
                if not any(each.may_read for each in accounts.all_accounts(view)):
                    return
                waiting = tables.waiting(view, AT_ONCE)
                bundles = self._read(view, waiting)
            if not waiting:
                return
            with self._site.store.transaction() as tx:
                self._bring(tx, waiting, bundles)
            time.sleep(min(time.monotonic() - began, LONGEST_REST_S))

    def _read(self, view: Reading, waiting: Sequence[Waiting]) -> list[_Bundle]:
        """Outside of any transaction. A bundle that was forgotten since is passed by."""
        bodies = view.bodies([(each.body_id, each.body_version) for each in waiting])
        found = []
        for each, body in zip(waiting, bodies, strict=True):
            items = self._readable(body) if body is not None else []
            if body is not None and items:
                found.append(_Bundle(each, body, items))
        return found

    def _readable(self, body: bytes) -> list[Item]:
        try:
            found = list(check.objects_of(body))
        except DecodeError as error:
            self._site.counters.add(f"sharing.refused.taxii-{error.reason}")
            return []
        failed = sum(isinstance(each, Failure) for each in found)
        if failed:
            self._site.counters.add("sharing.refused.taxii-object", failed)
        return [each for each in found if isinstance(each, Item)]

    def _bring(self, tx: Transaction, waiting: Sequence[Waiting], bundles: Sequence[_Bundle]) -> None:
        """Every object on the shelf of its lane; what was recalled meanwhile no longer waits."""
        still = tables.remove_waiting(tx, [each.number for each in waiting])
        of_lane: dict[str, list[_Bundle]] = defaultdict(list)
        for each in bundles:
            if each.waiting.number in still and each.waiting.lane:
                of_lane[each.waiting.lane].append(each)
        for lane, some in of_lane.items():
            self._fill(tx, lane, some)
        if of_lane:
            self._merge(tx)

    def _fill(self, tx: Transaction, lane: str, bundles: Sequence[_Bundle]) -> None:
        collection = tables.find_or_add(tx, Kind.LANE, lane)
        rows = [(each.waiting.body_id, each.waiting.body_version, each.waiting.retain_until_us) for each in bundles]
        first = tables.add_packs(tx, collection.number, rows)
        placed = [spot for pack, each in enumerate(bundles, first) for spot in _placed(each.body, each.items, pack)]
        raws = [item.raw for each in bundles for item in each.items]
        outcomes = shelf.place(tx, collection, placed, raws.__getitem__, self._site.clock())
        if contradicted := outcomes.count(Outcome.CONTRADICTS):
            self._site.counters.add("sharing.refused.taxii-contradiction", contradicted)

    def _recall(self, tx: Transaction, body_id: str, version: int) -> None:
        tables.forget_waiting(tx, body_id, version)
        packs = [each.number for each in tables.packs_of(tx, body_id) if each.body_version <= version]
        now = self._site.clock()
        for number, objects in taking_out.remove_packs(tx, packs, now).items():
            collection = tables.get(tx, number)
            if collection.kind is Kind.LANE:
                items = [made for each in objects if (made := revoked.version_of(*each))]
                shelf.put(tx, collection, items, now, now + REVOKED_KEPT)

    def _merge(self, tx: Transaction) -> None:
        """Merged collections are ready when they are read; a large rest is left for the reading itself."""
        network, me, now = self._peers.book.network(tx), self._site.party.node_id, self._site.clock()
        for account in accounts.all_accounts(tx):
            if account.may_read:
                lanes = [each for each, _ in access.readable_lanes(tx, account, network, me, now)]
                if not merged.is_current(tx, account.name, lanes):
                    merged.merge_some(tx, account.name, lanes, now)


def _arrived(tx: Transaction, fact: ObjectArrived) -> Noted:
    """Its entry knows the lane; where there is none any more, the label leads to it."""
    there = fact.object_id.removeprefix(f"{fact.origin}.")
    lane = tx.rows(_ENTRY, (there, fact.version, fact.origin)) or tx.rows(
        _LIKE, (fact.origin, audience_of(fact.handling))
    )
    return fact.object_id, fact.version, bytes(lane[0][0]).hex() if lane else "", to_us(fact.handling.retain_until)


def _placed(body: bytes, items: Sequence[Item], pack: int) -> list[Placed]:
    """Where in the bundle each object stands."""
    placed, start = [], 0
    for each in items:
        start = body.index(each.raw, start)
        placed.append(Placed(each.id, each.type, each.version_us, pack, start, len(each.raw)))
        start += len(each.raw)
    return placed
