"""The store on SQLite: one file, one writer at a time, group commit, four readers.

`memory://` is the same code on a file in memory that has lost its name, so that it goes with the process.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Condition, Thread, get_ident
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, NullPool, create_engine
from sqlalchemy.exc import OperationalError

from port2port.core.clock import Clock, system_clock
from port2port.core.errors import Unavailable
from port2port.core.fact import Fact, Recorded
from port2port.store import hot, migration
from port2port.store.api import Parameters
from port2port.store.codec import Codec
from port2port.store.connection import WAL_LIMIT_BYTES, DatabaseFile, memory_folder
from port2port.store.group import GroupCommit
from port2port.store.types import to_us

READERS = 4
"""Reader connections."""

MAX_PAGE = 10_000
"""Entries in one page, whatever was asked."""

WATCH_S = 0.2
"""How often another process's commits are looked for while somebody waits."""


class SqliteReading:
    """A view through one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.raw: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        self._results: list[CursorResult[Any]] = []
        self._thread = get_ident()

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        self._check()
        with _refusals():
            result = self.connection.execute(statement, parameters)
        if result.returns_rows:
            self._results.append(result)
        return result

    def body(self, object_id: str, version: int) -> bytes | None:
        self._check()
        with _refusals():
            return hot.body(self.raw, object_id, version)

    def cursor(self, reader: str) -> int:
        self._check()
        with _refusals():
            return hot.cursor(self.raw, reader)

    def finish(self) -> None:
        """Rows not fetched by now are let go: an open cursor would hold the database back."""
        self._thread = 0
        for result in self._results:
            result.close()

    def _check(self) -> None:
        assert self._thread == get_ident(), "used after its end, or by another thread"
        if not self.raw.in_transaction:
            raise _full("the transaction was given up")


class SqliteTransaction(SqliteReading):
    """One member of a group: a savepoint."""

    def __init__(self, connection: Connection, codec: Codec) -> None:
        super().__init__(connection)
        self._codec = codec
        self.facts: list[tuple[str, bytes]] = []

    def append(self, *facts: Fact) -> None:
        self._check()
        self.facts.extend(map(self._codec.encode, facts))

    def put_body(self, object_id: str, version: int, body: bytes) -> None:
        self._check()
        with _refusals():
            hot.put_body(self.raw, object_id, version, body)

    def move_cursor(self, reader: str, number: int) -> None:
        self._check()
        with _refusals():
            hot.move_cursor(self.raw, reader, number)


class SqliteStore:
    """See `api.Store`."""

    def __init__(
        self,
        path: Path | None,
        fact_types: Iterable[type[Fact]],
        clock: Clock = system_clock,
        synchronous: str = "FULL",
    ) -> None:
        self._codec = Codec(fact_types)
        self._clock = clock
        self._shared = path is not None
        folder = None if path else memory_folder()
        self._file = DatabaseFile(path or folder / "memory.sqlite")  # type: ignore[operator]
        self._synchronous = synchronous if path else "OFF"
        self._engine = create_engine(
            "sqlite://", creator=self._connect, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        self._open()
        if folder:
            shutil.rmtree(folder)

    def _connect(self) -> sqlite3.Connection:
        return self._file.connect(synchronous=self._synchronous)

    def _open(self) -> None:
        self._writer = self._engine.connect()
        self._raw: sqlite3.Connection = self._writer.connection.driver_connection  # type: ignore[assignment]
        self._turns = GroupCommit(self)
        self.migrate("store", migration.STORE_MIGRATIONS)
        self._readers: SimpleQueue[Connection] = SimpleQueue()
        for _ in range(READERS):
            reader = self._engine.connect()
            hot.head(reader.connection.driver_connection)  # type: ignore[arg-type]
            self._readers.put(reader)
        self._committed = hot.head(self._raw)
        self._next = 0
        self._changed = Condition()
        self._watcher: Thread | None = None
        self._closed = False

    # what GroupCommit asks

    def begin(self) -> None:
        with _refusals():
            self._raw.execute("BEGIN IMMEDIATE")
            self._next = hot.head(self._raw)

    def commit(self) -> None:
        try:
            with _refusals():
                self._raw.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self._announce(self._next)
        self._bound_wal()

    def rollback(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    # what the node asks

    def migrate(self, owner: str, migrations: Path) -> None:
        with self._turns.alone():
            if migration.is_newest(self._writer, owner, migrations):
                return
            self._raw.execute("PRAGMA foreign_keys = OFF")
            try:
                self._raw.execute("BEGIN IMMEDIATE")
                migration.run(self._writer, owner, migrations)
                self._raw.execute("COMMIT")
            finally:
                self.rollback()
                self._raw.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        with self._turns.turn():
            tx = SqliteTransaction(self._writer, self._codec)
            self._raw.execute("SAVEPOINT member")
            try:
                yield tx
                tx.finish()
                self._record(tx.facts)
                self._raw.execute("RELEASE member")
            except BaseException:
                tx.finish()
                self._undo()
                raise

    @contextmanager
    def reading(self) -> Iterator[SqliteReading]:
        connection = self._readers.get()
        view = SqliteReading(connection)
        try:
            view.raw.execute("BEGIN")
            yield view
        finally:
            view.finish()
            if view.raw.in_transaction:
                view.raw.execute("ROLLBACK")
            self._readers.put(connection)

    def read(self, after: int, limit: int = 500, kinds: Collection[str] | None = None) -> Sequence[Recorded]:
        with self._reader() as raw:
            rows = hot.page(raw, after, min(limit, MAX_PAGE), kinds)
        return self._codec.record(rows)

    def head(self) -> int:
        with self._reader() as raw:
            return hot.head(raw)

    def wait(self, after: int, timeout_s: float) -> int:
        self._watch()
        with self._changed:
            self._changed.wait_for(lambda: self._committed > after or self._closed, timeout_s)
            return self._committed

    def close(self) -> None:
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._turns.close()
        if self._watcher:
            self._watcher.join()
        for _ in range(READERS):
            self._readers.get().close()
        self._writer.close()
        self._engine.dispose()
        self._file.close()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        connection = self._readers.get()
        try:
            with _refusals():
                yield connection.connection.driver_connection  # type: ignore[misc]
        finally:
            self._readers.put(connection)

    def _record(self, facts: Sequence[tuple[str, bytes]]) -> None:
        if not self._raw.in_transaction:
            raise _full("the transaction was given up")
        if facts:
            us = to_us(self._clock())
            rows = [(self._next + i, us, kind, data) for i, (kind, data) in enumerate(facts, 1)]
            with _refusals():
                hot.append(self._raw, rows)
            self._next += len(rows)

    def _undo(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK TO member")
            self._raw.execute("RELEASE member")
        else:
            self._turns.spoil(_full("the transaction was given up"))

    def _announce(self, head: int) -> None:
        with self._changed:
            if head > self._committed:
                self._committed = head
                self._changed.notify_all()

    def _bound_wal(self) -> None:
        if self._shared and self._file.wal.stat().st_size > WAL_LIMIT_BYTES:
            self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _watch(self) -> None:
        """Another process of this node (the command line) may write too."""
        with self._changed:
            if self._watcher is None and self._shared and not self._closed:
                self._watcher = Thread(target=self._look_for_others, name="store-watch", daemon=True)
                self._watcher.start()

    def _look_for_others(self) -> None:
        connection = self._connect()
        try:
            seen = None
            while not self._closed:
                version = connection.execute("PRAGMA data_version").fetchone()[0]
                if version != seen:
                    seen = version
                    self._announce(hot.head(connection))
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, WATCH_S)
        finally:
            connection.close()


def _full(why: str) -> Unavailable:
    return Unavailable(
        f"The database cannot store anything now: {why}.",
        hint="Make room on the disk of the node's data folder and try again; everything acknowledged is kept.",
    )


@contextmanager
def _refusals() -> Iterator[None]:
    """What SQLite says when disk, file or lock fail, as our one error for it."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _full(str(error)) from error
    except OperationalError as error:
        raise _full(str(error.orig)) from error
