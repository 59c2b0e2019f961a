"""Telling those who wait that the journal has grown."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread


class News:
    """The newest number that this process has heard of. `watch` runs in a thread while anybody may wait."""

    def __init__(self, watch: Callable[[News], None] | None = None) -> None:
        self._watch = watch
        self._thread: Thread | None = None
        self._head = 0
        self._changed = Condition()
        self.closed = False

    def announce(self, head: int) -> None:
        """The journal reaches to `head`."""
        with self._changed:
            if head > self._head:
                self._head = head
                self._changed.notify_all()

    def wait(self, after: int, timeout_s: float) -> int:
        """Until the head is beyond `after`, time is up, or the end."""
        self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._head > after or self.closed, timeout_s)
            return self._head

    def pause(self, seconds: float) -> None:
        """For the watcher: sleep, but not beyond the end."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed, seconds)

    def start(self) -> None:
        """Start watching, once."""
        with self._changed:
            if self._thread is None and self._watch is not None and not self.closed:
                self._thread = Thread(target=self._watch, args=(self,), name="store-watch", daemon=True)
                self._thread.start()

    def close(self) -> bool:
        """Wake everyone and end the watcher. False when that was done before."""
        with self._changed:
            if self.closed:
                return False
            self.closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        return True
