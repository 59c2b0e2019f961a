"""The store on SQLite: one file, one writer at a time, group commit, four readers.

`memory://` is the same code on a file in memory that has lost its name, so that it goes with the process.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic

from sqlalchemy import Connection, NullPool, create_engine

from port2port.core.clock import Clock, system_clock
from port2port.core.errors import Unavailable
from port2port.core.fact import Fact, Recorded
from port2port.store import migration
from port2port.store.codec import Codec, EncodedFact, page_size
from port2port.store.keys import Keys
from port2port.store.news import News
from port2port.store.sqlite import hot
from port2port.store.sqlite.file import WAL_LIMIT_BYTES, DatabaseFile, cut_wal, memory_folder
from port2port.store.sqlite.group import GroupCommit
from port2port.store.sqlite.views import SqliteReading, SqliteTransaction, raw, refusals
from port2port.store.types import to_us

READERS = 4
"""Reader connections."""

READER_WAIT_S = 10.0
"""How long a question waits for one of them."""

WATCH_S = 0.2
"""How often another process's commits are looked for while somebody waits."""

RETRY_S = 1.0
"""Pause before something in the background is tried again."""

_log = logging.getLogger(__name__)


class SqliteStore:
    """See `api.Store`. `path` None: in memory. `synchronous` other than FULL is for tests that must lose data."""

    def __init__(
        self,
        path: Path | None,
        fact_types: Iterable[type[Fact]],
        clock: Clock = system_clock,
        synchronous: str = "FULL",
        keys: Path | None = None,
    ) -> None:
        self._codec = Codec(fact_types)
        self._clock = clock
        self._in_memory = path is None
        self._synchronous = "OFF" if self._in_memory else synchronous
        self._news = News(None if self._in_memory else self._look_for_others)
        self._open_in: set[int] = set()
        self._cut_again_s = 0.0
        path = path or memory_folder() / "memory.sqlite"
        self._file = DatabaseFile(path)
        self._keys = Keys(
            (not self._in_memory and keys) or path.with_suffix(".keys"), durable=self._synchronous == "FULL"
        )
        try:
            self._open()
        except BaseException:
            self._keys.close()
            self._file.close()
            raise
        finally:
            if self._in_memory:
                self._file.close()
                shutil.rmtree(path.parent)

    def migrate(self, owner: str, migrations: Path) -> None:
        with self._turns.alone(), refusals():
            if migration.is_newest(self._writer, owner, migrations):
                return
            self._raw.execute("PRAGMA foreign_keys = OFF")  # a table may be copied and replaced
            try:
                self._raw.execute("BEGIN IMMEDIATE")
                migration.run(self._writer, owner, migrations)
                broken = self._raw.execute("PRAGMA foreign_key_check").fetchall()
                assert not broken, f"the migration of {owner} leaves rows without the row they point to: {broken[:3]}"
                self._raw.execute("COMMIT")
            finally:
                self.rollback()
                self._raw.execute("PRAGMA foreign_keys = ON")

    def transaction(self) -> SqliteTransaction:
        return SqliteTransaction(self._writer, self._raw, self._keys, self._codec, self._turns, self._open_in)

    @contextmanager
    def reading(self) -> Iterator[SqliteReading]:
        with self._reader() as connection:
            view = SqliteReading(connection, raw(connection), self._keys)
            view.raw.execute("BEGIN")
            try:
                yield view
            finally:
                view.finish()
                if view.raw.in_transaction:
                    view.raw.execute("ROLLBACK")

    def read(self, after: int, limit: int = 500, kinds: Collection[str] | None = None) -> Sequence[Recorded]:
        with self._reader() as connection, refusals():
            rows = hot.page(raw(connection), after, page_size(limit), kinds)
        return self._codec.record(rows)

    def head(self) -> int:
        with self._reader() as connection, refusals():
            return hot.head(raw(connection))

    def wait(self, after: int, timeout_s: float) -> int:
        return self._news.wait(after, timeout_s)

    def scrub(self) -> bool:
        if self._in_memory:
            return True
        with self._turns.alone(), refusals():
            return cut_wal(self._raw)

    def close(self) -> None:
        if not self._news.close():
            return
        self._turns.close()
        for _ in range(READERS):
            connection = self._readers.get()
            assert connection is not None
            connection.close()
        self._readers.put(None)
        self._writer.close()
        self._engine.dispose()
        self._keys.close()
        self._file.close()

    # what GroupCommit asks

    def begin(self) -> None:
        with refusals():
            self._raw.execute("BEGIN IMMEDIATE")

    def commit(self, facts: list[EncodedFact]) -> None:
        """Number the facts on from the head that this transaction sees: another process may have written too."""
        try:
            with refusals():
                head = self._append(facts) if facts else 0
                self._keys.sync()
                self._raw.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self._keys.destroy_doomed()
        self._news.announce(head)
        self._bound_wal()

    def rollback(self) -> None:
        self._keys.spare()
        if self._raw.in_transaction:
            with suppress(sqlite3.OperationalError):
                self._raw.execute("ROLLBACK")

    def _append(self, facts: list[EncodedFact]) -> int:
        head, us = hot.head(self._raw), to_us(self._clock())
        hot.append(self._raw, [(number, us, kind, data) for number, (kind, data) in enumerate(facts, head + 1)])
        return head + len(facts)

    def _bound_wal(self) -> None:
        """SQLite folds the log into the file every 1000 pages; when readers kept it from starting over, cut it here.

        A reader that stays is not waited for: writers go on, and this is tried again a second later.
        """
        if self._in_memory or monotonic() < self._cut_again_s or (size := self._file.wal_bytes()) <= WAL_LIMIT_BYTES:
            return
        self._cut_again_s = monotonic() + RETRY_S
        if not cut_wal(self._raw):
            _log.warning("a long question keeps %s at %d MB", self._file.wal.name, size // 2**20)

    def _open(self) -> None:
        with refusals():
            self._engine = create_engine(
                "sqlite://", creator=self._connect, poolclass=NullPool, isolation_level="AUTOCOMMIT"
            )
            self._writer = self._engine.connect()
            self._raw = raw(self._writer)
            self._turns = GroupCommit(self)
            self.migrate("store", migration.STORE_MIGRATIONS)
            if self._file.after_crash:
                self._sweep()
            self._readers: SimpleQueue[Connection | None] = SimpleQueue()
            for _ in range(READERS):
                self._readers.put(self._new_reader())
            self._news.announce(hot.head(self._raw))

    def _sweep(self) -> None:
        self.begin()
        try:
            swept = self._keys.sweep(partial(hot.numbers, self._raw))
        finally:
            self.rollback()
        if swept:
            _log.info("%d keys without a body were destroyed", swept)

    def _connect(self) -> sqlite3.Connection:
        return self._file.connect(synchronous=self._synchronous)

    def _new_reader(self) -> Connection:
        connection = self._engine.connect()
        raw(connection).execute("PRAGMA query_only = ON")
        hot.head(raw(connection))  # opens the write-ahead log while the files still have names
        return connection

    @contextmanager
    def _reader(self) -> Iterator[Connection]:
        try:
            connection = self._readers.get(timeout=READER_WAIT_S)
        except Empty:
            raise Unavailable("Too many questions at once.", hint="Try again in a moment.") from None
        if connection is None:
            self._readers.put(None)
            raise Unavailable("The node is shutting down.", hint="Try again when it runs.")
        try:
            yield connection
        finally:
            self._readers.put(connection)

    def _look_for_others(self, news: News) -> None:
        """The command line may write to the same file from a process of its own."""
        while not news.closed:
            try:
                with closing(self._connect()) as connection:
                    _watch(connection, news)
            except sqlite3.Error as error:
                _log.warning("cannot see what other processes write: %s", error)
                news.pause(RETRY_S)


def _watch(connection: sqlite3.Connection, news: News) -> None:
    seen = None
    while not news.closed:
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != seen:
            seen = version
            news.announce(hot.head(connection))
        news.pause(WATCH_S)
