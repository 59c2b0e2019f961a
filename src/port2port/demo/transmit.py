"""Sends AIS sentences to nodes on this machine, in time: the simulated harbour, or a recording at its own speed.

One datagram holds one message. Every moment is counted from the beginning, so that the schedule does not drift; a
sender that was held up sends what is due at once and goes on.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from port2port.core.errors import BadInput
from port2port.demo.harbour import Harbour, Transmission

ALL_STATIONS = "*"
LOOPBACK = "127.0.0.1"
MAX_LINE_BYTES = 1024
MAX_GAP_S = 60.0
"""A longer silence in a recording is cut to this."""
MAX_DATAGRAM_BYTES = 1400
RECORDED = "recording"
"""Station name of what a recording plays."""

_SENTENCE = re.compile(rb"![A-Z]{2}VD[MO],(\d),(\d),")
_GATEHOUSE = re.compile(rb"\$PGHP,1,(\d{4}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,2}),(\d{1,3})")
_TAG_TIME = re.compile(rb"[\\,]c:(\d{10,13})")
_UNIX_AT_END = re.compile(rb",(\d{10}(?:\.\d+)?)\s*$")


@dataclass(frozen=True, slots=True)
class Target:
    """A node's receiver and the stations whose traffic it gets; `*` is all."""

    port: int
    stations: frozenset[str]
    address: str = LOOPBACK

    def wants(self, station: str) -> bool:
        return ALL_STATIONS in self.stations or station in self.stations or station == RECORDED


@dataclass
class Sent:
    """What was sent so far."""

    messages: int = 0
    """Transmissions, each counted once."""
    datagrams: int = 0
    latest_s: float = 0.0
    """How late the latest message was at most."""
    by_station: dict[str, int] = field(default_factory=dict)


class Transmitter:
    """A UDP socket on the loopback address. Use it as an asynchronous context manager."""

    def __init__(self, targets: Sequence[Target]) -> None:
        if outside := [each.address for each in targets if not each.address.startswith("127.")]:
            raise BadInput(f"The demonstration sends on this machine only, not to {outside[0]}.")
        self.targets = tuple(targets)
        self.sent = Sent()
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Transmitter:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(LOOPBACK, 0))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()

    def send(self, transmission: Transmission) -> None:
        """One message to everyone who wants its station, now."""
        assert self._transport is not None, "used outside its context"
        datagram = b"".join(sentence + b"\r\n" for sentence in transmission.nmea_sentences)
        self.sent.messages += 1
        self.sent.by_station[transmission.station] = self.sent.by_station.get(transmission.station, 0) + 1
        for target in self.targets:
            if target.wants(transmission.station):
                self._transport.sendto(datagram, (target.address, target.port))
                self.sent.datagrams += 1

    async def play(self, source: Iterable[Transmission], *, warp: float = 1.0, until_s: float | None = None) -> Sent:
        """Send each message when it is due, counted from the first; `warp` 10 plays ten seconds in one.

        Ends with the source, or when `until_s` seconds of its own time have been played.
        """
        assert warp > 0
        async for transmission, late_s in in_time(source, warp=warp, until_s=until_s):
            self.send(transmission)
            self.sent.latest_s = max(self.sent.latest_s, late_s)
        return self.sent


async def in_time(
    source: Iterable[Transmission],
    *,
    warp: float = 1.0,
    until_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[tuple[Transmission, float]]:
    """Each transmission at its moment, with the seconds it is late. Other tasks run at least between messages."""
    begin: datetime | None = None
    begun = clock()
    for transmission in source:
        begin = begin or transmission.at
        offset_s = (transmission.at - begin).total_seconds()
        if until_s is not None and offset_s > until_s:
            return
        late_s = clock() - begun - offset_s / warp
        await asyncio.sleep(max(0.0, -late_s))
        yield transmission, max(0.0, late_s)


def simulated(harbour: Harbour, *, from_s: int = 0) -> Iterator[Transmission]:
    """The harbour's messages from `from_s` seconds after its start on, without end."""
    second = from_s
    while True:
        yield from harbour.sentences(harbour.start + timedelta(seconds=second))
        second += 1


def recorded(path: Path, *, begins: datetime, again: bool = False) -> Iterator[Transmission]:
    """A recording of NMEA lines, plain or gzip, at the pace of its own times; lines are passed on unchanged.

    Times come from tag blocks (`c:`), `$PGHP` lines or a Unix time at the end of the line; a line without one belongs
    to the last known time. `again` starts over at the end. Raises `BadInput` when there is no AIS in the file.
    """
    moment, found = begins, True
    while found:
        found = False
        last: float | None = None
        for lines, at_s in _messages(path):
            if at_s is not None:
                moment += timedelta(seconds=min(max(at_s - last, 0.0), MAX_GAP_S) if last is not None else 0.0)
                last = at_s if last is None else max(last, at_s)
            found = True
            yield Transmission(moment, RECORDED, lines)
        if not found:
            raise BadInput(
                f"{path} holds no AIS sentences.", hint="Lines begin with !AIVDM, perhaps behind a tag block."
            )
        if not again:
            return


def _messages(path: Path) -> Iterator[tuple[list[bytes], float | None]]:
    """Lines up to and with the last sentence of a message, and the time that they tell."""
    lines: list[bytes] = []
    at_s: float | None = None
    for line in _lines(path):
        told = line_time_s(line)
        at_s = told if told is not None else at_s
        lines.append(line)
        sentence = _SENTENCE.search(line)
        complete = sentence is not None and sentence[1] == sentence[2]
        if complete or sum(map(len, lines)) > MAX_DATAGRAM_BYTES - MAX_LINE_BYTES:
            yield lines, at_s
            lines = []


def _lines(path: Path) -> Iterator[bytes]:
    """What is neither empty nor a remark; an overlong line comes in pieces that no receiver will accept."""
    try:
        with _open(path) as file:
            while line := file.readline(MAX_LINE_BYTES):
                if (line := line.strip()) and not line.startswith(b"#"):
                    yield line
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"The recording {path} cannot be read: {error}.") from error


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if zipped else path.open("rb")


def line_time_s(line: bytes) -> float | None:
    """The receive time that a line tells, seconds since 1970 UTC. None: it tells none."""
    if match := _TAG_TIME.search(line):
        value = int(match[1])
        return value / 1000 if value >= 10**11 else float(value)
    if match := _GATEHOUSE.match(line):
        year, month, day, hour, minute, second, millisecond = (int(each) for each in match.groups())
        try:
            at = datetime(year, month, day, hour, minute, second, millisecond * 1000, UTC)
        except ValueError:
            return None
        return at.timestamp()
    if match := _UNIX_AT_END.search(line):
        return float(match[1])
    return None
