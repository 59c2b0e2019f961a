"""Objects as rows: what stands under a key, which versions are first and last, and the bytes of packs."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from port2port.store import Reading, Transaction

IS_FIRST, IS_LAST = 1, 2
"""Bits of `place`: the oldest and the newest version of its object in this collection."""
_AT_ONCE = 500
_STAND = "SELECT key, id, version_us, added_ms, place, pack, start, length FROM sharing_taxii_object WHERE key IN ({})"
_MARK = "UPDATE sharing_taxii_object SET place = ? WHERE collection = ? AND added_ms = ?"
_PACKS = "SELECT number, body_id, body_version FROM sharing_taxii_pack WHERE number IN ({})"


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


class Standing(NamedTuple):
    """One object that can be read."""

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


def standing(view: Reading, keys: Iterable[int]) -> Iterator[Standing]:
    """What stands under these keys."""
    wanted = sorted(keys)
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        yield from map(Standing._make, view.rows(_STAND.format(marks(some)), some))


def mark(tx: Transaction, collection: int, keys: Iterable[int]) -> None:
    """Set anew which versions of these objects are the first and the last."""
    objects: dict[str, list[Standing]] = defaultdict(list)
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
    rows = view.rows(_PACKS.format(marks(numbers)), tuple(numbers))
    found = {number: (body_id, version) for number, body_id, version in rows}
    bodies = iter(view.bodies([found[number] for number in numbers if number in found]))
    return [next(bodies) if number in found else None for number in numbers]


def raw_of(view: Reading, placed: Placed) -> bytes:
    """The bytes of one object; empty when they are gone."""
    body = open_packs(view, [placed.pack])[0] or b""
    return body[placed.start : placed.start + placed.length]


def marks(values: Sequence[object]) -> str:
    """For each value a mark in a statement."""
    return ", ".join("?" * len(values))
