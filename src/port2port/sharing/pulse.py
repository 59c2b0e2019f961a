"""Tells the node's loop at once when there is something new for other ports; nothing is polled.

One thread waits at the journal's head. When our lanes, the network or the invitations have changed, also by a
command in another process, it wakes those who stand at the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from port2port.core.errors import Unavailable
from port2port.sharing import book
from port2port.store import Store

WAIT_S = 5.0
log = logging.getLogger("port2port.sharing")


_STATE = (
    "SELECT (SELECT sum(sequence) FROM sharing_lane WHERE own = 1), (SELECT count(*) FROM sharing_lane WHERE own = 1),"
    " (SELECT count(*) FROM sharing_invitation), (SELECT count(*) FROM sharing_invitation WHERE used_by != ''),"
    " (SELECT count(*) FROM sharing_short_code), (SELECT min(expires) FROM sharing_short_code),"
    " (SELECT count(*) FROM sharing_recall), (SELECT count(*) FROM sharing_recall WHERE state = 'pending')"
)
"""What concerns other ports, in one question: it is asked at every commit."""


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, or for the time to pass. (`asyncio.wait_for` before Python 3.12 can lose a cancellation.)"""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


class Pulse:
    """Wakes asyncio events from the store's commits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = Lock()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="sharing-pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends within one wait; the store's own end wakes it at once."""
        self._stopping.set()

    @contextmanager
    def waking(self) -> Iterator[asyncio.Event]:
        """An event that is set at every change, for use on the running loop."""
        event = asyncio.Event()
        with self._lock:
            self._waiting[event] = asyncio.get_running_loop()
        try:
            yield event
        finally:
            with self._lock:
                del self._waiting[event]

    def wake(self) -> None:
        """Wake everyone now."""
        with self._lock:
            for event, loop in self._waiting.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)

    def _run(self) -> None:
        head, seen = -1, None
        while not self._stopping.is_set():
            try:
                newer = self._store.wait(head, WAIT_S)
                if newer > head and not self._stopping.is_set():
                    state = self._state()
                    if state != seen:
                        self.wake()
                    head, seen = newer, state
            except Unavailable:
                if not self._stopping.wait(1.0):
                    log.warning("The store is away; other ports wait.")

    def _state(self) -> tuple[object, ...]:
        with self._store.reading() as view:
            return view.rows(_STATE)[0], book.version(view)
