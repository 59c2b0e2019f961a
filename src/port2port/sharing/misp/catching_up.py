"""From the journal into `sharing_misp_shared`: what is shared now, without reading anything twice."""

from __future__ import annotations

from collections.abc import Sequence

from port2port.capability import Site
from port2port.core.exchange import ObjectArrived, ObjectErased, ObjectOffered, ObjectWithdrawn
from port2port.core.fact import Fact, Recorded
from port2port.sharing.facts import RecallOrdered
from port2port.sharing.misp import tables
from port2port.sharing.misp.tables import Shared
from port2port.store import Transaction

READER = "sharing.misp"
PAGE = 1_000
_FACTS: tuple[type[Fact], ...] = (ObjectOffered, ObjectArrived, ObjectWithdrawn, ObjectErased, RecallOrdered)
_KINDS = tuple(each.kind() for each in _FACTS)


def catch_up(site: Site) -> None:
    """Read the journal on to its present end, one transaction a page."""
    while True:
        with site.store.transaction() as tx:
            head = site.store.head()
            after = tx.cursor(READER)
            page = site.store.read(after, PAGE, _KINDS)
            _take(tx, page, site)
            full = len(page) == PAGE
            tx.move_cursor(READER, page[-1].number if full else max(head, after))
        if not full:
            return


def _take(tx: Transaction, page: Sequence[Recorded], site: Site) -> None:
    for recorded in page:
        fact = recorded.fact
        if isinstance(fact, ObjectWithdrawn | ObjectErased):
            tables.forget(tx, fact.object_id)
        elif isinstance(fact, RecallOrdered):
            for object_id in fact.object_ids:
                tables.forget(tx, object_id)
        elif isinstance(fact, ObjectArrived):
            plain = fact.object_id.removeprefix(f"{fact.origin}.")
            row = Shared(fact.object_id, plain, fact.origin, fact.origin_name, fact.version, fact.handling, recorded.at)
            tables.share(tx, row)
        elif isinstance(fact, ObjectOffered) and fact.handling.origin == site.party.node_id:
            us = site.party
            row = Shared(fact.object_id, fact.object_id, us.node_id, us.name, fact.version, fact.handling, recorded.at)
            tables.share(tx, row)
