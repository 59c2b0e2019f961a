"""The bytes that every implementation must agree on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from port2port.core.errors import DecodeError
from port2port.core.handling import Handling, LegalBasis, PersonalData, Purpose, Tlp, named_nodes
from port2port.core.party import Compartment
from port2port.sharing.entry import (
    GENESIS,
    Cursor,
    Entry,
    Header,
    Op,
    commitment,
    follow,
    is_signed_by,
    next_chain,
    sign,
)
from port2port.sharing.lane import Class, Lane, handling_of, lane_for
from port2port.store.identity import public_bytes

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LABEL = Handling(
    origin="a" * 64,
    tlp=Tlp.AMBER,
    audience=named_nodes("c" * 64, "b" * 64),
    compartment=Compartment.A,
    legal_basis=LegalBasis.ISPS_CODE,
    purpose=Purpose.PORT_SECURITY,
    personal_data=PersonalData.NONE,
    retain_until=datetime(2027, 1, 1, tzinfo=UTC),
    agreement_id="agreement-1",
)


def test_the_chain_begins_and_goes_on_as_written_in_the_protocol() -> None:
    lane = bytes(range(16))
    header = Header(lane, 1, Op.PUT, 1_700_000_000_000, commitment(b"s" * 16, b"body"))
    packed = lane + (1).to_bytes(8, "big") + b"\1" + (1_700_000_000_000).to_bytes(8, "big")
    packed += hashlib.sha256(b"s" * 16 + b"body").digest()
    assert header.packed() == packed
    assert len(packed) == 65
    assert hashlib.sha256(b"p2p-genesis-1").digest() == GENESIS
    assert next_chain(GENESIS, header) == hashlib.sha256(b"p2p-entry-1" + GENESIS + packed).digest()
    assert next_chain(GENESIS, header).hex() == "49792c69a1dcb9c134f17b29899377c6fa1f0fcab93b3e0460e9a9acd7872d4f"


def test_a_checkpoint_signs_lane_number_chain_and_time() -> None:
    lane, cursor = bytes(16), Cursor(7, b"c" * 32)
    checkpoint = sign(KEY, lane, cursor, 1_700_000_000_000)
    signed = b"p2p-checkpoint-1" + lane + (7).to_bytes(8, "big") + b"c" * 32 + (1_700_000_000_000).to_bytes(8, "big")
    KEY.public_key().verify(checkpoint.signature, signed)
    assert is_signed_by(checkpoint, public_bytes(KEY))
    for changed in ({"sequence": 8}, {"chain": b"d" * 32}, {"ts_ms": 1}, {"lane": b"\1" * 16}):
        assert not is_signed_by(replace(checkpoint, **changed), public_bytes(KEY))
    assert not is_signed_by(checkpoint, public_bytes(Ed25519PrivateKey.generate()))


def test_a_lanes_id_follows_from_its_description() -> None:
    text = b'["' + b"a" * 64 + b'","{\\"network\\":true}","flash",1]'
    lane = Lane("a" * 64, '{"network":true}', Class.FLASH)
    assert lane.id == hashlib.sha256(b"p2p-lane-1\0" + text).digest()[:16]


def test_the_order_of_readers_makes_no_difference_and_the_retention_date_neither() -> None:
    other = replace(LABEL, audience=named_nodes("b" * 64, "c" * 64), retain_until=datetime(2030, 1, 1, tzinfo=UTC))
    assert lane_for(LABEL, urgent=False) == lane_for(other, urgent=False)
    assert lane_for(LABEL, urgent=False).id != lane_for(LABEL, urgent=True).id
    for change in (
        {"tlp": Tlp.GREEN},
        {"audience": named_nodes("b" * 64)},
        {"compartment": Compartment.B},
        {"purpose": Purpose.ANALYSIS},
        {"agreement_id": "agreement-2"},
        {"context": "exercise-1"},
        {"readers": frozenset({"x@y"})},
        {"personal_data": PersonalData.STAFF},
        {"legal_basis": LegalBasis.PUBLIC_TASK},
    ):
        assert lane_for(replace(LABEL, **change), urgent=False).id != lane_for(LABEL, urgent=False).id


def test_a_lane_gives_back_the_label_that_chose_it() -> None:
    assert replace(handling_of(lane_for(LABEL, urgent=False)), retain_until=LABEL.retain_until) == LABEL


@given(st.text(max_size=200))
def test_any_text_as_audience_is_read_or_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        handling_of(Lane("a" * 64, text, Class.NORMAL))


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=8))
def test_the_chain_tells_any_two_histories_apart(bodies: list[bytes]) -> None:
    def chain(contents: list[bytes]) -> bytes:
        cursor = Cursor()
        for body in contents:
            cursor = follow(cursor, Header(bytes(16), cursor.sequence + 1, 1, 0, commitment(bytes(16), body)))
        return cursor.chain

    assert chain(bodies) == chain(list(bodies))
    assert chain(bodies) != chain([*bodies[:-1], bodies[-1] + b"x"])


def test_an_entry_without_salt_and_body_still_stands_in_the_chain() -> None:
    header = Header(bytes(16), 1, 1, 0, commitment(bytes(16), b"x"))
    assert Entry(header, bytes(16), b"x").holds()
    assert Entry(header, None, None).holds()
    assert not Entry(header, None, b"x").holds()
    assert not Entry(header, bytes(16), b"y").holds()
