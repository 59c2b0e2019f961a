"""Bytes to objects, keeping the bytes. A poison object is one item with a problem; the others never notice.

An object must be I-JSON (RFC 7493): valid UTF-8, no duplicate names, no lone surrogates, numbers that a double or a
53-bit integer holds. Two readers of the same bytes then see the same object, and so does a signature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from port2port.core.errors import DecodeError
from port2port.stix.limits import MAX_BUNDLE_BYTES, MAX_BUNDLE_MARKS, MAX_BUNDLE_OBJECTS, MAX_OBJECT_BYTES
from port2port.stix.problem import Problem, problem

Object = dict[str, Any]
"""A STIX object as JSON says it, unknown properties and all."""

_FAULTS = (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError, ValueError)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def extension_of(found: Object, extension_id: str) -> Object | None:
    """What an extension says in an object, which need not have been checked; None when it says nothing readable."""
    every = found.get("extensions")
    said = every.get(extension_id) if isinstance(every, dict) else None
    return said if isinstance(said, dict) else None


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a bundle: its exact bytes, what they say, or why they say nothing."""

    raw: bytes
    content: Object | None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """STIX 2.1 section 8: a parcel, without meaning of its own."""

    id: str
    items: tuple[Item, ...]


def read_object(body: bytes) -> Object:
    """One object. Raises `DecodeError` and nothing else; `reason` is a countable word."""
    if len(body) > MAX_OBJECT_BYTES:
        raise DecodeError(f"An object has at most {MAX_OBJECT_BYTES} bytes, this has {len(body)}.", reason="too-large")
    try:
        found = _decode(body)
    except _FAULTS as error:
        raise DecodeError("This is not JSON that every reader understands alike.", reason="not-json") from error
    if not isinstance(found, dict):
        raise DecodeError("A STIX object is a JSON object.", reason="not-an-object")
    _refuse_duplicates(body, found)
    return found


def _refuse_duplicates(body: bytes, found: Object) -> None:
    """A name that stands twice is lost in reading; so what writes back the same has none, and the rest is looked at."""
    if _encode(found) == body:
        return
    try:
        json.loads(body, object_pairs_hook=_pairs)
    except _Duplicate as error:
        raise DecodeError("A name stands twice in one object.", reason="duplicate-name") from error
    except _FAULTS as error:
        raise DecodeError("This is not JSON that every reader understands alike.", reason="not-json") from error


class _Duplicate(Exception):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Duplicate


def read_bundle(body: bytes) -> Bundle:
    """A bundle's objects, one item each. Raises `DecodeError` when there is no bundle to take apart."""
    if len(body) > MAX_BUNDLE_BYTES:
        raise DecodeError(f"A bundle has at most {MAX_BUNDLE_BYTES} bytes, this has {len(body)}.", reason="too-large")
    bundle_id, raws = _taken_apart(body)
    if len(raws) > MAX_BUNDLE_OBJECTS:
        raise DecodeError(f"A bundle has at most {MAX_BUNDLE_OBJECTS} objects.", reason="too-many-objects")
    return Bundle(bundle_id, tuple(map(_item, raws)))


def _taken_apart(body: bytes) -> tuple[str, list[bytes]]:
    """A bundle's id and the bytes of its objects. When one of them stops the reader, they are cut apart by hand."""
    try:
        return _envelope(body)
    except DecodeError as error:
        pieces, rest = _cut_by_hand(body, error)
    bundle_id, left = _envelope(rest)
    assert not left, "the list was taken out"
    return bundle_id, pieces


def _envelope(body: bytes) -> tuple[str, list[bytes]]:
    """The list is taken out, so that the rest can be read as the small object that it is."""
    try:
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        listed = bytes(parts.get("objects", b"[]"))
        raws = msgspec.json.decode(listed, type=list[msgspec.Raw])
    except _FAULTS as error:
        raise DecodeError("This is not a bundle.", reason="bad-bundle") from error
    before, _, after = body.partition(listed) if "objects" in parts else (body, b"", b"")
    head = read_object(before + (b"[]" if "objects" in parts else b"") + after)
    if head.get("type") != "bundle" or not isinstance(head.get("id"), str):
        raise DecodeError("A bundle has the type `bundle` and an id.", reason="bad-bundle")
    return head["id"], [bytes(raw) for raw in raws]


def _item(raw: bytes) -> Item:
    try:
        return Item(raw, read_object(raw))
    except DecodeError as error:
        return Item(raw, None, unread(error))


def unread(error: DecodeError) -> Problem:
    """The problem of an object that could not be read."""
    return problem("limit" if error.reason == "too-large" else "json", "", error.message)


_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
"""A text, which ends with the bundle if nothing closes it, so that it is looked at once; or a mark."""


def _cut_by_hand(body: bytes, cause: DecodeError) -> tuple[list[bytes], bytes]:
    """The members of the list `objects` of the outermost object, cut at marks, and the bundle with that list empty."""
    marks = islice(_TOKEN.finditer(body), MAX_BUNDLE_MARKS)
    start = _start_of_list(marks)
    if start is None:
        raise cause
    pieces, end = _pieces(body, start, marks)
    if end is None:
        raise cause
    return pieces, body[:start] + body[end:]


def _start_of_list(marks: Iterator[re.Match[bytes]]) -> int | None:
    """Where the members of the outermost `objects` begin; the marks are taken up to there."""
    depth, name = 0, b""
    for found in marks:
        token = found.group()
        if depth == 1 and token == b"[" and name == b'"objects"':
            return found.end()
        depth += (token in b"[{") - (token in b"]}")
        name = token
    return None


def _pieces(body: bytes, start: int, marks: Iterator[re.Match[bytes]]) -> tuple[list[bytes], int | None]:
    """The members of the list that begins at `start`, and where its bracket closes."""
    pieces: list[bytes] = []
    depth, begin = 0, start
    for found in marks:
        token, at = found.group(), found.start()
        if token in b"[{":
            depth += 1
        elif token in b"]}" and depth:
            depth -= 1
        elif depth == 0 and len(token) == 1:
            pieces.append(body[begin:at].strip())
            begin = at + 1
            if token == b"]":
                return [] if pieces == [b""] else pieces, at
            if token == b"}":
                break
    return pieces, None
