"""Group commit, with a database that only remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from port2port.core.errors import Unavailable
from port2port.store.codec import EncodedFact
from port2port.store.sqlite.group import MAX_MEMBERS, GroupCommit

DEADLINE_S = 20.0


class Notebook:
    """A database that lets the test hold up, or break, its commits."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.rolled_back = 0
        self.error: Exception | None = None
        self.may_commit = threading.Event()
        self.may_commit.set()

    def begin(self) -> None:
        pass

    def commit(self, facts: list[EncodedFact]) -> None:
        assert self.may_commit.wait(DEADLINE_S)
        if self.error:
            raise self.error
        self.groups.append([kind for kind, _ in facts])

    def rollback(self) -> None:
        self.rolled_back += 1


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def turns(notebook: Notebook) -> GroupCommit:
    return GroupCommit(notebook)


def until(true: Callable[[], bool]) -> None:
    end = monotonic() + DEADLINE_S
    while not true():
        assert monotonic() < end
        sleep(0.001)


def take_turn(turns: GroupCommit, name: str, fail: bool = False) -> None:
    caller = turns.enter()
    if fail:
        turns.leave_undone()
    else:
        turns.leave(caller, [(name, b"")])


def waiting(turns: GroupCommit) -> int:
    return len(turns._queue)


def test_a_lone_caller_is_a_group(turns: GroupCommit, notebook: Notebook) -> None:
    turns.record([("a", b"")])
    take_turn(turns, "b")
    assert notebook.groups == [["a"], ["b"]]


def test_who_comes_during_a_commit_shares_the_next_one_in_the_order_of_coming(
    turns: GroupCommit, notebook: Notebook
) -> None:
    notebook.may_commit.clear()
    with ThreadPoolExecutor(9) as threads:
        threads.submit(turns.record, [("first", b"")])
        until(lambda: turns._busy)
        for i in range(8):
            threads.submit(turns.record if i % 2 else _turn(turns), [(str(i), b"")])
            until(lambda i=i: waiting(turns) == i + 1)  # type: ignore[misc]
        notebook.may_commit.set()
    assert notebook.groups == [["first"], list("01234567")]


def test_a_member_that_gives_up_leaves_the_others_as_they_were(turns: GroupCommit, notebook: Notebook) -> None:
    notebook.may_commit.clear()
    with ThreadPoolExecutor(4) as threads:
        threads.submit(turns.record, [("first", b"")])
        until(lambda: turns._busy)
        threads.submit(take_turn, turns, "a")
        until(lambda: waiting(turns) == 1)
        threads.submit(take_turn, turns, "b", fail=True)
        until(lambda: waiting(turns) == 2)
        threads.submit(take_turn, turns, "c")
        until(lambda: waiting(turns) == 3)
        notebook.may_commit.set()
    assert notebook.groups == [["first"], ["a", "c"]]


def test_a_turn_without_a_change_commits_nothing(turns: GroupCommit, notebook: Notebook) -> None:
    take_turn(turns, "a", fail=True)
    assert notebook.groups == []
    assert notebook.rolled_back == 1


@pytest.mark.parametrize("error", [Unavailable("The disk is full."), ZeroDivisionError()])
def test_when_the_commit_fails_every_member_is_told_and_the_next_group_may_succeed(
    turns: GroupCommit, notebook: Notebook, error: Exception
) -> None:
    notebook.may_commit.clear()
    notebook.error = error
    with ThreadPoolExecutor(5) as threads:
        callers = [threads.submit(turns.record, [("x", b"")]) for _ in range(5)]
        until(lambda: waiting(turns) == 4)
        notebook.may_commit.set()
        for caller in callers:
            with pytest.raises(Unavailable):
                caller.result(DEADLINE_S)
    notebook.error = None
    turns.record([("again", b"")])
    assert notebook.groups == [["again"]]


def test_what_spoils_one_member_s_database_spoils_its_group(turns: GroupCommit, notebook: Notebook) -> None:
    with ThreadPoolExecutor(2) as threads:
        entered = turns.enter()
        other = threads.submit(turns.enter)
        until(lambda: waiting(turns) == 1)
        leaving = threads.submit(turns.leave, entered, [("a", b"")])
        other.result(DEADLINE_S)
        turns.leave_undone(Unavailable("The disk is full."))
        with pytest.raises(Unavailable):
            leaving.result(DEADLINE_S)
    assert notebook.groups == []
    assert notebook.rolled_back == 1


def test_a_group_has_a_largest_size(turns: GroupCommit, notebook: Notebook) -> None:
    notebook.may_commit.clear()
    callers = MAX_MEMBERS + 10
    with ThreadPoolExecutor(callers + 1) as threads:
        threads.submit(turns.record, [("first", b"")])
        until(lambda: turns._busy)
        for _ in range(callers):
            threads.submit(turns.record, [("x", b"")])
        until(lambda: waiting(turns) == callers)
        notebook.may_commit.set()
    assert len(notebook.groups[1]) == MAX_MEMBERS
    assert sum(map(len, notebook.groups)) == callers + 1


def test_nobody_is_let_in_after_the_end(turns: GroupCommit) -> None:
    turns.close()
    turns.close()
    with pytest.raises(Unavailable):
        turns.record([("a", b"")])
    with pytest.raises(Unavailable):
        turns.enter()


def _turn(turns: GroupCommit) -> Callable[[list[EncodedFact]], None]:
    return lambda facts: take_turn(turns, facts[0][0])
