"""Reads one page of a collection, and puts an envelope together from the bytes as they were stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from port2port.sharing.taxii.filters import ALL, FIRST, LAST, Filters
from port2port.sharing.taxii.limits import MAX_PAGE_BYTES
from port2port.sharing.taxii.rows import key_of, open_packs
from port2port.store import Reading

_PAGE = "SELECT added_ms, pack, start, length, id, version_us FROM sharing_taxii_object WHERE {} ORDER BY {} LIMIT ?"


class Shown(NamedTuple):
    """One object of a page."""

    added_ms: int
    pack: int
    start: int
    length: int
    id: str
    version_us: int

    @property
    def version(self) -> int:
        """Microseconds. What has no version of its own gets the moment when it was added (filtering, section 3.4)."""
        return self.version_us or self.added_ms * 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Objects in the order in which they were added."""

    rows: list[Shown]
    more: bool


@dataclass(slots=True)
class _Where:
    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values.extend(values)


def read(view: Reading, collection: int, filters: Filters) -> Page:
    """The page that `filters` ask for."""
    if filters.wants_nothing:
        return Page([], more=False)
    where = _Where()
    stamp = "added_ms"
    if filters.ids:
        stamp = "added_ms + 0"  # their keys are the way in, not the order
        where.add(f"key IN ({_marks(filters.ids)})", *(key_of(collection, each) for each in filters.ids))
        where.add(f"id IN ({_marks(filters.ids)})", *filters.ids)
    else:
        where.add("collection = ?", collection)
    where.add(f"{stamp} > ?", filters.from_ms)
    _add_matches(where, filters)
    rows = view.rows(_PAGE.format(" AND ".join(where.conditions), stamp), (*where.values, filters.limit + 1))
    return _cut(rows, filters.limit)


def _add_matches(where: _Where, filters: Filters) -> None:
    if filters.types:
        where.add(f"type IN ({_marks(filters.types)})", *filters.types)
    if ALL not in filters.words:
        alternatives = [_PLACES[word] for word in sorted(filters.words)]
        moments = filters.versions_us
        values: list[int] = []
        if moments:
            alternatives.append(f"version_us IN ({_marks(moments)})")
            alternatives.append(f"version_us = 0 AND added_ms * 1000 IN ({_marks(moments)})")
            values = [*moments, *moments]
        where.add(f"({' OR '.join(alternatives)})", *values)


_PLACES = {FIRST: "place IN (1, 3)", LAST: "place >= 2"}


def _cut(rows: list[tuple[int, int, int, int, str, int]], limit: int) -> Page:
    room = MAX_PAGE_BYTES
    for at, row in enumerate(rows[:limit]):
        room -= row[3] + 1
        if room < 0 and at:
            return Page(list(map(Shown._make, rows[:at])), more=True)
    return Page(list(map(Shown._make, rows[:limit])), more=len(rows) > limit)


def exists(view: Reading, collection: int, object_id: str) -> bool:
    """Whether any version of the object stands in the collection."""
    statement = "SELECT 1 FROM sharing_taxii_object WHERE key = ? AND id = ? LIMIT 1"
    return bool(view.rows(statement, (key_of(collection, object_id), object_id)))


def contents(view: Reading, rows: Sequence[Shown]) -> list[bytes] | None:
    """The bytes of the objects, neighbours in one piece: joined by commas they are a page. None: some are gone."""
    numbers = list(dict.fromkeys(row[1] for row in rows))
    packs = dict(zip(numbers, open_packs(view, numbers), strict=True))
    pieces: list[bytes] = []
    for number, group in groupby(rows, key=lambda row: row[1]):
        body = packs[number]
        if body is None:
            return None
        pieces.extend(body[start:end] for start, end in _runs(group))
    return pieces


def _runs(rows: Iterator[Shown]) -> Iterator[tuple[int, int]]:
    """Spans of bytes in which objects follow one another with one comma between."""
    begin = end = -1
    for row in rows:
        start = row[2]
        if start != end + 1 or begin < 0:
            if begin >= 0:
                yield begin, end
            begin = start
        end = start + row[3]
    if begin >= 0:
        yield begin, end


def gone(view: Reading, rows: Sequence[Shown]) -> list[int]:
    """Packs of the page whose bytes were destroyed."""
    numbers = list(dict.fromkeys(row[1] for row in rows))
    return [number for number, body in zip(numbers, open_packs(view, numbers), strict=True) if body is None]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
