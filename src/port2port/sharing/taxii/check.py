"""Is this an object that we can keep? One object at a time: what is wrong with one changes nothing for the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from port2port.core.errors import DecodeError
from port2port.sharing.taxii.limits import MAX_ID_CHARS
from port2port.sharing.taxii.rows import Item
from port2port.sharing.taxii.times import us_of
from port2port.stix.check import check
from port2port.stix.reading import Bundle, read_bundle

_HEAD = b'{"type":"bundle","id":"envelope"'
_BEARABLE = frozenset({"2.12-empty"})
"""Broken rules that harm nobody. An empty list says nothing; published ATT&CK has some, and is to be read whole."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that is not taken, and why."""

    id: str
    version_us: int
    message: str


def objects_of(body: bytes) -> Iterator[Item | Failure]:
    """The members of `objects` of an envelope or bundle, in order. Raises `DecodeError` when there is no such list."""
    for each in _bundle(body).items:
        yield Failure("", 0, str(each.problem)) if each.content is None else _judged(each.raw, each.content)


def _bundle(body: bytes) -> Bundle:
    """An envelope is a bundle without type and id: so one reader is enough for both."""
    text = body.lstrip()
    if not text.startswith(b"{"):
        raise DecodeError("An envelope is a JSON object.", reason="bad-envelope")
    if b"bundle" in _type_of(body):
        return read_bundle(body)
    rest = text[1:].lstrip()
    try:
        return read_bundle(_HEAD + (b"" if rest.startswith(b"}") else b",") + rest)
    except DecodeError:  # a bundle after all, with something in it that hides its type
        return read_bundle(body)


def _type_of(body: bytes) -> bytes:
    try:
        return bytes(msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get("type", b""))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return b""


def _judged(raw: bytes, content: dict[str, Any]) -> Item | Failure:
    object_id, kind = content.get("id"), content.get("type")
    if not isinstance(object_id, str) or not isinstance(kind, str) or not 0 < len(object_id) <= MAX_ID_CHARS:
        return Failure("", 0, "A STIX object has a type and an id.")
    if content.get("spec_version", "2.1") != "2.1":
        return Failure(object_id, 0, "This server takes STIX 2.1 only.")
    version = content.get("modified", content.get("created"))
    try:
        version_us = 0 if version is None else us_of(version if isinstance(version, str) else "")
    except DecodeError as error:
        return Failure(object_id, 0, error.message)
    problem = next((each for each in check(content) if each.rule not in _BEARABLE), None)
    if problem is not None:
        return Failure(object_id, version_us, str(problem))
    return Item(object_id, kind, version_us, raw)
