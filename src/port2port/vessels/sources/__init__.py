"""Where AIS sentences come from: UDP, TCP both ways, and recordings. The only input of this capability.

Each source collects lines into batches and appends them to one log; a thread of the capability takes
them from there (`follower`). A source never waits for it: if it cannot keep up, the oldest batches are
lost and counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from port2port.core.clock import Clock
from port2port.core.errors import BadInput
from port2port.transport import Log
from port2port.vessels.service import Batch
from port2port.vessels.settings import SourceSettings, host_and_port
from port2port.vessels.sources import replay, tcp, udp
from port2port.vessels.sources.collector import SourceState

__all__ = ["SourceState", "open_source"]


def open_source(
    source: SourceSettings, log: Log[Batch], clock: Clock, folder: Path
) -> tuple[SourceState, Callable[[], Awaitable[None]]]:
    """A source's state, and the coroutine that runs it. Raises `BadInput` when its settings make no sense."""
    state = SourceState(source.name, source.kind)
    if source.kind == "replay":
        if not source.file:
            raise BadInput(f"Source {source.name!r} replays a recording, but names no file.", hint="Add file = ....")
        return state, partial(replay.run, source, folder / source.file, state, log, clock)
    host, port = host_and_port(source)
    run = {"udp": udp.listen, "tcp-client": tcp.connect, "tcp-server": tcp.listen}[source.kind]
    return state, partial(run, host, port, state, log, clock)
