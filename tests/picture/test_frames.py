"""The stream of positions: encode then decode, and any bytes are decoded or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.errors import DecodeError
from port2port.picture import frames
from port2port.picture.frames import Cutter, Frame, Introduction, columns, decode, encode

NAN = float("nan")
degrees = st.one_of(st.just(NAN), st.floats(0, 360, exclude_max=True))
row = st.tuples(
    st.integers(0, frames.MAX_HANDLE),
    st.integers(0, 7),
    st.floats(-180, 180),
    st.floats(-90, 90),
    degrees,
    degrees,
    st.one_of(st.just(NAN), st.floats(0, frames.MAX_SPEED_MPS)),
    st.floats(0, 2_000),
)
introduction = st.builds(
    Introduction, st.integers(0, frames.MAX_HANDLE), st.text(max_size=8), st.text(max_size=8), st.text(max_size=12),
    st.text(max_size=20), st.text(max_size=8),
)  # fmt: skip
frame = st.builds(
    lambda rows, gone, said, kind: Frame(
        kind=kind, tick=7, sent_ms=1_700_000_000_123, heard_ms=1_700_000_000_001,
        movers=columns(rows), gone=np.array(gone, np.uint32), introductions=tuple(said),
    ),
    st.lists(row, max_size=20),
    st.lists(st.integers(0, frames.MAX_HANDLE), max_size=5),
    st.lists(introduction, max_size=4),
    st.sampled_from([frames.SNAPSHOT, frames.UPDATE]),
)  # fmt: skip


def close_to(told: np.ndarray, meant: np.ndarray, within: float, turn: float = 0.0) -> bool:
    """Equal up to the step of a column; NaN only where NaN was meant."""
    known = ~np.isnan(meant)
    off = np.abs(told[known] - meant[known])
    off = np.minimum(off, turn - off) if turn else off
    return bool(np.array_equal(np.isnan(told), ~known) and np.all(off <= within))


@settings(max_examples=150, deadline=None)
@given(frame)
def test_what_is_encoded_reads_back_within_its_steps(meant: Frame) -> None:
    told = decode(encode(meant))
    assert (told.kind, told.tick, told.sent_ms, told.heard_ms) == (meant.kind, 7, meant.sent_ms, meant.heard_ms)
    assert told.introductions == meant.introductions
    assert np.array_equal(told.gone, meant.gone)
    a, b = told.movers, meant.movers
    assert np.array_equal(a.handle, b.handle)
    assert np.array_equal(a.style, b.style)
    assert close_to(a.longitude_deg, b.longitude_deg, 1e-7)
    assert close_to(a.latitude_deg, b.latitude_deg, 1e-7)
    assert close_to(a.course_deg, b.course_deg, 0.71, 360)
    assert close_to(a.heading_deg, b.heading_deg, 0.71, 360)
    assert close_to(a.speed_mps, b.speed_mps, 0.101)
    fresh = b.age_s < frames.MAX_AGE_S
    assert np.all(b.age_s[fresh] - a.age_s[fresh] < frames.AGE_COARSE_S + 1e-3)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        decode(data)
    except DecodeError:
        return


@settings(max_examples=150, deadline=None)
@given(frame, st.integers(0, 400), st.integers(0, 255))
def test_one_wrong_byte_decodes_or_is_refused(meant: Frame, at: int, value: int) -> None:
    data = bytearray(encode(meant))
    data[at % len(data)] = value
    try:
        decode(bytes(data))
    except DecodeError:
        return


@settings(max_examples=60, deadline=None)
@given(st.lists(frame, max_size=5), st.integers(1, 97))
def test_a_stream_cut_anywhere_gives_the_same_frames(meant: list[Frame], piece: int) -> None:
    data, cutter = b"".join(encode(each) for each in meant), Cutter()
    told = [each for at in range(0, len(data), piece) for each in cutter.feed(data[at : at + piece])]
    assert [encode(each) for each in told] == [encode(decode(encode(each))) for each in meant]


def test_a_mover_takes_sixteen_bytes() -> None:
    def size(count: int) -> int:
        rows = [(i, 0, 3.0, 51.0, 10.0, 10.0, 4.0, 1.0) for i in range(count)]
        return len(encode(Frame(kind=2, tick=1, sent_ms=0, heard_ms=0, movers=columns(rows))))

    assert size(101) - size(100) == 16


def test_a_frame_that_claims_to_be_endless_is_refused() -> None:
    with pytest.raises(DecodeError, match="at most"):
        list(Cutter().feed(b"\xff\xff\xff\xff" + bytes(60)))
