"""Group commit: many callers, one database transaction, one fsync.

Callers stand in one queue. Who only records facts leaves them there and sleeps; who reads or writes
tables gets the baton, and runs its own code in its own thread while it holds it. Whoever lets go of the
baton first takes in the facts of those next in the queue, then hands it to the first who wants a turn;
the one who finds nobody left, or the group full or old, commits for all, and only then they wake.
So a lone caller pays one fsync, and sixty-four pay one together.

This file knows threads; `Database` knows SQL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Protocol

from port2port.core.errors import Unavailable
from port2port.store.codec import EncodedFact

MAX_MEMBERS = 256
"""Callers in one commit."""

MAX_AGE_S = 0.02
"""How long the first of a group may wait for the others before the commit starts."""


class Database(Protocol):
    """What a group needs of its database. Raises `Unavailable`; after a failed `commit` nothing is stored."""

    def begin(self) -> None: ...
    def commit(self, facts: list[EncodedFact]) -> None: ...
    def rollback(self) -> None: ...


class _Group:
    """Those who will be durable together, or told together that they are not."""

    __slots__ = ("error", "facts", "members", "started_s")

    def __init__(self) -> None:
        self.started_s = monotonic()
        self.members: list[Caller] = []
        self.facts: list[EncodedFact] = []
        self.error: Unavailable | None = None

    def take_in(self, caller: Caller, facts: list[EncodedFact]) -> None:
        caller.group = self
        self.members.append(caller)
        self.facts.extend(facts)

    def may_grow(self) -> bool:
        return self.error is None and len(self.members) < MAX_MEMBERS and monotonic() - self.started_s < MAX_AGE_S


class Caller:
    """One thread in the queue. `facts` is None when it wants a turn of its own."""

    __slots__ = ("facts", "gate", "group")

    def __init__(self, facts: list[EncodedFact] | None) -> None:
        self.facts = facts
        self.group: _Group | None = None
        self.gate = Lock()
        self.gate.acquire()


class GroupCommit:
    """One writer at a time; many writers per commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._state = Lock()
        self._queue: deque[Caller] = deque()
        self._busy = False
        self._closed = False
        self._group: _Group | None = None

    def record(self, facts: list[EncodedFact]) -> None:
        """Facts and nothing else. Returns when they are durable."""
        caller = Caller(facts)
        self._await_turn(caller)
        if caller.group is None:
            self._take_in_own(caller, facts)
        self._tell_outcome(caller)

    def enter(self) -> Caller:
        """Wait for the baton; from here to `leave` or `leave_undone` the database is the caller's."""
        caller = Caller(None)
        self._await_turn(caller)
        try:
            self._join()
        except BaseException:
            self._hand_on()
            raise
        return caller

    def leave(self, caller: Caller, facts: list[EncodedFact]) -> None:
        """Let go of the baton. Returns when what the caller did is durable."""
        self._take_in_own(caller, facts)
        self._tell_outcome(caller)

    def leave_undone(self, error: Unavailable | None = None) -> None:
        """Let go of the baton; the caller's writes were undone. `error`: so were everybody's in the group."""
        if self._group is not None and error is not None:
            self._group.error = error
        self._hand_on()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the baton outside any transaction."""
        self._await_turn(Caller(None))
        try:
            self._end_group()
            yield
        finally:
            self._hand_on()

    def close(self) -> None:
        """Let the present group finish; refuse everyone after it."""
        with self.alone():
            self._closed = True

    def _await_turn(self, caller: Caller) -> None:
        """Returns with the baton, or with `caller.group` set when another thread committed for this one."""
        with self._state:
            if not self._busy:
                self._busy = True
                return
            self._queue.append(caller)
        try:
            caller.gate.acquire()
        except BaseException:  # Ctrl-C: nobody may be left waiting for a thread that went away
            self._step_out(caller)
            raise

    def _step_out(self, caller: Caller) -> None:
        with self._state:
            if caller in self._queue:
                self._queue.remove(caller)
                return
        if caller.group is None:
            self._hand_on()

    def _join(self) -> _Group:
        if self._closed:
            raise Unavailable("The node is shutting down.", hint="Try again when it runs.")
        if self._group is None:
            self._database.begin()
            self._group = _Group()
        return self._group

    def _take_in_own(self, caller: Caller, facts: list[EncodedFact]) -> None:
        try:
            self._join().take_in(caller, facts)
        finally:
            self._hand_on()
        caller.gate.acquire()

    @staticmethod
    def _tell_outcome(caller: Caller) -> None:
        group = caller.group
        assert group is not None
        if group.error is not None:
            raise Unavailable(group.error.message, hint=group.error.hint) from group.error

    def _hand_on(self) -> None:
        """Let go of the baton, after committing if nobody can go on with the group."""
        if self._group is not None and self._gave_turn(self._group):
            return
        self._end_group()
        with self._state:
            if self._queue:
                self._queue.popleft().gate.release()
            else:
                self._busy = False

    def _gave_turn(self, group: _Group) -> bool:
        with self._state:
            while self._queue and group.may_grow():
                following = self._queue.popleft()
                if following.facts is None:
                    following.gate.release()
                    return True
                group.take_in(following, following.facts)
        return False

    def _end_group(self) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        try:
            if group.error is None and group.members:
                self._database.commit(group.facts)
            else:
                self._database.rollback()
        except Exception as error:  # whatever it was: many threads wait to hear that nothing is stored
            group.error = error if isinstance(error, Unavailable) else Unavailable(f"Nothing was stored: {error!r}.")
        for member in group.members:
            member.gate.release()
