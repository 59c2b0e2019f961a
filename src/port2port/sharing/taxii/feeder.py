"""A reader of the journal: what was published here, or arrived from others, goes to the collection of its lane.

What is recalled leaves it, with every collection that shows it. Programs that only poll never hear of a deletion, so
they are offered a revoked version that says nothing any more. That is the best that TAXII can do, and no proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from port2port.core.errors import DecodeError
from port2port.core.exchange import ObjectArrived, ObjectErased, ObjectWithdrawn
from port2port.core.fact import Fact, Recorded
from port2port.sharing.facts import ObjectPublished
from port2port.sharing.lane import audience_of
from port2port.sharing.peers import Peers
from port2port.sharing.taxii import access, accounts, check, merged, revoked, shelf, tables
from port2port.sharing.taxii.check import Failure
from port2port.sharing.taxii.shelf import Item, Outcome, Placed
from port2port.sharing.taxii.tables import Kind
from port2port.store import Transaction
from port2port.store.types import from_us

FACTS: tuple[type[Fact], ...] = (ObjectPublished, ObjectArrived, ObjectWithdrawn, ObjectErased)
REVOKED_KEPT = timedelta(days=365)
"""How long a revoked version is offered to programs that have not polled since."""
_ENTRY = (
    "SELECT e.lane, e.retain_until FROM sharing_entry e JOIN sharing_lane l ON l.id = e.lane"
    " WHERE e.object_id = ? AND e.version = ? AND l.origin = ? LIMIT 1"
)
_LIKE = "SELECT id FROM sharing_lane WHERE origin = ? AND audience = ? ORDER BY urgency, epoch DESC LIMIT 1"


class Feeder:
    """Handles the facts about objects of the network."""

    def __init__(self, peers: Peers) -> None:
        self._peers, self._site = peers, peers.site

    def handle(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Take in one page of the journal, inside the reader's transaction."""
        for recorded in page:
            fact = recorded.fact
            if isinstance(fact, ObjectPublished):
                self._publish(tx, fact)
            elif isinstance(fact, ObjectArrived):
                self._arrive(tx, fact)
            elif isinstance(fact, ObjectWithdrawn | ObjectErased):
                self._recall(tx, fact.object_id, fact.version)
        self._merge(tx)

    def _publish(self, tx: Transaction, fact: ObjectPublished) -> None:
        entry = tx.rows(_ENTRY, (fact.object_id, fact.version, self._site.party.node_id))
        retain_until = from_us(entry[0][1]) if entry and entry[0][1] is not None else None
        self._add(tx, fact.lane, fact.object_id, fact.version, retain_until)

    def _arrive(self, tx: Transaction, fact: ObjectArrived) -> None:
        there = fact.object_id.removeprefix(f"{fact.origin}.")
        found = tx.rows(_ENTRY, (there, fact.version, fact.origin)) or tx.rows(
            _LIKE, (fact.origin, audience_of(fact.handling))
        )
        if found:
            self._add(tx, bytes(found[0][0]).hex(), fact.object_id, fact.version, fact.handling.retain_until)

    def _add(self, tx: Transaction, lane: str, body_id: str, version: int, retain_until: datetime | None) -> None:
        """Every object of a bundle on the shelf of its lane. A bundle that was forgotten since is passed by."""
        body = tx.body(body_id, version)
        if body is None or any(each.body_version == version for each in tables.packs_of(tx, body_id)):
            return
        items = self._readable(body)
        if not items:
            return
        collection = tables.find_or_add(tx, Kind.LANE, lane)
        pack = tables.add_pack(tx, collection.number, body_id, version, retain_until)
        placed = _placed(body, items, pack)
        outcomes = shelf.place(tx, collection, placed, lambda at: items[at].raw, self._site.clock())
        if contradicted := outcomes.count(Outcome.CONTRADICTS):
            self._site.counters.add("sharing.refused.taxii-contradiction", contradicted)

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

    def _recall(self, tx: Transaction, body_id: str, version: int) -> None:
        packs = [each.number for each in tables.packs_of(tx, body_id) if each.body_version <= version]
        now = self._site.clock()
        for number, objects in shelf.remove_packs(tx, packs, now).items():
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


def _placed(body: bytes, items: Sequence[Item], pack: int) -> list[Placed]:
    """Where in the bundle each object stands."""
    placed, start = [], 0
    for each in items:
        start = body.index(each.raw, start)
        placed.append(Placed(each.id, each.type, each.version_us, pack, start, len(each.raw)))
        start += len(each.raw)
    return placed
