"""Takes objects out of collections: parcels that were recalled or are over, lanes that may no longer be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from port2port.sharing.taxii import tables
from port2port.sharing.taxii.rows import Placed, key_of, marks, standing
from port2port.sharing.taxii.shelf import Shelf
from port2port.sharing.taxii.tables import OWN_BODIES
from port2port.store import Transaction

_OF_PACKS = "SELECT collection, added_ms, key, id, version_us FROM sharing_taxii_object WHERE pack IN ({})"
_OF_SOURCE = (
    "SELECT collection, added_ms, key, id, version_us FROM sharing_taxii_object"
    " WHERE collection IN (?, ?) AND source = ?"
)
_TWIN = (
    "SELECT added_ms, type, pack, start, length, source FROM sharing_taxii_object"
    " WHERE key = ? AND id = ? AND version_us = ? LIMIT 1"
)
_DELETE = "DELETE FROM sharing_taxii_object WHERE collection = ? AND added_ms = ?"
Gone = dict[int, list[tuple[str, int]]]
"""Collection -> id and version (microseconds, 0: none) of objects of which no version stands there any more."""


def remove_packs(tx: Transaction, numbers: Sequence[int], now: datetime) -> Gone:
    """Take out all objects of these packs, everywhere; a twin takes the place of each that has one.

    Bodies of our own are destroyed.
    """
    if not numbers:
        return {}
    rows = tx.rows(_OF_PACKS.format(marks(numbers)), tuple(numbers))
    bodies = [(pack.body_id, pack.body_version) for pack in tables.find_packs(tx, numbers)]
    tx.many(_DELETE, [(collection, added_ms) for collection, added_ms, *_ in rows])
    tables.remove_packs(tx, numbers)
    tx.forget_bodies([each for each in bodies if each[0].startswith(OWN_BODIES)])
    return _fill_gaps(tx, [each for each in rows if each[0] > 0], now)


def remove_source(tx: Transaction, collection: int, source: int, now: datetime) -> None:
    """Take out of a merged collection what came from one lane."""
    rows = tx.rows(_OF_SOURCE, (collection, -collection, source))
    tx.many(_DELETE, [(each[0], each[1]) for each in rows])
    _fill_gaps(tx, [each for each in rows if each[0] > 0], now)


def _fill_gaps(tx: Transaction, rows: Sequence[tuple[int, int, int, str, int]], now: datetime) -> Gone:
    gaps: dict[int, dict[tuple[int, str], int]] = defaultdict(dict)
    for collection, _, key, object_id, version_us in rows:
        gaps[collection][key, object_id] = max(version_us, gaps[collection].get((key, object_id), 0))
    gone: Gone = {}
    for number, wanted in gaps.items():
        shelf = Shelf(tx, tables.get(tx, number), now)
        for collection, _, _, object_id, version_us in rows:
            if collection == number:
                _promote(tx, shelf, object_id, version_us)
        shelf.settle(key for key, _ in wanted)
        shelf.finish()
        left = {each.id for each in standing(tx, {key for key, _ in wanted})}
        gone[number] = [(object_id, version) for (_, object_id), version in wanted.items() if object_id not in left]
    return gone


def _promote(tx: Transaction, shelf: Shelf, object_id: str, version_us: int) -> None:
    number = shelf.collection.number
    for added_ms, object_type, pack, start, length, source in tx.rows(
        _TWIN, (key_of(-number, object_id), object_id, version_us)
    ):
        tx.many(_DELETE, [(-number, added_ms)])
        shelf.stand([Placed(object_id, object_type, version_us, pack, start, length)], source)
