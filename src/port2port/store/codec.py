"""Facts as bytes: JSON by msgspec, so that a person with a database shell can read them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from port2port.core.fact import Fact, Recorded, Unknown
from port2port.store.types import from_us

Row = tuple[int, int, str, bytes]
"""A journal entry as the database holds it: number, microseconds, kind, JSON."""


class Codec:
    """Knows the fact types of the installed capabilities."""

    def __init__(self, fact_types: Iterable[type[Fact]]) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._decoders: dict[str, msgspec.json.Decoder[Fact]] = {}
        for fact_type in fact_types:
            self._decoders[fact_type.kind()] = msgspec.json.Decoder(fact_type)

    def encode(self, fact: Fact) -> tuple[str, bytes]:
        """Kind and bytes of a fact; one whose type was not declared is a programming error."""
        kind = fact.kind()
        assert kind in self._decoders, f"the store was not told of facts of kind {kind}"
        return kind, self._encode(fact)

    def record(self, rows: Iterable[Row]) -> list[Recorded]:
        """Journal rows as what readers get. Kinds that nobody declared come as `Unknown`."""
        return [Recorded(number, from_us(us), kind, self._fact(kind, data)) for number, us, kind, data in rows]

    def _fact(self, kind: str, data: bytes) -> Fact | Unknown:
        decoder = self._decoders.get(kind)
        return decoder.decode(data) if decoder else Unknown(bytes(data))
