"""A bounded log in memory. Whoever reads too slowly loses the oldest, and is told how many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What a follower gets: the batches, the number of the last one, and how many were lost before the first."""

    batches: tuple[T, ...]
    last: int
    lost: int


class Log(Generic[T]):
    """Batches in order, numbered from 1. Any thread may append or read."""

    def __init__(self, capacity: int = 1024) -> None:
        self._kept: deque[T] = deque(maxlen=capacity)
        self._head = 0
        self._closed = False
        self._changed = Condition()

    def append(self, batch: T) -> int:
        """Take in one batch; answers its number. Never blocks: a sensor does not wait for its reader."""
        with self._changed:
            self._kept.append(batch)
            self._head += 1
            self._changed.notify_all()
            return self._head

    def head(self) -> int:
        """The newest number, 0 when nothing came yet."""
        return self._head

    def read(self, after: int, limit: int, timeout_s: float) -> Page[T]:
        """Batches after number `after`, waiting up to `timeout_s` for the first. Empty: time-out or end."""
        with self._changed:
            self._changed.wait_for(lambda: self._head > after or self._closed, timeout_s)
            oldest = self._head - len(self._kept) + 1
            first = max(after + 1, oldest)
            start = first - oldest
            batches = tuple(self._kept[i] for i in range(start, min(start + limit, len(self._kept))))
            return Page(batches, first - 1 + len(batches), first - after - 1)

    def follow(self, after: int = 0, limit: int = 64) -> Iterator[Page[T]]:
        """Pages for ever, until the log is closed and read to its end."""
        while True:
            page = self.read(after, limit, timeout_s=1.0)
            after = page.last
            if page.batches:
                yield page
            elif self._closed:
                return

    def close(self) -> None:
        """No more batches will come; followers end after the last one."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
