"""Puts objects into a collection.

Every object gets a stamp of its own in its collection, in whole milliseconds and always growing: `added_ms`. A client
that resumes by `added_after`, exact or cut to milliseconds, then misses nothing and never goes in circles. A bulk of
more than a thousand objects a second is stamped some way into the future; that is the price.

The same version of the same object may arrive in several parcels. One stands on the shelf; the others are kept as
twins behind it, under the negative number of the collection, so that one of them takes its place when the parcel of the
first is erased.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from itertools import accumulate

import msgspec

from port2port.core.clock import to_ms
from port2port.sharing.taxii import tables
from port2port.sharing.taxii.limits import PACK_BYTES
from port2port.sharing.taxii.rows import IS_FIRST, IS_LAST, Item, Placed, Standing, key_of, mark, open_packs, standing
from port2port.sharing.taxii.tables import OWN_BODIES, Collection
from port2port.store import Transaction
from port2port.store.types import to_us

_INSERT = (
    "INSERT INTO sharing_taxii_object"
    " (collection, added_ms, id, key, type, version_us, place, pack, start, length, source)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Outcome(StrEnum):
    """What became of one object."""

    NEW = "new"
    KNOWN = "known"
    """The same version with the same content stands there already."""
    CONTRADICTS = "contradicts"
    """The same version with other content stands there already."""


def put(
    tx: Transaction, collection: Collection, items: Sequence[Item], now: datetime, retain_until: datetime
) -> list[Outcome]:
    """Add objects with bytes of their own, sealed in packs; what is not new is left out."""
    shelf = Shelf(tx, collection, now)
    outcomes = shelf.sort_out(items, lambda at: items[at].raw)
    new = [at for at, outcome in enumerate(outcomes) if outcome is Outcome.NEW]
    placed: list[Placed] = []
    bodies: list[tuple[str, int, bytes]] = []
    body_id, until_us = f"{OWN_BODIES}{collection.number}", to_us(retain_until)
    chunks = list(_chunks([items[at] for at in new]))
    versions = list(accumulate(map(len, chunks), initial=shelf.next_ms))
    first = tables.add_packs(tx, collection.number, [(body_id, version, until_us) for version in versions[:-1]])
    for pack, (version, chunk) in enumerate(zip(versions, chunks, strict=False), first):
        bodies.append((body_id, version, b",".join(each.raw for each in chunk)))
        placed.extend(_packed(chunk, pack))
    tx.put_bodies(bodies)
    shelf.stand(placed, 0)
    shelf.finish()
    return outcomes


def place(
    tx: Transaction,
    collection: Collection,
    items: Sequence[Placed],
    raw_of: Callable[[int], bytes],
    now: datetime,
    source: int = 0,
    *,
    first_wins: bool = False,
) -> list[Outcome]:
    """Add objects whose bytes are in the store; what stands there already waits as a twin.

    With `first_wins`, what contradicts waits too; otherwise it is left out.
    """
    shelf = Shelf(tx, collection, now)
    outcomes = shelf.sort_out(items, raw_of)
    waits = {Outcome.KNOWN, Outcome.CONTRADICTS} if first_wins else {Outcome.KNOWN}
    shelf.stand([each for each, outcome in zip(items, outcomes, strict=True) if outcome is Outcome.NEW], source)
    shelf.wait([each for each, outcome in zip(items, outcomes, strict=True) if outcome in waits], source)
    shelf.finish()
    return outcomes


class Shelf:
    """One collection while objects are added to it."""

    def __init__(self, tx: Transaction, collection: Collection, now: datetime) -> None:
        self._tx, self.collection, self._now_ms = tx, collection, to_ms(now)
        self._unsettled: set[int] = set()
        """Keys of ids that have more than one version here."""

    @property
    def next_ms(self) -> int:
        """The stamp of the next object."""
        return max(self._now_ms, self.collection.last_ms + 1)

    def sort_out(self, items: Sequence[Item | Placed], raw_of: Callable[[int], bytes]) -> list[Outcome]:
        """What each object is to this collection, in order."""
        keys = [key_of(self.collection.number, each.id) for each in items]
        counts = Counter(keys)
        known = {each.key for each in standing(self._tx, counts)}
        crowded = {each for each, count in counts.items() if count > 1} | known
        self._unsettled |= crowded
        if not crowded:
            return [Outcome.NEW] * len(items)
        seen = _Seen(self._tx, crowded)
        return [
            seen.judge(each.id, each.version_us, at, raw_of) if key in crowded else Outcome.NEW
            for at, (each, key) in enumerate(zip(items, keys, strict=True))
        ]

    def stand(self, items: Sequence[Placed], source: int) -> None:
        """Add rows with the next stamps. Places of ids with other versions are set by `finish`."""
        first, number = self.next_ms, self.collection.number
        both = IS_FIRST | IS_LAST
        rows = [
            (number, stamp, each[0], key_of(number, each[0]), each[1], each[2], both, each[3], each[4], each[5], source)
            for stamp, each in enumerate(items, first)
        ]
        if rows:
            self._tx.many(_INSERT, rows)
            self.collection = replace(self.collection, last_ms=first + len(rows) - 1)

    def wait(self, items: Sequence[Placed], source: int) -> None:
        """Put twins aside."""
        number, first = self.collection.number, self.collection.twins + 1
        rows = [
            (-number, stamp, each[0], key_of(-number, each[0]), each[1], each[2], 0, each[3], each[4], each[5], source)
            for stamp, each in enumerate(items, first)
        ]
        if rows:
            self._tx.many(_INSERT, rows)
            self.collection = replace(self.collection, twins=first + len(rows) - 1)

    def settle(self, keys: Iterable[int]) -> None:
        """The places of these ids are to be set anew."""
        self._unsettled.update(keys)

    def finish(self) -> None:
        if self._unsettled:
            mark(self._tx, self.collection.number, self._unsettled)
        tables.move(self._tx, self.collection)


class _Seen:
    """Versions of crowded ids: those on the shelf, and those of this batch."""

    def __init__(self, tx: Transaction, keys: Iterable[int]) -> None:
        self._tx = tx
        self._versions: dict[tuple[str, int], list[Callable[[], bytes]]] = defaultdict(list)
        self._packs: dict[int, bytes] = {}
        for each in standing(tx, keys):
            self._versions[each.id, each.version_us].append(lambda each=each: self._raw(each))  # type: ignore[misc]

    def judge(self, object_id: str, version_us: int, at: int, raw_of: Callable[[int], bytes]) -> Outcome:
        there = self._versions[object_id, version_us]
        if there and any(_same(raw_of(at), each()) for each in there):
            return Outcome.KNOWN
        if there and version_us:
            return Outcome.CONTRADICTS
        there.append(lambda: raw_of(at))
        return Outcome.NEW

    def _raw(self, row: Standing) -> bytes:
        if row.pack not in self._packs:
            self._packs[row.pack] = open_packs(self._tx, [row.pack])[0] or b""
        return self._packs[row.pack][row.start : row.start + row.length]


def _same(one: bytes, other: bytes) -> bool:
    """Whether two spellings say the same."""
    return one == other or (bool(one and other) and msgspec.json.decode(one) == msgspec.json.decode(other))


def _packed(chunk: Sequence[Item], pack: int) -> Iterator[Placed]:
    start = 0
    for each in chunk:
        yield Placed(each.id, each.type, each.version_us, pack, start, len(each.raw))
        start += len(each.raw) + 1


def _chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for each in items:
        if chunk and size + len(each.raw) > PACK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += len(each.raw) + 1
    if chunk:
        yield chunk
