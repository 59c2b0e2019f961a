"""The log in memory: bounded, in order, honest about what it lost."""

from __future__ import annotations

import threading
import time

from port2port.transport.log import Log, Page

DEADLINE_S = 10.0


def filled(count: int, capacity: int) -> Log[int]:
    log: Log[int] = Log(capacity)
    for number in range(1, count + 1):
        assert log.append(number) == number
    return log


def test_batches_are_numbered_from_one_and_read_in_order() -> None:
    log = filled(5, capacity=10)
    assert log.head() == 5
    assert log.read(0, limit=10, timeout_s=0) == Page((1, 2, 3, 4, 5), last=5, lost=0)
    assert log.read(3, limit=10, timeout_s=0) == Page((4, 5), last=5, lost=0)


def test_a_page_is_never_longer_than_asked_and_the_next_goes_on_from_there() -> None:
    log = filled(5, capacity=10)
    first = log.read(0, limit=2, timeout_s=0)
    assert first == Page((1, 2), last=2, lost=0)
    assert log.read(first.last, limit=2, timeout_s=0) == Page((3, 4), last=4, lost=0)


def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    log = filled(10, capacity=3)
    assert log.read(2, limit=10, timeout_s=0) == Page((8, 9, 10), last=10, lost=5)
    assert log.read(7, limit=10, timeout_s=0).lost == 0


def test_with_nothing_new_the_page_is_empty_and_the_place_stays() -> None:
    log = filled(4, capacity=2)
    assert log.read(4, limit=10, timeout_s=0) == Page((), last=4, lost=0)
    assert Log[int]().read(0, limit=10, timeout_s=0) == Page((), last=0, lost=0)


def test_a_waiting_reader_wakes_when_something_comes() -> None:
    log: Log[str] = Log()
    pages: list[Page[str]] = []
    reader = threading.Thread(target=lambda: pages.append(log.read(0, limit=1, timeout_s=DEADLINE_S)))
    reader.start()
    log.append("ais")
    reader.join(DEADLINE_S)
    assert pages == [Page(("ais",), last=1, lost=0)]


def test_a_follower_reads_to_the_end_of_a_closed_log_and_stops() -> None:
    log = filled(5, capacity=10)
    log.close()
    assert [page.batches for page in log.follow(limit=2)] == [(1, 2), (3, 4), (5,)]


def test_close_wakes_a_follower_that_waits() -> None:
    log: Log[int] = Log()
    follower = threading.Thread(target=lambda: list(log.follow()))
    follower.start()
    started = time.monotonic()
    log.close()
    follower.join(DEADLINE_S)
    assert not follower.is_alive()
    assert time.monotonic() - started < DEADLINE_S


def _fill(log: Log[tuple[int, int]], writer: int, count: int, start: threading.Barrier) -> None:
    start.wait(DEADLINE_S)
    for each in range(count):
        log.append((writer, each))


def _follow(log: Log[tuple[int, int]], into: list[tuple[int, int]], lost: list[int], start: threading.Barrier) -> None:
    start.wait(DEADLINE_S)
    for page in log.follow(limit=7):
        into.extend(page.batches)
        lost.append(page.lost)


def _run(writers: int, readers: int, count: int, capacity: int) -> list[tuple[list[tuple[int, int]], int]]:
    """What each reader got, and how many it was told it lost, when all ran at once."""
    log: Log[tuple[int, int]] = Log(capacity)
    start = threading.Barrier(writers + readers)
    got: list[tuple[list[tuple[int, int]], list[int]]] = [([], []) for _ in range(readers)]
    writing = [threading.Thread(target=_fill, args=(log, number, count, start)) for number in range(writers)]
    reading = [threading.Thread(target=_follow, args=(log, into, lost, start)) for into, lost in got]
    for thread in writing + reading:
        thread.start()
    for thread in writing:
        thread.join(DEADLINE_S)
    log.close()
    for thread in reading:
        thread.join(DEADLINE_S)
        assert not thread.is_alive()
    return [(into, sum(lost)) for into, lost in got]


def test_many_threads_write_and_every_reader_sees_the_same_order() -> None:
    results = _run(writers=6, readers=4, count=300, capacity=10_000)
    first = results[0][0]
    assert len(first) == 1800
    assert all(into == first and lost == 0 for into, lost in results)
    for writer in range(6):
        assert [each for by, each in first if by == writer] == list(range(300))


def test_under_pressure_read_and_lost_add_up_to_what_was_written() -> None:
    results = _run(writers=4, readers=3, count=2000, capacity=16)
    assert all(len(into) + lost == 8000 for into, lost in results)
    assert all(len(set(into)) == len(into) for into, _ in results)
