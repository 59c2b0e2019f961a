"""The one thread that hears: it follows the log of batches and calls the service."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from threading import Event, Thread

from port2port.capability import Counters
from port2port.transport import Log
from port2port.vessels.service import Batch, VesselService

PAGE_BATCHES = 64
TICK_S = 1.0
PAUSE_S = 0.5

log_to = logging.getLogger("port2port.vessels")


class Follower:
    """Takes batches in order until it is closed; what it cannot keep up with is counted."""

    def __init__(self, service: VesselService, log: Log[Batch], counters: Counters) -> None:
        self._service, self._log, self._counters = service, log, counters
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="vessels:hears", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Deal with what has come, store it, and stop."""
        self._stopping.set()
        self._log.close()
        if self._thread.is_alive():
            self._thread.join(10.0)

    def _run(self) -> None:
        after = 0
        while True:
            page = self._log.read(after, PAGE_BATCHES, TICK_S)
            if page.lost:
                self._counters.add("vessels.lost-batches", page.lost)
            if page.batches:
                self._survive(partial(self._service.hear, *page.batches))
            after = page.last
            self._survive(self._service.tick)
            if self._stopping.is_set() and not page.batches:
                self._survive(self._service.save)
                return

    def _survive(self, verb: Callable[[], None]) -> None:
        try:
            verb()
        except Exception:  # one bad batch must not blind the port; it is logged and counted
            self._counters.add("vessels.failed")
            log_to.exception("a batch of AIS sentences failed")
            self._stopping.wait(PAUSE_S)
