"""Follows the journal in one thread and hands each new entry to whoever subscribed, on the event loop.

A subscriber first gets what it missed (read from the store), then what comes, each entry once and in order.
Its queue is bounded: who reads too slowly is let go, and resumes by the number of its last entry. When
somebody loses his rights, his subscriptions end with the entry that says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from port2port.core.errors import Unavailable
from port2port.core.fact import Recorded
from port2port.store import Store
from port2port.web.facts import ENDS_STREAMS
from port2port.web.surface import Counting

QUEUE_ENTRIES = 512
MAX_SUBSCRIBERS = 300
MAX_PER_ACCOUNT = 40
"""Demonstration roles are shared by everybody who looks."""
MAX_CATCH_UP = 20_000
"""Who missed more than this loads the page anew."""
PAGE_ENTRIES = 500
WAIT_S = 0.5
PAUSE_S = 1.0

log = logging.getLogger("port2port.web")


class TooFarBehind(Exception):
    """More was missed than is worth sending, or the number is none of ours: load the page anew."""


@dataclass(eq=False)
class _Subscriber:
    account: str
    queue: asyncio.Queue[Recorded | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_ENTRIES))
    let_go: bool = False

    def end(self) -> None:
        """Let it see no more: the queue ends after what is in it, or at once when it is full."""
        self.let_go = True
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Hub:
    """One for each app. `start` and `stop` on the event loop; `subscribe` in its handlers."""

    def __init__(self, store: Store, counters: Counting) -> None:
        self._store, self._counters = store, counters
        self._subscribers: set[_Subscriber] = set()
        self._delivered = 0
        self._stopping = Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping.clear()
        self._delivered = self._store.head()
        Thread(target=self._follow, args=(self._delivered,), name="web:hub", daemon=True).start()

    def stop(self) -> None:
        """End all subscriptions. The thread ends by itself within `WAIT_S`, or when the store is closed."""
        self._stopping.set()
        for each in tuple(self._subscribers):
            each.end()

    @property
    def delivered(self) -> int:
        """Number of the newest entry handed out."""
        return self._delivered

    def __len__(self) -> int:
        return len(self._subscribers)

    async def subscribe(self, last_event_id: int | None, account: str = "") -> AsyncIterator[Recorded]:
        """Entries after number `last_event_id`, None: from now on. Ends when let go, or at shutdown.

        Raises `TooFarBehind`, and `Unavailable` when there are too many subscribers.
        """
        subscriber = self._enter(account)
        try:
            upto = self._delivered
            after = upto if last_event_id is None else last_event_id
            if after > upto or after < 0:
                await self._check_exists(after)
                upto = self._delivered
            if upto - after > MAX_CATCH_UP:
                raise TooFarBehind
            async for each in self._missed(after, upto):
                after = each.number
                yield each
            async for each in self._live(subscriber, max(after, upto)):
                yield each
        finally:
            self._subscribers.discard(subscriber)

    def check_room(self, account: str) -> None:
        """Raise `Unavailable` when no further subscriber is taken."""
        present = tuple(self._subscribers)
        mine = sum(each.account == account for each in present) if account else 0
        if self._stopping.is_set() or len(present) >= MAX_SUBSCRIBERS or mine >= MAX_PER_ACCOUNT:
            self._counters.add("web.refused.stream")
            raise Unavailable("web.error.busy", hint="web.error.busy.hint")

    def _enter(self, account: str) -> _Subscriber:
        self.check_room(account)
        subscriber = _Subscriber(account)
        self._subscribers.add(subscriber)
        return subscriber

    async def _check_exists(self, number: int) -> None:
        """A page may have been made from an entry that the hub is just about to hand out. Else `TooFarBehind`."""
        if number < 0 or number > await asyncio.to_thread(self._store.head):
            raise TooFarBehind

    async def _missed(self, after: int, upto: int) -> AsyncIterator[Recorded]:
        while after < upto:
            page = await asyncio.to_thread(self._store.read, after, PAGE_ENTRIES)
            for each in page:
                if each.number > upto:
                    return
                after = each.number
                yield each
            if not page:
                return

    async def _live(self, subscriber: _Subscriber, after: int) -> AsyncIterator[Recorded]:
        while (each := await subscriber.queue.get()) is not None:
            if each.number > after:
                yield each

    def _follow(self, after: int) -> None:
        assert self._loop is not None
        while not self._stopping.is_set():
            try:
                if self._store.wait(after, WAIT_S) <= after:
                    continue
                page = self._store.read(after, PAGE_ENTRIES)
                if page:
                    after = page[-1].number
                    self._loop.call_soon_threadsafe(self._hand_out, page)
            except RuntimeError:  # the loop is closed: the node is going down
                return
            except Exception:  # the database may be away for a while; the hub must survive it
                if self._stopping.is_set():
                    return
                self._counters.add("web.failed.hub")
                log.exception("the live stream cannot read entry %d, again in %.1f s", after + 1, PAUSE_S)
                self._stopping.wait(PAUSE_S)

    def _hand_out(self, page: Sequence[Recorded]) -> None:
        for each in page:
            for subscriber in tuple(self._subscribers):
                self._offer(subscriber, each)
            if isinstance(each.fact, ENDS_STREAMS):
                self._end_streams_of(getattr(each.fact, "account", ""))
            self._delivered = each.number

    def _offer(self, subscriber: _Subscriber, each: Recorded) -> None:
        if subscriber.let_go:
            return
        if subscriber.queue.qsize() >= QUEUE_ENTRIES - 1:  # one place is kept for the end
            self._counters.add("web.stream.too-slow")
            self._subscribers.discard(subscriber)
            subscriber.end()
            return
        subscriber.queue.put_nowait(each)

    def _end_streams_of(self, account: str) -> None:
        for subscriber in tuple(self._subscribers):
            if subscriber.account == account and account:
                self._subscribers.discard(subscriber)
                subscriber.end()
