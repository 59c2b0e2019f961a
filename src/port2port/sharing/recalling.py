"""The verb of a person who takes something back."""

from __future__ import annotations

from collections.abc import Sequence

from port2port.capability import Site
from port2port.core.errors import BadInput, NotFound
from port2port.sharing import recall_tables
from port2port.sharing.facts import RecallOrdered
from port2port.sharing.recall import Why
from port2port.sharing.taking_back import ORDERS

MAX_ORDER = 1_000
"""Objects in one order."""


def take_back(site: Site, object_ids: Sequence[str], op: str, reason: Why, account: str) -> None:
    """Take objects of ours back from all who may have them: `withdraw` keeps ours, `erase` leaves it nowhere.

    Raises `NotFound` for what we never shared, or took back already.
    """
    if op not in ORDERS or not 1 <= len(object_ids) <= MAX_ORDER:
        raise BadInput("sharing.error.take-back")
    me = site.party.node_id
    with site.store.transaction() as tx:
        shared = {object_id for _, _, object_id, _ in recall_tables.own_entries_of(tx, object_ids, me)}
        if missing := [each for each in object_ids if each not in shared]:
            raise NotFound("sharing.error.not-shared", hint=missing[0])
        order = RecallOrdered(at=site.clock(), op=op, object_ids=tuple(object_ids), reason=reason, account=account)
        tx.append(order)
