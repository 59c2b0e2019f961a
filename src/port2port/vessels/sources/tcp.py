"""AIS over TCP: connect to a server of sentences, or be one that receivers connect to."""

from __future__ import annotations

import asyncio
import logging

from port2port.core.clock import Clock
from port2port.transport import Log
from port2port.vessels.service import Batch
from port2port.vessels.sources.collector import Collector, SourceState

READ_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 15.0
SILENT_S = 300.0
"""A connection that says nothing for this long is given up: the other end may be gone without a word."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
MAX_CONNECTIONS = 32

log_to = logging.getLogger("port2port.vessels")


async def connect(host: str, port: int, state: SourceState, log: Log[Batch], clock: Clock) -> None:
    """Stay connected until cancelled; after a loss, try again with growing pauses."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            state.trouble = str(error) or "no answer"
        else:
            state.address = f"{host}:{port}"
            state.connected_since, state.connections = clock(), state.connections + 1
            before = state.lines
            state.trouble = await _read(reader, writer, state, Collector(state, log, clock, str(state.connections)))
            state.connected_since = None
            if state.lines > before:
                pause_s = FIRST_PAUSE_S
        log_to.info("source %s: %s; again in %.0f s", state.name, state.trouble, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def listen(host: str, port: int, state: SourceState, log: Log[Batch], clock: Clock) -> None:
    """Accept receivers until cancelled; beyond `MAX_CONNECTIONS` a caller is turned away."""
    open_now: set[asyncio.StreamWriter] = set()
    accepted = 0

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        if len(open_now) >= MAX_CONNECTIONS:
            state.trouble = f"more than {MAX_CONNECTIONS} connections"
            writer.close()
            return
        accepted += 1
        open_now.add(writer)
        state.connections = len(open_now)
        try:
            await _read(reader, writer, state, Collector(state, log, clock, str(accepted)))
        finally:
            open_now.discard(writer)
            state.connections = len(open_now)

    server = await asyncio.start_server(accept, host, port)
    state.address = "{}:{}".format(*server.sockets[0].getsockname()[:2])
    state.connected_since, state.trouble = clock(), ""
    try:
        await asyncio.Event().wait()
    finally:
        server.close()
        for writer in list(open_now):
            writer.close()
        state.connected_since = None


async def _read(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, state: SourceState, collector: Collector
) -> str:
    """Read to the end; answers why it ended."""
    try:
        while data := await asyncio.wait_for(reader.read(READ_BYTES), SILENT_S):
            collector.feed(data)
        return "the other end closed the connection"
    except TimeoutError:
        return f"nothing was heard for {SILENT_S:.0f} s"
    except OSError as error:
        return str(error)
    finally:
        collector.close()
        writer.close()
