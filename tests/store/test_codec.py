"""Facts as bytes, and entries that decode when asked."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.fact import Fact, Recorded, Unknown
from port2port.core.place import Position
from port2port.store.codec import Codec

AT = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class GateOpened(Fact):
    gate: str
    position: Position | None = None


def test_an_entry_equals_the_recorded_fact_it_stands_for() -> None:
    codec = Codec([GateOpened])
    fact = GateOpened(at=AT, gate="K702", position=Position(51, 4))
    kind, data = codec.encode(fact)
    (entry,) = codec.record([(3, 1_000_001, kind, data)])
    plain = Recorded(3, datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC), "GateOpened", fact)
    assert isinstance(entry, Recorded)
    assert entry == plain
    assert plain == entry
    assert hash(entry) == hash(plain)
    assert copy.copy(entry) == plain
    assert "K702" in repr(entry)
    assert entry.fact is entry.fact
    assert entry != Recorded(4, plain.at, plain.kind, fact)


def test_an_entry_cannot_be_changed() -> None:
    codec = Codec([GateOpened])
    (entry,) = codec.record([(3, 0, *codec.encode(GateOpened(at=AT, gate="K702")))])
    with pytest.raises(AttributeError):
        entry.number = 4  # type: ignore[misc]


def test_a_fact_of_an_unknown_kind_is_handed_on_as_bytes() -> None:
    assert Codec([]).decode("GateOpened", b"anything") == Unknown(b"anything")


@pytest.mark.parametrize("position", ['{"latitude_deg": 99, "longitude_deg": 4}', "7", '"x"'])
def test_a_fact_that_breaks_a_rule_of_its_type_is_handed_on_as_bytes(position: str) -> None:
    data = f'{{"at": "2026-03-01T12:00:00Z", "gate": "K702", "position": {position}}}'.encode()
    assert Codec([GateOpened]).decode("GateOpened", data) == Unknown(data)


def test_a_fact_whose_type_has_changed_is_handed_on_as_bytes() -> None:
    assert Codec([GateOpened]).decode("GateOpened", b'{"gate": 7}') == Unknown(b'{"gate": 7}')


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_handed_on(data: bytes) -> None:
    found = Codec([GateOpened]).decode("GateOpened", data)
    assert isinstance(found, GateOpened) or found == Unknown(data)


@settings(max_examples=60)
@given(st.text(), st.floats(-90, 90), st.floats(-180, 180))
def test_encode_then_decode_is_the_same(gate: str, latitude: float, longitude: float) -> None:
    codec = Codec([GateOpened])
    fact = GateOpened(at=AT, gate=gate, position=Position(latitude, longitude))
    assert codec.decode(*codec.encode(fact)) == fact
