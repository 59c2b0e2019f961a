"""AIS messages (ITU-R M.1371-5) to small typed records. pyais decodes the payloads.

A message of several sentences waits for its parts in bounded memory, and not for long in event
time. What a payload says in the units of radio (1023 tenths of a knot, 181 degrees) is told here in
ours, and "not available" is None. Message types that nobody here uses are decoded, counted, and
come out as `Other`.

Records are msgspec structs rather than dataclasses: one is made for each message of a nation's feed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from pyais.bit_vector import bit_vector
from pyais.exceptions import AISBaseException
from pyais.messages import MSG_CLASS

from port2port.core.errors import DecodeError
from port2port.core.identifiers import eni, imo
from port2port.core.place import MPS_PER_KNOT
from port2port.vessels.nmea import Sentence, Tally

MAX_PARTS_WAITING = 256
"""Messages of several sentences that wait at one time for their rest."""
PART_TIMEOUT_S = 30.0
"""Parts are sent within two slots of each other; receivers and satellites add some delay."""
MAX_PAYLOAD_CHARS = 420
"""Five slots of 256 bits (M.1371-5, 3.3.7) are 214 characters; five full sentences are below this."""
MIN_BITS = 38
"""Type, repeat indicator and MMSI: without them there is nobody to speak of."""
DUPLICATE_WINDOW_S = 20.0
"""The same message heard by several base stations arrives within seconds; this far apart it is news again."""
MAX_REMEMBERED = 50_000
COPY_WINDOW_S = 1800.0
"""A satellite delivers what it heard up to half an hour late."""

CLASS_A, CLASS_B, LONG_RANGE, AIRCRAFT = "A", "B", "L", "S"


class PositionReport(msgspec.Struct, frozen=True, gc=False):
    """Types 1-3 (class A), 18 and 19 (class B), 27 (long range), 9 (search and rescue aircraft)."""

    mmsi: int
    transponder: str
    latitude_deg: float | None
    longitude_deg: float | None
    speed_mps: float | None
    course_deg: float | None
    heading_deg: float | None
    turn_deg_per_min: float | None
    status: int
    """Navigation status 0-15 (M.1371-5 table 48); 15 where the message has none."""
    accurate: bool
    """Better than 10 m, says the sender."""


class StaticData(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Types 5, 19, 24 and the inland static report (8, DAC 200 FI 10). None: this message does not say."""

    mmsi: int
    transponder: str
    name: str | None = None
    call_sign: str | None = None
    imo: int | None = None
    eni: str | None = None
    ship_type: int | None = None
    length_m: float | None = None
    beam_m: float | None = None
    draught_m: float | None = None
    destination: str | None = None
    eta: tuple[int, int, int, int] | None = None
    """Month, day, hour, minute UTC; 0, 0, 24 and 60 are "not available"."""
    convoy_type: int | None = None
    """ERI ship type of inland navigation (CESNI, 4 digits)."""


class BaseStation(msgspec.Struct, frozen=True, gc=False):
    """Types 4 and 11."""

    mmsi: int
    latitude_deg: float | None
    longitude_deg: float | None


class AidToNavigation(msgspec.Struct, frozen=True, gc=False):
    """Type 21."""

    mmsi: int
    name: str
    aid_type: int
    latitude_deg: float | None
    longitude_deg: float | None
    off_position: bool
    virtual: bool


class SafetyMessage(msgspec.Struct, frozen=True, gc=False):
    """Types 12 and 14: a text about safety."""

    mmsi: int
    text: str


class Other(msgspec.Struct, frozen=True, gc=False):
    """Decoded, and of no use here."""

    mmsi: int
    message_type: int


Record = PositionReport | StaticData | BaseStation | AidToNavigation | SafetyMessage | Other


class Heard(NamedTuple):
    """One message as one station heard it."""

    records: tuple[Record, ...]
    at_s: float
    station: str
    again: bool
    """The same bits were heard a moment ago: nothing new about the vessel."""
    copy: bool = False
    """The same bits were heard some time ago: perhaps a satellite's late copy, perhaps a ship that lies still."""


_new = tuple.__new__
_TYPE = tuple((code - 48 if code < 88 else code - 56) & 63 for code in range(256))
"""The first six bits of a payload by its first character (M.1371-5 and IEC 61162-1, table of armour)."""


def decode_payload(payload: bytes, fill_bits: int) -> tuple[int, tuple[Record, ...]]:
    """The type and the records of one complete payload. Raises `DecodeError`: `payload`, `unknown-type`."""
    if len(payload) * 6 - fill_bits < MIN_BITS or len(payload) > MAX_PAYLOAD_CHARS:
        raise DecodeError(f"An AIS payload of {len(payload)} characters cannot be read.", reason="payload")
    number = _TYPE[payload[0]]
    kind = MSG_CLASS.get(number)
    if kind is None or number == 0:
        raise DecodeError(f"AIS message type {number} is not known.", reason="unknown-type")
    try:
        message = kind.from_vector(bit_vector(payload, fill_bits))
        return number, _TO_RECORDS.get(number, _other)(message)
    except (AISBaseException, ValueError, TypeError, AttributeError, IndexError, KeyError, OverflowError) as error:
        # A payload shorter than its type promises leaves fields empty: pyais fails in many ways on those.
        raise DecodeError(f"AIS message type {number} cannot be read: {error}.", reason="payload") from error


@dataclass
class _Slot:
    opened_s: float
    parts: list[Sentence | None]
    missing: int


@dataclass
class Assembler:
    """Joins the sentences of one source into messages and decodes them.

    At any moment: sentences in == decoded + parts + waiting + refused.
    """

    tally: Tally
    decoded: dict[int, int] = field(default_factory=dict)
    """Messages by type."""
    parts: int = 0
    """Sentences before the last one of a decoded message."""
    _slots: dict[tuple[bytes, int, bytes, bytes, str], _Slot] = field(default_factory=dict)
    _now_s: float = 0.0
    _rotated_s: float = 0.0
    _recent: dict[bytes, tuple[int, tuple[Record, ...]]] = field(default_factory=dict)
    _earlier: dict[bytes, tuple[int, tuple[Record, ...]]] = field(default_factory=dict)
    _copies: set[int] = field(default_factory=set)
    _older_copies: set[int] = field(default_factory=set)
    _copies_since_s: float = 0.0

    def waiting(self) -> int:
        """Sentences that wait for the rest of their message."""
        return sum(len(slot.parts) - slot.missing for slot in tuple(self._slots.values()))

    def join(self, sentences: Iterable[Sentence]) -> list[Heard]:
        """The messages that `sentences` complete."""
        heard: list[Heard] = []
        for sentence in sentences:
            if sentence.at_s > self._now_s:
                self._tick(sentence.at_s)
            if sentence.total == 1:
                self._decode(sentence.payload, sentence.fill_bits, sentence, 1, heard)
            else:
                self._part(sentence, heard)
        return heard

    def flush(self) -> None:
        """The source has ended: what still waits is refused as `part-missing`."""
        for key in tuple(self._slots):
            self._give_up(key)

    def _tick(self, now_s: float) -> None:
        self._now_s = now_s
        if now_s - self._rotated_s > DUPLICATE_WINDOW_S / 2 or len(self._recent) > MAX_REMEMBERED // 2:
            self._earlier = self._recent if now_s - self._rotated_s < DUPLICATE_WINDOW_S else {}
            self._recent, self._rotated_s = {}, now_s
            if now_s - self._copies_since_s > COPY_WINDOW_S or len(self._copies) > MAX_REMEMBERED:
                self._older_copies, self._copies, self._copies_since_s = self._copies, set(), now_s
            for key in [key for key, slot in self._slots.items() if now_s - slot.opened_s > PART_TIMEOUT_S]:
                self._give_up(key)

    def _part(self, sentence: Sentence, heard: list[Heard]) -> None:
        key = (sentence.formatter, sentence.total, sentence.sequence, sentence.channel, sentence.station)
        slot = self._slots.get(key)
        if slot is not None and slot.parts[sentence.number - 1] is not None:
            self._give_up(key)  # the number comes again: another message has begun
            slot = None
        if slot is None:
            if len(self._slots) >= MAX_PARTS_WAITING:
                self._give_up(next(iter(self._slots)))
            slot = self._slots[key] = _Slot(sentence.at_s, [None] * sentence.total, sentence.total)
        slot.parts[sentence.number - 1] = sentence
        slot.missing -= 1
        if not slot.missing:
            del self._slots[key]
            parts = [part for part in slot.parts if part is not None]
            whole = b"".join(part.payload for part in parts)
            self._decode(whole, parts[-1].fill_bits, parts[0], len(parts), heard)

    def _give_up(self, key: tuple[bytes, int, bytes, bytes, str]) -> None:
        slot = self._slots.pop(key)
        self.tally.refuse("part-missing", len(slot.parts) - slot.missing)

    def _decode(self, payload: bytes, fill_bits: int, first: Sentence, sentences: int, heard: list[Heard]) -> None:
        key = payload if not fill_bits else payload + bytes((fill_bits,))  # no armour character is that low
        known = self._recent.get(key) or self._earlier.get(key)
        again, copy = known is not None, False
        if known is None:
            try:
                known = decode_payload(payload, fill_bits)
            except DecodeError as error:
                self.tally.refuse(error.reason, sentences)
                return
            self._recent[key] = known
            bits = hash(key)  # kept in place of the payload: a wrong match costs one late report
            copy = bits in self._copies or bits in self._older_copies
            self._copies.add(bits)
        self.decoded[known[0]] = self.decoded.get(known[0], 0) + 1
        self.parts += sentences - 1
        heard.append(_new(Heard, (known[1], first.at_s, first.station, again, copy)))


def _text(value: str | None) -> str | None:
    """A name or place as sent: `@` and spaces are filling; what cannot be printed is left out."""
    if value is None:
        return None
    return " ".join(value.partition("@")[0].split())


def _speed(knots: float | None, top: float = 102.25) -> float | None:
    return None if knots is None or knots > top else knots * MPS_PER_KNOT


def _class_a(m: Any) -> tuple[Record, ...]:
    latitude, longitude, speed, course, heading = m.lat, m.lon, m.speed, m.course, m.heading
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        latitude = longitude = None
    turn = float(m.turn)
    return (
        PositionReport(
            m.mmsi,
            CLASS_A,
            latitude,
            longitude,
            speed * MPS_PER_KNOT if speed < 102.25 else None,
            course if course < 360 else None,
            float(heading) if heading < 360 else None,
            turn if -127 < turn < 127 or abs(turn) > 128 else None,
            int(m.status),
            m.accuracy,
        ),
    )


def _class_b(m: Any) -> tuple[Record, ...]:
    latitude, longitude = _position(m)
    report = PositionReport(
        m.mmsi,
        CLASS_B,
        latitude,
        longitude,
        _speed(m.speed),
        m.course if m.course < 360 else None,
        float(m.heading) if m.heading < 360 else None,
        None,
        15,
        bool(m.accuracy),
    )
    if m.msg_type == 18:
        return (report,)
    return (report, _static(m, CLASS_B, name=_text(m.shipname), ship_type=_ship_type(m.ship_type)))


def _long_range(m: Any) -> tuple[Record, ...]:
    latitude, longitude = _position(m)
    speed = m.speed * MPS_PER_KNOT if m.speed < 63 else None
    course = float(m.course) if m.course < 360 else None
    status = int(m.status)
    return (
        PositionReport(m.mmsi, LONG_RANGE, latitude, longitude, speed, course, None, None, status, bool(m.accuracy)),
    )


def _aircraft(m: Any) -> tuple[Record, ...]:
    latitude, longitude = _position(m)
    speed = m.speed * MPS_PER_KNOT if m.speed < 1023 else None
    course = m.course if m.course < 360 else None
    return (PositionReport(m.mmsi, AIRCRAFT, latitude, longitude, speed, course, None, None, 15, bool(m.accuracy)),)


def _voyage(m: Any) -> tuple[Record, ...]:
    return (
        _static(
            m,
            CLASS_A,
            name=_text(m.shipname),
            call_sign=_text(m.callsign),
            imo=m.imo if m.imo and imo.is_valid(str(m.imo)) else None,
            ship_type=_ship_type(m.ship_type),
            draught_m=m.draught or None,
            destination=_text(m.destination),
            eta=None if m.minute is None else (m.month, m.day, m.hour, m.minute),
        ),
    )


def _class_b_static(m: Any) -> tuple[Record, ...]:
    if m.partno == 0:
        return (StaticData(mmsi=m.mmsi, transponder=CLASS_B, name=_text(m.shipname)),)
    call_sign, ship_type = _text(m.callsign), _ship_type(m.ship_type)
    if hasattr(m, "to_bow"):
        return (_static(m, CLASS_B, call_sign=call_sign, ship_type=ship_type),)
    return (StaticData(mmsi=m.mmsi, transponder=CLASS_B, call_sign=call_sign, ship_type=ship_type),)


def _binary(m: Any) -> tuple[Record, ...]:
    """Inland ship static and voyage data (CESNI ES-RIS; M.1371 type 8, DAC 200, FI 10); other uses are not read."""
    if (m.dac, m.fid) != (200, 10):
        return (Other(m.mmsi, 8),)
    vin = _text(m.vin)
    return (
        StaticData(
            mmsi=m.mmsi,
            transponder=CLASS_A,
            eni=vin if vin and eni.is_valid(vin) else None,
            length_m=m.length or None,
            beam_m=m.beam or None,
            draught_m=m.draught or None,
            convoy_type=m.shiptype or None,
        ),
    )


def _base_station(m: Any) -> tuple[Record, ...]:
    return (BaseStation(m.mmsi, *_position(m)),)


def _aid(m: Any) -> tuple[Record, ...]:
    name = _text((m.name or "") + (getattr(m, "name_ext", "") or "")) or ""
    return (AidToNavigation(m.mmsi, name, int(m.aid_type), *_position(m), bool(m.off_position), bool(m.virtual_aid)),)


def _safety(m: Any) -> tuple[Record, ...]:
    return (SafetyMessage(m.mmsi, _text(m.text) or ""),)


def _other(m: Any) -> tuple[Record, ...]:
    return (Other(m.mmsi, m.msg_type),)


def _static(m: Any, transponder: str, **values: Any) -> StaticData:
    length, beam = (m.to_bow or 0) + (m.to_stern or 0), (m.to_port or 0) + (m.to_starboard or 0)
    return StaticData(
        mmsi=m.mmsi, transponder=transponder, length_m=float(length) or None, beam_m=float(beam) or None, **values
    )


def _ship_type(value: Any) -> int | None:
    return None if value is None else int(value)


def _position(m: Any) -> tuple[float | None, float | None]:
    """91 and 181 degrees are "not available"; whatever else is outside the globe is treated alike."""
    if -90 <= m.lat <= 90 and -180 <= m.lon <= 180:
        return m.lat, m.lon
    return None, None


_TO_RECORDS: dict[int, Callable[[Any], tuple[Record, ...]]] = {
    1: _class_a,
    2: _class_a,
    3: _class_a,
    4: _base_station,
    5: _voyage,
    8: _binary,
    9: _aircraft,
    11: _base_station,
    12: _safety,
    14: _safety,
    18: _class_b,
    19: _class_b,
    21: _aid,
    24: _class_b_static,
    27: _long_range,
}
