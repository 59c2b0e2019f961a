"""The stream of positions on the wire: frames of quantised columns, 16 bytes a mover. Pure.

The format is described in docs/reference/positions-stream.md; the browser's reader is `frontend/map/frames.js`.
A mover is known by a handle within one stream; what changes rarely (id, name, layer, kind, source) is said once,
as an introduction. All numbers are little-endian and every column starts at a multiple of four.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from port2port.core.errors import DecodeError
from port2port.picture.limits import MAX_FRAME_BYTES

MAGIC = 0x5032
VERSION = 1
SNAPSHOT, UPDATE = 1, 2
"""A snapshot holds everything and makes the receiver forget what he had; an update what changed since."""
HEADER = struct.Struct("<IHBBIQQIIIII")
HEADER_BYTES = HEADER.size
"""length, magic, version, kind, tick, sent_ms, heard_ms, movers, gone, introduction bytes, alarmed, reserved"""

UNKNOWN = 255
DEGREES_A_STEP = 360 / 255
MPS_A_STEP = 0.2
MAX_SPEED_MPS = 254 * MPS_A_STEP
AGE_FINE_STEPS, AGE_FINE_S, AGE_COARSE_S = 200, 0.1, 20.0
MAX_AGE_S = AGE_FINE_STEPS * AGE_FINE_S + (254 - AGE_FINE_STEPS) * AGE_COARSE_S
"""Older than this (18 min) is `UNKNOWN`."""
E7 = 10_000_000

ALARMED = 0b100
"""Bit of `Columns.style`."""
MAX_HANDLE = 2**24 - 1

Floats = npt.NDArray[np.float64]
Bytes8 = npt.NDArray[np.uint8]


class Introduction(msgspec.Struct, frozen=True, array_like=True):
    """What a stream says once of a mover."""

    handle: int
    layer: str
    kind: str
    id: str
    name: str
    source: str


@dataclass(frozen=True, eq=False)
class Columns:
    """Movers, one row each. Unknown course, heading or speed is NaN."""

    handle: npt.NDArray[np.uint32]
    style: Bytes8
    """Quality in bits 0 and 1 (0 measured, 1 doubtful, 2 old), bit 2: an alert is open."""
    longitude_deg: Floats
    latitude_deg: Floats
    course_deg: Floats
    heading_deg: Floats
    speed_mps: Floats
    age_s: Floats

    def __len__(self) -> int:
        return len(self.handle)


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """One frame, decoded."""

    kind: int
    tick: int
    sent_ms: int
    """When it was made: milliseconds since 1970 by the node's clock."""
    heard_ms: int
    """When the newest report in it reached the node; 0 when it holds none."""
    movers: Columns
    gone: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    introductions: tuple[Introduction, ...] = ()


def columns(rows: Sequence[tuple[int, int, float, float, float, float, float, float]]) -> Columns:
    """Columns of rows (handle, style, longitude, latitude, course, heading, speed, age)."""
    table = np.array(rows, np.float64).reshape(-1, 8)
    return Columns(table[:, 0].astype(np.uint32), table[:, 1].astype(np.uint8), *(table[:, i] for i in range(2, 8)))


def encode(frame: Frame) -> bytes:
    """The bytes of a frame. Values outside what a column can hold are clamped; NaN is unknown."""
    movers = frame.movers
    packed = (movers.handle & MAX_HANDLE) | (movers.style.astype(np.uint32) << 24)
    said = msgspec.json.encode(frame.introductions) if frame.introductions else b""
    said += b" " * (-len(said) % 4)
    parts = (
        packed.astype("<u4").tobytes(),
        np.rint(movers.longitude_deg * E7).astype("<i4").tobytes(),
        np.rint(movers.latitude_deg * E7).astype("<i4").tobytes(),
        _motion(movers).tobytes(),
        frame.gone.astype("<u4").tobytes(),
        said,
    )
    length = HEADER_BYTES - 4 + sum(map(len, parts))
    alarmed = int(np.count_nonzero(movers.style & ALARMED))
    counts = (len(movers), len(frame.gone), len(said), alarmed, 0)
    header = HEADER.pack(length, MAGIC, VERSION, frame.kind, frame.tick, frame.sent_ms, frame.heard_ms, *counts)
    return b"".join((header, *parts))


def decode(data: bytes) -> Frame:
    """One whole frame. Raises `DecodeError` when the bytes are none."""
    if len(data) < HEADER_BYTES:
        raise DecodeError(f"A frame has at least {HEADER_BYTES} bytes, got {len(data)}.", reason="short")
    length, magic, version, kind, tick, sent, heard, movers, gone, said, _, _ = HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or kind not in (SNAPSHOT, UPDATE):
        raise DecodeError("These bytes are no frame of positions.", reason="header")
    if (
        len(data) > MAX_FRAME_BYTES
        or len(data) != length + 4
        or length + 4 != HEADER_BYTES + 16 * movers + 4 * gone + said
    ):
        raise DecodeError("The frame's length and its counts disagree.", reason="length")
    packed = np.frombuffer(data, "<u4", movers, HEADER_BYTES)
    at = HEADER_BYTES + 12 * movers
    return Frame(
        kind=kind,
        tick=tick,
        sent_ms=sent,
        heard_ms=heard,
        movers=Columns(
            (packed & MAX_HANDLE).astype(np.uint32),
            (packed >> 24).astype(np.uint8),
            np.frombuffer(data, "<i4", movers, HEADER_BYTES + 4 * movers) / E7,
            np.frombuffer(data, "<i4", movers, HEADER_BYTES + 8 * movers) / E7,
            *_motion_of(np.frombuffer(data, np.uint8, 4 * movers, at).reshape(movers, 4)),
        ),
        gone=np.frombuffer(data, "<u4", gone, at + 4 * movers),
        introductions=_introductions(data[at + 4 * movers + 4 * gone :]),
    )


class Cutter:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Frames that are complete now. Raises `DecodeError`; the stream cannot be read on after that."""
        self._rest += data
        while len(self._rest) >= 4:
            length = int.from_bytes(self._rest[:4], "little") + 4
            if length > MAX_FRAME_BYTES:
                raise DecodeError(f"A frame has at most {MAX_FRAME_BYTES} bytes.", reason="long")
            if len(self._rest) < length:
                return
            frame = bytes(self._rest[:length])
            del self._rest[:length]
            yield decode(frame)


def _motion(movers: Columns) -> Bytes8:
    """Course, heading, speed and age, four bytes a mover."""
    return np.stack(
        (
            _steps(movers.course_deg % 360, DEGREES_A_STEP, wraps=True),
            _steps(movers.heading_deg % 360, DEGREES_A_STEP, wraps=True),
            _steps(np.clip(movers.speed_mps, 0, MAX_SPEED_MPS), MPS_A_STEP),
            _age_steps(movers.age_s),
        ),
        axis=1,
    )


def _steps(values: Floats, step: float, *, wraps: bool = False) -> Bytes8:
    steps = np.rint(np.nan_to_num(values) / step)
    if wraps:
        steps %= UNKNOWN
    return np.where(np.isnan(values), UNKNOWN, steps).astype(np.uint8)


def _age_steps(age_s: Floats) -> Bytes8:
    age = np.maximum(np.nan_to_num(age_s, nan=np.inf), 0.0)
    fine_s = AGE_FINE_STEPS * AGE_FINE_S
    bounded = np.minimum(age, MAX_AGE_S)
    steps = np.where(bounded < fine_s, bounded / AGE_FINE_S, AGE_FINE_STEPS + (bounded - fine_s) / AGE_COARSE_S)
    return np.where(age > MAX_AGE_S, UNKNOWN, np.floor(steps + 1e-6)).astype(np.uint8)


def _motion_of(motion: Bytes8) -> tuple[Floats, Floats, Floats, Floats]:
    scales = (DEGREES_A_STEP, DEGREES_A_STEP, MPS_A_STEP)
    course, heading, speed = (_value(motion[:, i], scale) for i, scale in enumerate(scales))
    steps = motion[:, 3].astype(np.float64)
    coarse = AGE_FINE_STEPS * AGE_FINE_S + (steps - AGE_FINE_STEPS) * AGE_COARSE_S
    age = np.where(steps < AGE_FINE_STEPS, steps * AGE_FINE_S, coarse)
    return course, heading, speed, np.where(steps == UNKNOWN, np.nan, age)


def _value(steps: Bytes8, scale: float) -> Floats:
    return np.where(steps == UNKNOWN, np.nan, steps * scale)


def _introductions(said: bytes) -> tuple[Introduction, ...]:
    if not said:
        return ()
    try:
        return msgspec.json.decode(said, type=tuple[Introduction, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DecodeError(f"The frame's introductions cannot be read: {error}.", reason="introductions") from error
