"""What the nodes' AIS receivers hear while the demonstration runs: the simulated harbour, and a recording if wished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from port2port.demo.harbour import Harbour, Transmission
from port2port.demo.prepare import Prepared
from port2port.demo.routes import read_chart
from port2port.demo.transmit import Target, Transmitter, recorded, simulated

SEED = 20251121
"""The day on which Port 2 Port was presented; any other number gives another fleet."""
SCENE_S = 20.0
"""Seconds after the start at which the tanker loses its engine; it drifts when it has lost its way, a minute later."""


class Traffic:
    """Sends to every node's receiver what its stations hear."""

    def __init__(
        self, prepared: Prepared, *, recording: Path | None = None, scene_s: float = SCENE_S, elapsed_s: int = 0
    ) -> None:
        """`elapsed_s`: the harbour has lived this long when traffic begins; a scene may be under way."""
        self._chart = read_chart(prepared.data)
        self._recording = recording
        self._scene_s = scene_s
        self._elapsed_s = elapsed_s
        self._transmitter = Transmitter(
            [Target(each.ports.ais, frozenset(each.node.hears)) for each in prepared.nodes if each.node.hears]
        )
        self.sent = self._transmitter.sent
        self.recorded_sent = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Traffic]:
        """Traffic flows as long as the block lasts."""
        async with self._transmitter as transmitter:
            start = datetime.now(UTC) - timedelta(seconds=self._elapsed_s)
            elapsed_s = self._elapsed_s
            harbour = Harbour(self._chart, SEED, start, scene_s=self._scene_s, listened_from_s=elapsed_s)
            sources = [simulated(harbour, from_s=elapsed_s)]
            if self._recording is not None:
                sources.append(self._counted(_as_now(recorded(self._recording, begins=datetime.now(UTC), again=True))))
            tasks = [asyncio.create_task(transmitter.play(source)) for source in sources]
            try:
                yield self
            finally:
                for task in tasks:
                    if task.done() and not task.cancelled() and (error := task.exception()):
                        raise error
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _counted(self, source: Iterable[Transmission]) -> Iterator[Transmission]:
        for each in source:
            self.recorded_sent += 1
            yield each


def _as_now(source: Iterable[Transmission]) -> Iterator[Transmission]:
    """A receiver on the air tells no times: what was recorded years ago is heard now."""
    for each in source:
        bare = [line[line.index(b"!") :] for line in each.nmea_sentences if b"!" in line]
        if bare:
            yield replace(each, nmea_sentences=bare)
