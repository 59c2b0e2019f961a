"""What a client asks of a collection (section 3.4), and `next`, which holds all of it and where to go on. Pure.

`next` is the whole state of a paging client: nothing of it stays in the server's memory. Whatever a client makes of
it, it can ask for nothing that it could not ask for in plain words.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from port2port.core.errors import BadInput, DecodeError
from port2port.sharing.taxii.limits import (
    MAX_FILTER_VALUES,
    MAX_ID_CHARS,
    MAX_NEXT_CHARS,
    MAX_PAGE_OBJECTS,
    MAX_TYPE_CHARS,
    USUAL_PAGE_OBJECTS,
)
from port2port.sharing.taxii.times import us_of

FIRST, LAST, ALL = "first", "last", "all"
_ID = re.compile(r"[a-z0-9-]+--[0-9a-f-]{36}", re.ASCII | re.IGNORECASE)
_TYPE = re.compile(r"[a-z0-9-]+", re.ASCII)
_SPEC = re.compile(r"\d\.\d", re.ASCII)
_LIMIT = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """One question to a collection. Empty means any."""

    added_after_us: int = -1
    after_ms: int = 0
    """Where the page before ended."""
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    words: frozenset[str] = frozenset({LAST})
    """Of `match[version]`: `first`, `last`, `all`."""
    versions_us: tuple[int, ...] = ()
    spec_versions: tuple[str, ...] = ()
    limit: int = USUAL_PAGE_OBJECTS

    @property
    def from_ms(self) -> int:
        """Only what was added later than this. Stamps are whole milliseconds."""
        return max(self.after_ms, self.added_after_us // 1000)

    @property
    def wants_nothing(self) -> bool:
        """STIX 2.1 is all that we hold."""
        return bool(self.spec_versions) and "2.1" not in self.spec_versions


class _Next(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    collection: int
    after_ms: int
    added_after_us: int
    ids: list[str]
    types: list[str]
    words: list[str]
    versions_us: list[int]
    spec_versions: list[str]
    limit: int


def read(query: Mapping[str, Sequence[str]], allowed: frozenset[str], collection: int) -> Filters:
    """The filters of a request. Raises `BadInput` on a value that has no meaning, or a filter of another endpoint."""
    unknown = sorted(name for name in query if name.startswith("match[") and name not in allowed)
    if unknown:
        raise BadInput(f"This endpoint has no filter {unknown[0][:40]}.", hint=f"It has {', '.join(sorted(allowed))}.")
    if "next" in query:
        told = _from_next(_one(query, "next"), collection)
        return replace(told, limit=_limit(query)) if "limit" in query else told
    words, versions_us = _versions(_values(query, "match[version]", MAX_ID_CHARS))
    return Filters(
        added_after_us=_moment(_one(query, "added_after")) if "added_after" in query else -1,
        ids=_matching(_values(query, "match[id]", MAX_ID_CHARS), _ID, "match[id]"),
        types=_matching(_values(query, "match[type]", MAX_TYPE_CHARS), _TYPE, "match[type]"),
        words=words,
        versions_us=versions_us,
        spec_versions=_matching(_values(query, "match[spec_version]", 3), _SPEC, "match[spec_version]"),
        limit=_limit(query),
    )


def of_object(filters: Filters, object_id: str, *, every_version: bool) -> Filters:
    """The same question about one object; `every_version` for the endpoint that lists them all."""
    words = frozenset({ALL}) if every_version else filters.words
    return replace(filters, ids=(object_id,), words=words)


def next_of(filters: Filters, collection: int, after_ms: int) -> str:
    """The `next` of a page that ended at `after_ms`."""
    told = _Next(
        collection,
        after_ms,
        filters.added_after_us,
        list(filters.ids),
        list(filters.types),
        sorted(filters.words),
        list(filters.versions_us),
        list(filters.spec_versions),
        filters.limit,
    )
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(told)).decode().rstrip("=")


def _from_next(text: str, collection: int) -> Filters:
    try:
        if len(text) > MAX_NEXT_CHARS:
            raise ValueError
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        told = msgspec.msgpack.decode(data, type=_Next)
        if told.collection != collection or not set(told.words) <= {FIRST, LAST, ALL}:
            raise ValueError
        if not all(abs(each) < 2**62 for each in (told.after_ms, told.added_after_us, *told.versions_us)):
            raise ValueError
    except (ValueError, msgspec.DecodeError):
        raise BadInput("The value of next is not one that this collection gave out.") from None
    return Filters(
        after_ms=told.after_ms,
        added_after_us=told.added_after_us,
        ids=tuple(told.ids[:MAX_FILTER_VALUES]),
        types=tuple(told.types[:MAX_FILTER_VALUES]),
        words=frozenset(told.words),
        versions_us=tuple(told.versions_us[:MAX_FILTER_VALUES]),
        spec_versions=tuple(told.spec_versions[:MAX_FILTER_VALUES]),
        limit=max(1, min(told.limit, MAX_PAGE_OBJECTS)),
    )


def _one(query: Mapping[str, Sequence[str]], name: str) -> str:
    if len(query[name]) != 1:
        raise BadInput(f"{name} can be given once.")
    return query[name][0]


def _values(query: Mapping[str, Sequence[str]], name: str, most_chars: int) -> tuple[str, ...]:
    """Alternatives: comma-separated, or the parameter given again."""
    if name not in query:
        return ()
    values = tuple(dict.fromkeys(part.strip() for text in query[name] for part in text.split(",")))
    if len(values) > MAX_FILTER_VALUES:
        raise BadInput(f"{name} takes at most {MAX_FILTER_VALUES} values.")
    if any(not 0 < len(each) <= most_chars for each in values):
        raise BadInput(f"{name} has a value that is empty or too long.")
    return values


def _matching(values: tuple[str, ...], shape: re.Pattern[str], name: str) -> tuple[str, ...]:
    if not all(shape.fullmatch(each) for each in values):
        raise BadInput(f"{name} has a value that it cannot have.")
    return values


def _versions(values: tuple[str, ...]) -> tuple[frozenset[str], tuple[int, ...]]:
    words = frozenset(values) & {FIRST, LAST, ALL}
    moments = tuple(_moment(each) for each in values if each not in words)
    return words if values else frozenset({LAST}), moments


def _moment(text: str) -> int:
    try:
        return us_of(text)
    except DecodeError as error:
        raise BadInput(error.message) from error


def _limit(query: Mapping[str, Sequence[str]]) -> int:
    if "limit" not in query:
        return USUAL_PAGE_OBJECTS
    text = _one(query, "limit")
    if not _LIMIT.fullmatch(text) or int(text) == 0:
        raise BadInput("limit is a whole number greater than 0.")
    return min(int(text), MAX_PAGE_OBJECTS)
