"""Replays a recording, plain or gzip: in real time, faster, or as fast as it can be read."""

from __future__ import annotations

import asyncio
import gzip
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from port2port.core.clock import Clock
from port2port.core.errors import BadInput
from port2port.transport import Log
from port2port.vessels.nmea import MAX_LINE_BYTES, LineReader
from port2port.vessels.service import Batch
from port2port.vessels.settings import SourceSettings
from port2port.vessels.sources.collector import BATCH_LINES, BATCH_S, SourceState

CHUNK_LINES = 2_000
LOOK_FOR_TIME_LINES = 2_000
"""A recording that tells no time in so many lines is played at `BATCH_LINES` a second."""


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a recording, each cut off beyond the limit. Raises `BadInput` when it cannot be read."""
    try:
        with _open(path) as file:
            while line := file.readline(MAX_LINE_BYTES + 1):
                if not line.endswith(b"\n"):
                    while len(rest := file.readline(MAX_LINE_BYTES)) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
                        pass
                yield line.strip(b"\r\n\0 ")
    except (OSError, EOFError) as error:
        raise BadInput(f"{path} cannot be read: {error}.", hint="Recordings are plain lines or .gz.") from error


def _open(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


async def run(source: SourceSettings, path: Path, state: SourceState, log: Log[Batch], clock: Clock) -> None:
    """Play the recording once, or for ever."""
    state.address = str(path)
    while True:
        state.connected_since = clock()
        await _play(source, path, state, log, clock)
        state.connected_since = None
        if not source.repeat:
            state.trouble = "the recording is over"
            return
        await asyncio.sleep(1.0)


async def _play(source: SourceSettings, path: Path, state: SourceState, log: Log[Batch], clock: Clock) -> None:
    reader, lines = LineReader(), lines_of(path)
    loop = asyncio.get_running_loop()
    began_s, first_s, shift_s = loop.time(), math.nan, 0.0
    batch: list[bytes] = []
    batch_s = math.nan
    while chunk := await asyncio.to_thread(lambda: list(islice(lines, CHUNK_LINES))):
        for line in chunk:
            heard = reader.read((line,), math.nan)
            at_s = heard[0].at_s if heard else math.nan
            if not math.isnan(at_s):
                if math.isnan(first_s):
                    first_s = at_s
                    shift_s = clock().timestamp() - at_s if source.as_if_now else 0.0
                if len(batch) >= BATCH_LINES or at_s - batch_s > BATCH_S * max(1.0, source.speed):
                    await _send(source, batch, shift_s, state, log, clock)
                    batch, batch_s = [], at_s
                    if source.speed:
                        await _until(loop, began_s + (at_s - first_s) / source.speed)
                elif math.isnan(batch_s):
                    batch_s = at_s
            elif len(batch) >= BATCH_LINES * 5:
                await _send(source, batch, shift_s, state, log, clock)
                batch = []
            if line:
                batch.append(line)
    await _send(source, batch, shift_s, state, log, clock, ended=True)


async def _until(loop: asyncio.AbstractEventLoop, when_s: float) -> None:
    pause_s = when_s - loop.time()
    if pause_s > 0:
        await asyncio.sleep(pause_s)


async def _send(
    source: SourceSettings,
    batch: list[bytes],
    shift_s: float,
    state: SourceState,
    log: Log[Batch],
    clock: Clock,
    ended: bool = False,
) -> None:
    if not batch and not ended:
        return
    now = clock()
    state.heard(len(batch), now)
    live = source.as_if_now and source.speed == 1
    log.append(Batch(source.name, tuple(batch), now.timestamp(), shift_s=shift_s, live=live, ended=ended))
    # As fast as it goes still leaves others their turn, and the log its reader.
    await asyncio.sleep(0 if source.speed else BATCH_S / 4)
