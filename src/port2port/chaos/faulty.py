"""A store that dies: at any statement of any transaction, right before its commit, or right after it.

What a killed process leaves is what lies in its files at that instant; so the files are copied then, and the node
starts again from the copy, with whatever the store does after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from port2port.store import Store, Transaction

_STEPS = frozenset({"execute", "put_body", "put_bodies", "forget_bodies", "append", "move_cursor", "many", "rows"})


class Crash(BaseException):
    """The node is dead. No handler of errors may catch this."""


class Fuse:
    """Counts what a node writes; at the given step it copies the files and ends the node."""

    def __init__(self, save_files: Callable[[], None]) -> None:
        self._save_files = save_files
        self._left = 0

    def arm(self, steps: int) -> None:
        """Die at the `steps`-th step from now; 0 disarms."""
        self._left = steps

    def burn(self) -> None:
        if self._left:
            self._left -= 1
            if not self._left:
                self._save_files()
                raise Crash


class FaultyStore:
    """The real store with a fuse in every transaction."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._store.transaction() as tx:
            yield FaultyTransaction(tx, self._fuse)
            self._fuse.burn()
        self._fuse.burn()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class FaultyTransaction:
    """A transaction in which every call is a step."""

    def __init__(self, tx: Transaction, fuse: Fuse) -> None:
        self._tx, self._fuse = tx, fuse

    def __getattr__(self, name: str) -> Any:
        if name in _STEPS:
            self._fuse.burn()
        return getattr(self._tx, name)
