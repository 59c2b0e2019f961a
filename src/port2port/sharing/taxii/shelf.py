"""Puts objects into a collection, and takes them out again.

Every object gets a stamp of its own in its collection, in whole milliseconds and always growing: `added_ms`. A client
that resumes by `added_after`, exact or cut to milliseconds, then misses nothing and never goes in circles. A bulk of
more than a thousand objects a second is stamped some way into the future; that is the price.

The same version of the same object may arrive in several parcels. One stands on the shelf; the others are kept as
twins behind it, under the negative number of the collection, so that one of them takes its place when the parcel of the
first is erased.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from port2port.core.clock import to_ms
from port2port.sharing.taxii import tables
from port2port.sharing.taxii.limits import PACK_BYTES
from port2port.sharing.taxii.tables import OWN_BODIES, Collection
from port2port.store import Reading, Transaction

IS_FIRST, IS_LAST = 1, 2
"""Bits of `place`: the oldest and the newest version of its object in this collection."""
_AT_ONCE = 500
_INSERT = (
    "INSERT INTO sharing_taxii_object"
    " (collection, added_ms, id, key, type, version_us, place, pack, start, length, source)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MARK = "UPDATE sharing_taxii_object SET place = ? WHERE collection = ? AND added_ms = ?"
_STAND = "SELECT key, id, version_us, added_ms, place, pack, start, length FROM sharing_taxii_object WHERE key IN ({})"
_OF_PACKS = "SELECT collection, added_ms, key, id, version_us FROM sharing_taxii_object WHERE pack IN ({})"
_OF_SOURCE = (
    "SELECT collection, added_ms, key, id, version_us FROM sharing_taxii_object"
    " WHERE collection IN (?, ?) AND source = ?"
)
_TWIN = (
    "SELECT added_ms, type, pack, start, length, source FROM sharing_taxii_object"
    " WHERE key = ? AND id = ? AND version_us = ? LIMIT 1"
)
_PACKS = "SELECT number, body_id, body_version FROM sharing_taxii_pack WHERE number IN ({})"
_DELETE = "DELETE FROM sharing_taxii_object WHERE collection = ? AND added_ms = ?"


class Outcome(StrEnum):
    """What became of one object."""

    NEW = "new"
    KNOWN = "known"
    """The same version with the same content stands there already."""
    CONTRADICTS = "contradicts"
    """The same version with other content stands there already."""


class Item(NamedTuple):
    """One object on its way to a shelf."""

    id: str
    type: str
    version_us: int
    """`modified`, else `created`, in microseconds; 0 when it has neither."""
    raw: bytes


class Placed(NamedTuple):
    """One object whose bytes are in the store already."""

    id: str
    type: str
    version_us: int
    pack: int
    start: int
    length: int


class _Standing(NamedTuple):
    key: int
    id: str
    version_us: int
    added_ms: int
    place: int
    pack: int
    start: int
    length: int


def key_of(collection: int, object_id: str) -> int:
    """A short key for the index. Ids are compared as well: a collision costs time only."""
    text = f"{collection} {object_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def put(
    tx: Transaction, collection: Collection, items: Sequence[Item], now: datetime, retain_until: datetime
) -> list[Outcome]:
    """Add objects with bytes of their own, sealed in packs; what is not new is left out."""
    shelf = _Shelf(tx, collection, now)
    outcomes = shelf.sort_out(items, lambda at: items[at].raw)
    new = [at for at, outcome in enumerate(outcomes) if outcome is Outcome.NEW]
    placed: list[Placed] = []
    bodies: list[tuple[str, int, bytes]] = []
    body_id = f"{OWN_BODIES}{collection.number}"
    for chunk in _chunks([items[at] for at in new]):
        version = shelf.next_ms + len(placed)
        pack = tables.add_pack(tx, collection.number, body_id, version, retain_until)
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
    shelf = _Shelf(tx, collection, now)
    outcomes = shelf.sort_out(items, raw_of)
    waits = {Outcome.KNOWN, Outcome.CONTRADICTS} if first_wins else {Outcome.KNOWN}
    shelf.stand([each for each, outcome in zip(items, outcomes, strict=True) if outcome is Outcome.NEW], source)
    shelf.wait([each for each, outcome in zip(items, outcomes, strict=True) if outcome in waits], source)
    shelf.finish()
    return outcomes


class _Shelf:
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

    def _raw(self, row: _Standing) -> bytes:
        if row.pack not in self._packs:
            self._packs[row.pack] = open_packs(self._tx, [row.pack])[0] or b""
        return self._packs[row.pack][row.start : row.start + row.length]


def _same(one: bytes, other: bytes) -> bool:
    """Whether two spellings say the same."""
    return one == other or (bool(one and other) and msgspec.json.decode(one) == msgspec.json.decode(other))


def standing(view: Reading, keys: Iterable[int]) -> Iterator[_Standing]:
    """What stands under these keys."""
    wanted = sorted(keys)
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        yield from map(_Standing._make, view.rows(_STAND.format(_marks(some)), some))


def mark(tx: Transaction, collection: int, keys: Iterable[int]) -> None:
    """Set anew which versions of these objects are the first and the last."""
    objects: dict[str, list[_Standing]] = defaultdict(list)
    for each in standing(tx, keys):
        objects[each.id].append(each)
    changed = []
    for rows in objects.values():
        rows.sort(key=lambda each: (each.version_us or each.added_ms * 1000, each.added_ms))
        for each in rows:
            right = (IS_FIRST if each is rows[0] else 0) | (IS_LAST if each is rows[-1] else 0)
            if each.place != right:
                changed.append((right, collection, each.added_ms))
    if changed:
        tx.many(_MARK, changed)


def open_packs(view: Reading, numbers: Sequence[int]) -> list[bytes | None]:
    """The bodies of packs, in order; None for what is gone."""
    rows = view.rows(_PACKS.format(_marks(numbers)), tuple(numbers))
    found = {number: (body_id, version) for number, body_id, version in rows}
    bodies = iter(view.bodies([found[number] for number in numbers if number in found]))
    return [next(bodies) if number in found else None for number in numbers]


def raw_of(view: Reading, placed: Placed) -> bytes:
    """The bytes of one object; empty when they are gone."""
    body = open_packs(view, [placed.pack])[0] or b""
    return body[placed.start : placed.start + placed.length]


Gone = dict[int, list[tuple[str, int]]]
"""Collection -> id and version (microseconds, 0: none) of objects of which no version stands there any more."""


def remove_packs(tx: Transaction, numbers: Sequence[int], now: datetime) -> Gone:
    """Take out all objects of these packs, everywhere; a twin takes the place of each that has one.

    Bodies of our own are destroyed.
    """
    if not numbers:
        return {}
    rows = tx.rows(_OF_PACKS.format(_marks(numbers)), tuple(numbers))
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
        shelf = _Shelf(tx, tables.get(tx, number), now)
        for collection, _, _, object_id, version_us in rows:
            if collection == number:
                _promote(tx, shelf, object_id, version_us)
        shelf.settle(key for key, _ in wanted)
        shelf.finish()
        left = {each.id for each in standing(tx, {key for key, _ in wanted})}
        gone[number] = [(object_id, version) for (_, object_id), version in wanted.items() if object_id not in left]
    return gone


def _promote(tx: Transaction, shelf: _Shelf, object_id: str, version_us: int) -> None:
    number = shelf.collection.number
    for added_ms, object_type, pack, start, length, source in tx.rows(
        _TWIN, (key_of(-number, object_id), object_id, version_us)
    ):
        tx.many(_DELETE, [(-number, added_ms)])
        shelf.stand([Placed(object_id, object_type, version_us, pack, start, length)], source)


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


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
