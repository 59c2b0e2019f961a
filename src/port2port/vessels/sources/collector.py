"""Bytes to lines to batches, and the state of a source as the health page shows it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from port2port.core.clock import Clock
from port2port.transport import Log
from port2port.vessels.nmea import MAX_LINE_BYTES
from port2port.vessels.service import Batch

BATCH_LINES = 100
BATCH_S = 0.02
RATE_OVER_S = 60.0


@dataclass
class SourceState:
    """What a source says of itself."""

    name: str
    kind: str
    address: str = ""
    """Where it really listens or is connected to."""
    connected_since: datetime | None = None
    last_heard: datetime | None = None
    trouble: str = ""
    connections: int = 0
    lines: int = 0
    _recent: deque[tuple[float, int]] = field(default_factory=deque)

    def heard(self, lines: int, at: datetime) -> None:
        self.lines += lines
        self.last_heard = at
        self._recent.append((at.timestamp(), lines))
        while self._recent and self._recent[0][0] < at.timestamp() - RATE_OVER_S:
            self._recent.popleft()

    def rate(self, now: datetime) -> float:
        """Lines a second over the last minute."""
        since_s = now.timestamp() - RATE_OVER_S
        return sum(lines for at_s, lines in tuple(self._recent) if at_s >= since_s) / RATE_OVER_S


class Collector:
    """Collects the bytes of one connection or sender; on the event loop only."""

    def __init__(self, state: SourceState, log: Log[Batch], clock: Clock, stream: str = "") -> None:
        self._state, self._log, self._clock, self._stream = state, log, clock, stream
        self._lines: list[bytes] = []
        self._rest = b""
        self._skipping = False
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, data: bytes) -> None:
        """Bytes of a stream. A line without an end is cut off at the limit, and refused once."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            else:
                self._add(line)
        if len(self._rest) > MAX_LINE_BYTES:
            if not self._skipping:
                self._add(self._rest[: MAX_LINE_BYTES + 1])
            self._rest, self._skipping = b"", True
        self._schedule()

    def datagram(self, data: bytes) -> None:
        """Whole lines: a datagram ends what is in it (IEC 61162-450)."""
        for line in data.split(b"\n"):
            self._add(line)
        self._schedule()

    def close(self) -> None:
        """The connection is over."""
        if self._rest and not self._skipping:
            self._add(self._rest)
        self._rest = b""
        self._flush(ended=True)

    def _add(self, line: bytes) -> None:
        line = line.strip(b"\r\0 ")
        if line:
            self._lines.append(line[: MAX_LINE_BYTES + 1])
            if len(self._lines) >= BATCH_LINES:
                self._flush()

    def _schedule(self) -> None:
        if self._lines and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._flush)

    def _flush(self, ended: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines or ended:
            now = self._clock()
            if self._lines:
                self._state.heard(len(self._lines), now)
            self._log.append(Batch(self._state.name, tuple(self._lines), now.timestamp(), self._stream, ended=ended))
            self._lines = []
