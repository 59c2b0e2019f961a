"""Listens for datagrams, as receivers and multiplexers send them (IEC 61162-450 or bare lines)."""

from __future__ import annotations

import asyncio
from typing import Any

from port2port.core.clock import Clock
from port2port.transport import Log
from port2port.vessels.service import Batch
from port2port.vessels.sources.collector import Collector, SourceState

MAX_SENDERS = 64
"""Senders whose half messages are kept apart; more share one place."""


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, state: SourceState, log: Log[Batch], clock: Clock) -> None:
        self._state, self._log, self._clock = state, log, clock
        self._collectors: dict[str, Collector] = {}

    def datagram_received(self, data: bytes, sender: tuple[Any, ...]) -> None:
        stream = f"{sender[0]}:{sender[1]}"
        if stream not in self._collectors and len(self._collectors) >= MAX_SENDERS:
            stream = "others"
        collector = self._collectors.get(stream)
        if collector is None:
            collector = self._collectors[stream] = Collector(self._state, self._log, self._clock, stream)
        collector.datagram(data)

    def error_received(self, error: Exception) -> None:
        self._state.trouble = str(error)

    def close(self) -> None:
        for collector in self._collectors.values():
            collector.close()


async def listen(host: str, port: int, state: SourceState, log: Log[Batch], clock: Clock) -> None:
    """Receive until cancelled. An address that cannot be bound raises `OSError`; the node tries again."""
    loop = asyncio.get_running_loop()
    receiver = _Receiver(state, log, clock)
    try:
        transport, _ = await loop.create_datagram_endpoint(lambda: receiver, local_addr=(host, port))
    except OSError as error:
        state.trouble = str(error)
        raise
    state.address = "{}:{}".format(*transport.get_extra_info("sockname")[:2])
    state.connected_since, state.trouble = clock(), ""
    try:
        await asyncio.Event().wait()
    finally:
        transport.close()
        receiver.close()
        state.connected_since = None
