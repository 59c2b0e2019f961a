"""Bytes to objects, keeping the bytes. A poison object is one item with a problem; the others never notice.

An object must be I-JSON (RFC 7493): valid UTF-8, no duplicate names, no lone surrogates, numbers that a double or a
53-bit integer holds. Two readers of the same bytes then see the same object, and so does a signature.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from port2port.core.errors import DecodeError
from port2port.stix.limits import MAX_BUNDLE_BYTES, MAX_BUNDLE_OBJECTS, MAX_OBJECT_BYTES
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


class _Envelope(msgspec.Struct, frozen=True):
    type: Literal["bundle"]
    id: str
    objects: list[msgspec.Raw] = []


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
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except _FAULTS as error:
        return _taken_apart_by_brackets(body, error)
    return envelope.id, [bytes(raw) for raw in envelope.objects]


def _item(raw: bytes) -> Item:
    try:
        return Item(raw, read_object(raw))
    except DecodeError as error:
        return Item(raw, None, unread(error))


def unread(error: DecodeError) -> Problem:
    """The problem of an object that could not be read."""
    return problem("limit" if error.reason == "too-large" else "json", "", error.message)


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)
_OBJECTS = re.compile(rb'"objects"\s*:\s*\[')


def _taken_apart_by_brackets(body: bytes, cause: Exception) -> tuple[str, list[bytes]]:
    """When one object keeps the reader from getting through: cut at the brackets, and judge each piece alone."""
    refusal = DecodeError("This is not a bundle.", reason="bad-bundle")
    start = _OBJECTS.search(body)
    if start is None:
        raise refusal from cause
    pieces, end = _pieces(body, start.end())
    if end is None:
        raise refusal from cause
    try:
        envelope = msgspec.json.decode(body[: start.end()] + body[end:], type=_Envelope)
    except _FAULTS as error:
        raise refusal from error
    return envelope.id, pieces


def _pieces(body: bytes, start: int) -> tuple[list[bytes], int | None]:
    """The members of the list that begins at `start`, and where its bracket closes."""
    pieces: list[bytes] = []
    depth, begin = 0, start
    for at, token in _brackets(body, start):
        if token in b"[{":
            depth += 1
        elif token in b"]}" and depth:
            depth -= 1
        elif depth == 0:
            pieces.append(body[begin:at].strip())
            begin = at + 1
            if token == b"]":
                return [] if pieces == [b""] else pieces, at
            if token == b"}":
                break
    return pieces, None


def _brackets(body: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    for found in _TOKEN.finditer(body, start):
        token = found.group()
        if len(token) == 1:
            yield found.start(), token
