"""What stands behind a leaf. Pure.

A record is a fact with its place in the journal, as JSON. The leaf holds SHA-256 over a fresh salt and the record:
without salt and record it means nothing, so both can be erased while the tree stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from port2port.core.fact import Fact, Recorded, Unknown

_PREFIX = b"p2p-audit-1\x00"
_encode = msgspec.json.Encoder(order="deterministic").encode


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One audited fact: journal number, when it was recorded, its kind, and its content as JSON."""

    number: int
    at: datetime
    kind: str
    fact: msgspec.Raw

    def values(self) -> Mapping[str, Any]:
        """The content as plain values."""
        found = msgspec.json.decode(self.fact)
        return found if isinstance(found, dict) else {}


_decoder = msgspec.json.Decoder(Record)


def record_of(entry: Recorded) -> bytes:
    """The record of a journal entry."""
    return _encode(Record(number=entry.number, at=entry.at, kind=entry.kind, fact=_content(entry.fact)))


def read_record(data: bytes) -> Record | None:
    """A record from its bytes; None when they are none."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError:
        return None


def entry_of(salt: bytes, record: bytes) -> bytes:
    """The log entry (32 bytes) that stands for a record: what is hashed into the tree."""
    return sha256(_PREFIX + salt + record).digest()


def tells_of(record: Record, entry: Recorded) -> bool:
    """Whether a record says what the journal says, also when the fact's type has grown since."""
    same_place = (record.number, record.at, record.kind) == (entry.number, entry.at, entry.kind)
    return same_place and _same_content(record.fact, entry.fact)


def who(values: Mapping[str, Any]) -> str:
    """The account, or else the organisation, that a fact names as the one who did it."""
    named = (values.get(key) for key in ("by_name", "by", "account", "origin_name"))
    return next((each for each in named if isinstance(each, str) and each), "")


def _content(fact: Fact | Unknown) -> msgspec.Raw:
    return msgspec.Raw(fact.data if isinstance(fact, Unknown) else _encode(fact))


def _same_content(content: msgspec.Raw, fact: Fact | Unknown) -> bool:
    if isinstance(fact, Unknown):
        return bytes(content) == fact.data
    try:
        return bool(msgspec.json.decode(content, type=type(fact)) == fact)
    except msgspec.MsgspecError:
        return False
