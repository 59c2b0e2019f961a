"""NMEA 0183 lines to sentences that carry AIS (IEC 61162-1, `!--VDM` and `!--VDO`).

Three wrappings tell when a sentence was received: a tag block before it (`\\s:station,c:time*hh\\`,
NMEA 4.10 and IEC 61162-450), a `$PGHP` line above it (Gatehouse), or a time after its checksum
(United States Coast Guard). All are read; the nearest to the sentence wins.

Every line that is not blank ends in exactly one place: a sentence, a wrapping, or a refusal with a
reason. Payloads are not looked at here. Times are seconds since 1970 UTC, not datetimes: thousands
of sentences a second pass through, each a few microseconds of work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

MAX_LINE_BYTES = 1024
"""A sentence has at most 82 characters (IEC 61162-1), a tag block 80; receivers exceed both, never by this much."""
MAX_GROUPS = 64
"""Groups of lines (`g:`) whose first line is remembered, for the time and station of the others."""
MAX_STATION_CHARS = 24
MAX_TAG_CACHE = 512
MILLISECONDS_FROM = 100_000_000_000
"""`c:` at or above this is in milliseconds: as seconds it would be in the year 5138."""

_SENTENCE = re.compile(
    rb"!([A-Z0-9-]{2}VD[MO]),([1-9]),([1-9]),([0-9]?),([^,*]{0,2}),([0-W`-w]*),([0-5])\*([0-9A-Fa-f]{2})(.*)", re.DOTALL
)
_LOOKS_LIKE_AIS = re.compile(rb"![A-Z0-9-]{2}VD[MO]\b")
_CHECKED = re.compile(rb"!([^*]*)\*([0-9A-Fa-f]{2})")
_GATEHOUSE = re.compile(
    rb"\$PGHP,\d+,(\d{4},\d\d?,\d\d?,\d\d?,\d\d?),(\d\d?),(\d{1,3}),(\d*),(\d*),(\d*),\d*,[0-9A-Fa-f]*\*([0-9A-Fa-f]{2})\s*$"
)
_NIBBLES = "0123456789ABCDEFabcdef"
_DIGIT = {str(number).encode(): number for number in range(10)}
_HEX = {f"{high}{low}".encode(): int(high + low, 16) for high in _NIBBLES for low in _NIBBLES}


class Sentence(NamedTuple):
    """One AIS sentence, checksum verified."""

    formatter: bytes
    """Talker and formatter, e.g. `AIVDM`. `VDO` is the receiver's own vessel."""
    total: int
    number: int
    sequence: bytes
    """Message id that parts have in common; often empty for a single sentence."""
    channel: bytes
    payload: bytes
    """Six-bit armoured, as it stood in the line."""
    fill_bits: int
    at_s: float
    """When a station received it, seconds since 1970 UTC."""
    station: str


@dataclass(slots=True)
class Tally:
    """What became of lines. `lines == sentences + wrappings + refused`, at any moment."""

    lines: int = 0
    sentences: int = 0
    wrappings: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    """How much of `refused` the node's counters have heard of."""

    def refuse(self, reason: str, by: int = 1) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + by

    def balanced(self) -> bool:
        return self.lines == self.sentences + self.wrappings + sum(self.refused.values())


_new = tuple.__new__
"""Makes a named tuple from a tuple, without the detour through its Python constructor."""


class _Wrapping(NamedTuple):
    at_s: float | None
    station: str
    group: bytes
    first: bool


_NONE = _Wrapping(None, "", b"", True)


def checksum(body: bytes) -> int:
    """XOR of all bytes (IEC 61162-1, 7.2.5), folded in halves: ten times as fast as byte by byte."""
    if len(body) > 128:
        return checksum(body[:128]) ^ checksum(body[128:])
    value = int.from_bytes(body, "little")
    if len(body) > 64:
        value ^= value >> 512
    value ^= value >> 256
    value ^= value >> 128
    value ^= value >> 64
    value ^= value >> 32
    value ^= value >> 16
    return (value ^ value >> 8) & 0xFF


class LineReader:
    """Reads the lines of one source in order; keeps what a line says about the next one."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._next = _NONE
        self._groups: dict[bytes, _Wrapping] = {}
        self._prefix, self._prefix_s = b"$PGHP,?", 0.0
        self._last = _NONE
        self._idle: set[bytes] = set()
        """Lines that are a tag block alone and tell nothing of ours: some receivers put one before each sentence."""

    def read(self, lines: Iterable[bytes], received_s: float) -> list[Sentence]:
        """The sentences in `lines`; `received_s` is the time of those that tell none themselves."""
        found: list[Sentence] = []
        tally = self.tally
        for line in lines:
            first = line[:1]
            if first == b"!":
                tally.lines += 1
                wrapping, self._next = self._next, _NONE
                self._sentence(line, 0, wrapping, received_s, found)
            elif first == b"$":
                tally.lines += 1
                self._gatehouse(line)
            elif line in self._idle:
                tally.lines += 1
                tally.wrappings += 1
            elif line.strip():
                tally.lines += 1
                self._other(line.lstrip(), received_s, found)
        return found

    def _sentence(self, line: bytes, start: int, wrapping: _Wrapping, received_s: float, out: list[Sentence]) -> None:
        match = _SENTENCE.match(line, start)
        if match is None or len(line) > MAX_LINE_BYTES:
            self.tally.refuse(_why_not(line, start))
            return
        formatter, total, number, sequence, channel, payload, fill, stated, rest = match.groups()
        if _HEX.get(stated) != checksum(line[start + 1 : match.end(7)]):
            self.tally.refuse("checksum")
            return
        if number > total:
            self.tally.refuse("malformed")
            return
        at_s, station = wrapping.at_s, wrapping.station
        if len(rest) > 2:
            at_s, station = _trailer(rest, at_s, station)
        if number != b"1":
            # The parts of a message follow each other; only the first is wrapped.
            at_s = self._last.at_s if at_s is None else at_s
            station = station or self._last.station
        if at_s is None:
            at_s = received_s
        if total != b"1":
            self._last = _Wrapping(at_s, station, b"", True)
        self.tally.sentences += 1
        numbers = _DIGIT[total], _DIGIT[number]
        out.append(_new(Sentence, (formatter, *numbers, sequence, channel, payload, _DIGIT[fill], at_s, station)))

    def _other(self, line: bytes, received_s: float, out: list[Sentence]) -> None:
        """A tag block with or without a sentence behind it; a log's prefix before a sentence; or nothing of ours."""
        if len(line) > MAX_LINE_BYTES:
            self.tally.refuse("oversize")
        elif line[:1] != b"\\":
            self._bare(line, received_s, out)
        else:
            end = line.find(b"\\", 1)
            wrapping = _read_tag_block(line[1:end]) if end > 0 else None
            if wrapping is None:
                self.tally.refuse("tag-block" if line.isascii() else "eight-bit")
                return
            rest = line[end + 1 :].strip()
            if wrapping == _NONE and not rest and len(self._idle) < MAX_TAG_CACHE:
                self._idle.add(line)
            self._behind_tag_block(rest, self._grouped(wrapping) if wrapping.group else wrapping, received_s, out)

    def _bare(self, line: bytes, received_s: float, out: list[Sentence]) -> None:
        start = line.find(b"!")
        if start < 0 or not _LOOKS_LIKE_AIS.match(line, start):
            self.tally.refuse(_why_not(line, 0))
            return
        wrapping, self._next = self._next, _NONE
        self._sentence(line, start, wrapping, received_s, out)

    def _behind_tag_block(self, rest: bytes, wrapping: _Wrapping, received_s: float, out: list[Sentence]) -> None:
        pending, self._next = self._next, _NONE
        if pending is not _NONE:
            at_s = pending.at_s if wrapping.at_s is None else wrapping.at_s
            wrapping = wrapping._replace(at_s=at_s, station=wrapping.station or pending.station)
        if not rest:
            self._next = wrapping
            self.tally.wrappings += 1
        elif rest[:1] == b"!":
            self._sentence(rest, 0, wrapping, received_s, out)
        elif rest[:1] == b"$":
            self._next = pending
            self._gatehouse(rest)
        else:
            self.tally.refuse(_why_not(rest, 0))

    def _gatehouse(self, line: bytes) -> None:
        """`$PGHP,1,year,month,day,hour,minute,second,millisecond,country,region,station,online,checksum*hh`."""
        if line.startswith(self._prefix):
            fields = line[len(self._prefix) :].rstrip().split(b",", 6)
            second, millisecond, tail = fields[0], fields[1] if len(fields) > 1 else b"", fields[-1]
            if len(fields) == 7 and second.isdigit() and millisecond.isdigit() and len(line) < MAX_LINE_BYTES:
                self._told(line, self._prefix_s, second, millisecond, fields[4] or fields[3], tail[-2:])
                return
        self._gatehouse_anew(line)

    def _gatehouse_anew(self, line: bytes) -> None:
        """The first of a minute; those that follow begin with the same bytes, and are read by half the work."""
        match = _GATEHOUSE.match(line) if len(line) <= MAX_LINE_BYTES else None
        if match is None:
            self.tally.refuse("truncated" if line[:6] == b"$PGHP," and line.isascii() else _why_not(line, 0))
            return
        minute, second, millisecond, _, region, station, stated = match.groups()
        minute_s = _minute(minute)
        if minute_s is None:
            self.tally.refuse("malformed")
            return
        self._prefix, self._prefix_s = line[: match.end(1) + 1], minute_s
        self._told(line, minute_s, second, millisecond, station or region, stated)

    def _told(
        self, line: bytes, minute_s: float, second: bytes, millisecond: bytes, station: bytes, stated: bytes
    ) -> None:
        if _HEX.get(stated) != checksum(line[1 : line.rfind(b"*")]):
            self.tally.refuse("checksum")
            return
        self.tally.wrappings += 1
        at_s = minute_s + int(second) + int(millisecond) / 1000
        name = self._next.station or station[:MAX_STATION_CHARS].decode("ascii", "replace")
        self._next = _new(_Wrapping, (at_s, name, b"", True))

    def _grouped(self, wrapping: _Wrapping) -> _Wrapping:
        """Time and station of the first line hold for its whole group (NMEA 4.10, `g:`)."""
        if wrapping.first:
            if len(self._groups) >= MAX_GROUPS:
                self._groups.pop(next(iter(self._groups)))
            self._groups[wrapping.group] = wrapping
            return wrapping
        opened = self._groups.get(wrapping.group, _NONE)
        at_s = opened.at_s if wrapping.at_s is None else wrapping.at_s
        return wrapping._replace(at_s=at_s, station=wrapping.station or opened.station)


def _minute(minute: bytes) -> float | None:
    """Seconds since 1970 of `year,month,day,hour,minute`; None: there is no such minute."""
    try:
        return datetime(*map(int, minute.split(b",")), tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def _read_tag_block(block: bytes) -> _Wrapping | None:
    body, star, stated = block.rpartition(b"*")
    if not star or _HEX.get(stated) != checksum(body):
        return None
    at_s: float | None = None
    station, group, first = "", b"", True
    for each in body.split(b","):
        code, _, value = each.partition(b":")
        if code == b"c":
            at_s = _unix_time(value)
        elif code == b"s":
            station = value[:MAX_STATION_CHARS].decode("ascii", "replace")
        elif code == b"g":
            number, _, group = value.partition(b"-")
            first = number == b"1"
    return _Wrapping(at_s, station, group, first)


def _unix_time(value: bytes) -> float | None:
    if not value.isdigit() or len(value) > 14:
        return None
    number = int(value)
    return number / 1000 if number >= MILLISECONDS_FROM else float(number)


def _trailer(rest: bytes, at_s: float | None, station: str) -> tuple[float | None, str]:
    """What the Coast Guard's format adds after the checksum: a station (`r…` or `b…`), and a time in the last field."""
    fields = rest.strip().split(b",")
    for each in fields[1:]:
        if each[:1] in (b"r", b"b") and not station:
            station = each[:MAX_STATION_CHARS].decode("ascii", "replace")
    time = _unix_time(fields[-1]) if len(fields) > 1 and len(fields[-1]) >= 9 else None
    return (at_s if time is None else time), station


def _why_not(line: bytes, start: int) -> str:
    """The reason for which a line is no AIS sentence, as one countable word."""
    if len(line) > MAX_LINE_BYTES:
        return "oversize"
    if not line.isascii():
        return "eight-bit"
    if not _LOOKS_LIKE_AIS.match(line, start):
        return "not-ais"
    checked = _CHECKED.match(line, start)
    if checked is None:
        return "truncated"
    return "malformed" if checksum(checked[1]) == int(checked[2], 16) else "checksum"
