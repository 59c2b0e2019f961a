"""Facts as bytes: JSON by msgspec, so that a person with a database shell can read them.

Reading a page does not decode it: many readers look at number and kind alone, and decoding costs six
times what SQLite takes to hand the row over. An entry decodes its fact when first asked for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import repeat

import msgspec

from port2port.core.fact import Fact, Recorded, Unknown
from port2port.store.types import from_us

_log = logging.getLogger(__name__)

MAX_PAGE = 10_000
"""Entries in one page, whatever was asked."""

EncodedFact = tuple[str, bytes]
"""Kind and JSON."""

Row = tuple[int, int, str, bytes]
"""A journal entry as the database holds it: number, microseconds, kind, JSON."""

StoredBody = tuple[int, int, bytes]
"""A body as the database holds it: number, whether it is sealed, bytes."""


def page_size(limit: int) -> int:
    """How many entries a page may have when `limit` were asked for."""
    return max(0, min(limit, MAX_PAGE))


class Codec:
    """Knows the fact types of the installed capabilities."""

    def __init__(self, fact_types: Iterable[type[Fact]]) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._decoders = {fact_type.kind(): msgspec.json.Decoder(fact_type) for fact_type in fact_types}
        self._entry = type("Entry", (_Entry,), {"__slots__": (), "decode": staticmethod(self.decode)})

    def encode(self, fact: Fact) -> EncodedFact:
        """Kind and bytes of a fact; one whose type was not declared is a programming error."""
        kind = fact.kind()
        assert kind in self._decoders, f"the store was not told of facts of kind {kind}"
        return kind, self._encode(fact)

    def decode(self, kind: str, data: bytes) -> Fact | Unknown:
        """The fact; `Unknown` when nobody declared this kind, or its bytes no longer fit what was declared."""
        decoder = self._decoders.get(kind)
        if decoder is None:
            return Unknown(bytes(data))
        try:
            return decoder.decode(data)
        except (msgspec.MsgspecError, AssertionError) as error:
            _log.warning("an entry of kind %s does not fit its type, and is passed by: %s", kind, error)
            return Unknown(bytes(data))

    def record(self, rows: Sequence[Row]) -> Sequence[Recorded]:
        """Journal rows as what readers get."""
        entries: list[Recorded] = list(map(object.__new__, repeat(self._entry, len(rows))))
        for _ in zip(map(_set_row, entries, rows), map(_set_fact, entries, repeat(None)), strict=False):
            pass
        return entries


class _Entry(Recorded):
    """A `Recorded` that reads its row when asked. Equal to any other with the same content."""

    __slots__ = ("_fact", "_row")
    _row: Row
    _fact: Fact | Unknown | None

    @property
    def number(self) -> int:
        return self._row[0]

    @property
    def at(self) -> datetime:
        return from_us(self._row[1])

    @property
    def kind(self) -> str:
        return self._row[2]

    @property
    def fact(self) -> Fact | Unknown:
        fact = self._fact
        if fact is None:
            fact = self.decode(self._row[2], self._row[3])
            _set_fact(self, fact)
        return fact

    @staticmethod
    def decode(kind: str, data: bytes) -> Fact | Unknown:
        """Given by the codec."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recorded):
            return NotImplemented
        return (self.number, self.at, self.kind, self.fact) == (other.number, other.at, other.kind, other.fact)

    __hash__ = Recorded.__hash__


_set_row = _Entry.__dict__["_row"].__set__
_set_fact = _Entry.__dict__["_fact"].__set__
