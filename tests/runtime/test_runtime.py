"""Readers and tasks: each entry counts once, and a failing capability does not stop the node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Event

import pytest

from port2port import runtime
from port2port.capability import Counters, Reader, Task
from port2port.core.fact import Fact, Recorded
from port2port.runtime import ReaderThread, keep_running
from port2port.store import Store, Transaction, open_store
from port2port.testing.site import START

DEADLINE_S = 10


@dataclass(frozen=True, kw_only=True)
class GateOpened(Fact):
    gate: str


@dataclass(frozen=True, kw_only=True)
class GateEchoed(Fact):
    gate: str


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("memory://", [GateOpened, GateEchoed])
    yield store
    store.close()


def opened(store: Store, *gates: str) -> None:
    with store.transaction() as tx:
        tx.append(*(GateOpened(at=START, gate=gate) for gate in gates))


def echoed(store: Store) -> list[str]:
    return [each.fact.gate for each in store.read(0, kinds=["GateEchoed"])]  # type: ignore[union-attr]


class Echo:
    """Repeats every opening as a fact of its own; fails as often as told."""

    def __init__(self, failures: int = 0, last: str = "z") -> None:
        self.failures, self.last, self.done = failures, last, Event()

    def handle(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        for each in page:
            assert isinstance(each.fact, GateOpened)
            tx.append(GateEchoed(at=each.fact.at, gate=each.fact.gate))
        if self.failures:
            self.failures -= 1
            raise ValueError("not today")
        if page[-1].fact.gate == self.last:  # type: ignore[union-attr]
            self.done.set()


def running(store: Store, echo: Echo, counters: Counters | None = None) -> ReaderThread:
    reader = Reader(name="test.echo", facts=(GateOpened,), handle=echo.handle)
    thread = ReaderThread(store, reader, counters or Counters())
    thread.start()
    return thread


def stopped(store: Store, thread: ReaderThread) -> None:
    thread.stop()
    opened(store, "wakes the reader")
    thread.join(DEADLINE_S)
    assert not thread.thread.is_alive()


def test_a_reader_deals_with_what_was_there_and_what_comes(store: Store) -> None:
    opened(store, "a", "b")
    echo = Echo()
    thread = running(store, echo)
    opened(store, "c", "z")
    assert echo.done.wait(DEADLINE_S)
    stopped(store, thread)
    assert echoed(store)[:4] == ["a", "b", "c", "z"]


def test_a_reader_that_fails_tries_the_same_entry_again_and_counts_it_once(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "FIRST_PAUSE_S", 0.01)
    caplog.set_level(logging.CRITICAL, logger="port2port")
    counters, echo = Counters(), Echo(failures=2)
    opened(store, "a", "z")
    thread = running(store, echo, counters)
    assert echo.done.wait(DEADLINE_S)
    stopped(store, thread)
    assert echoed(store)[:2] == ["a", "z"]
    assert counters.get("test.echo.failed") == 2


def test_a_reader_goes_on_after_a_restart_where_it_was(store: Store) -> None:
    opened(store, "a", "z")
    first = Echo()
    thread = running(store, first)
    assert first.done.wait(DEADLINE_S)
    thread.stop()
    thread.join(DEADLINE_S + runtime.WAIT_S)
    opened(store, "c", "y")
    second = Echo(last="y")
    again = running(store, second)
    assert second.done.wait(DEADLINE_S)
    stopped(store, again)
    assert echoed(store)[:4] == ["a", "z", "c", "y"]


def test_more_than_a_page_is_dealt_with_in_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "PAGE_ENTRIES", 7)
    gates = [f"gate {n:03}" for n in range(100)]
    opened(store, *gates, "z")
    echo = Echo()
    thread = running(store, echo)
    assert echo.done.wait(DEADLINE_S)
    stopped(store, thread)
    assert echoed(store)[:101] == [*gates, "z"]


def test_a_task_that_fails_is_started_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "FIRST_PAUSE_S", 0.01)
    caplog.set_level(logging.CRITICAL, logger="port2port")
    attempts: list[int] = []

    async def stubborn() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("no such device")

    counters = Counters()
    asyncio.run(asyncio.wait_for(keep_running([Task(name="test.source", run=stubborn)], counters), DEADLINE_S))
    assert len(attempts) == 3
    assert counters.get("test.source.failed") == 2
