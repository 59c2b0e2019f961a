"""What each peer has confirmed since this node started, so that a stream knows when it may go on. In memory only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Confirmed:
    """Written and waited for on the node's loop, read from threads."""

    def __init__(self) -> None:
        self._upto: dict[tuple[str, bytes], int] = {}
        self._waiting: dict[str, list[asyncio.Event]] = {}

    def upto(self, peer: str, lane: bytes) -> int:
        return self._upto.get((peer, lane), 0)

    def confirm(self, peer: str, lane: bytes, sequence: int) -> None:
        """The peer has applied a lane up to here."""
        key = (peer, lane)
        self._upto[key] = max(sequence, self._upto.get(key, 0))

    def wake(self, peer: str) -> None:
        """Its streams may go on."""
        for event in self._waiting.get(peer, ()):
            event.set()

    @contextmanager
    def waking(self, peer: str, event: asyncio.Event) -> Iterator[None]:
        """Set this event, too, whenever the peer confirms."""
        events = self._waiting.setdefault(peer, [])
        events.append(event)
        try:
            yield
        finally:
            events.remove(event)
            if not events:
                del self._waiting[peer]
