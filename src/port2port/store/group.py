"""Group commit: callers take turns inside one database transaction, and one of them commits for all.

A caller runs its own code in its own thread while it holds the baton. On leaving it hands the baton to
whoever waits, and sleeps until the group's commit is durable; the one who finds nobody waiting, or the
group full or old, commits. So a lone caller pays one fsync, and sixty-four pay one together.

This file knows threads; `Database` knows SQL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from time import monotonic
from typing import Protocol

from port2port.core.errors import Unavailable

MAX_MEMBERS = 256
"""Transactions in one commit."""

MAX_AGE_S = 0.02
"""How long the first of a group may wait for the others before the commit starts."""


class Database(Protocol):
    """What a group needs of its database. Each may raise; a failed `commit` leaves nothing stored."""

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...


class _Group:
    __slots__ = ("error", "gates", "members", "started_s")

    def __init__(self) -> None:
        self.started_s = monotonic()
        self.members = 0
        self.gates: list[Lock] = []
        self.error: Unavailable | None = None


class GroupCommit:
    """One writer at a time; many writers per commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state = Lock()
        self._waiting: deque[Lock] = deque()
        self._busy = False
        self._closed = False
        self._group: _Group | None = None
        self._holder = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the baton inside the group's transaction; returns when the group is durable.

        An exception leaves the group without this member (its caller has undone its own writes).
        """
        gate = self._enter()
        try:
            group = self._join()
            yield
        except BaseException:
            self._pass_on_or_commit()
            raise
        group.members += 1
        group.gates.append(gate)
        if self._pass_on_or_commit():
            gate.acquire()
        if group.error is not None:
            raise Unavailable(group.error.message, hint=group.error.hint) from group.error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the baton outside any transaction."""
        self._enter()
        try:
            if self._group is not None:
                self._commit()
            yield
        finally:
            self._pass_on_or_commit()

    def close(self) -> None:
        """Let the present group finish; refuse everyone after it."""
        with self._state:
            if self._closed:
                return
        with self.alone(), self._state:
            self._closed = True

    def spoil(self, error: Unavailable) -> None:
        """The database gave up the whole transaction: nobody in the present group is stored."""
        if self._group is not None:
            self._group.error = error

    def _enter(self) -> Lock:
        me = get_ident()
        assert self._holder != me, "transactions do not nest"
        gate = Lock()
        gate.acquire()
        with self._state:
            mine = not self._busy
            if mine:
                self._busy = True
            else:
                self._waiting.append(gate)
        if not mine:
            gate.acquire()
        self._holder = me
        return gate

    def _join(self) -> _Group:
        if self._closed:
            raise Unavailable("The node is shutting down.", hint="Start it again.")
        if self._group is None:
            self._database.begin()
            self._group = _Group()
        return self._group

    def _pass_on_or_commit(self) -> bool:
        """Whether somebody else will commit."""
        group = self._group
        if group is not None and group.error is None and self._may_grow(group) and self._pass_on():
            return True
        if group is not None:
            self._commit()
        self._pass_on(free=True)
        return False

    @staticmethod
    def _may_grow(group: _Group) -> bool:
        return group.members < MAX_MEMBERS and monotonic() - group.started_s < MAX_AGE_S

    def _pass_on(self, *, free: bool = False) -> bool:
        self._holder = 0
        with self._state:
            if self._waiting:
                self._waiting.popleft().release()
                return True
            if free:
                self._busy = False
        self._holder = get_ident() if not free else self._holder
        return False

    def _commit(self) -> None:
        group, self._group = self._group, None
        assert group is not None
        try:
            if group.error is not None or not group.members:
                self._database.rollback()
            else:
                self._database.commit()
        except Unavailable as error:
            group.error = error
        for gate in group.gates:
            gate.release()
