"""What a verb or a question holds while it talks to SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError

from port2port.core.errors import Unavailable
from port2port.core.fact import Fact
from port2port.store.api import Parameters
from port2port.store.bodies import opened, require_same
from port2port.store.codec import Codec, EncodedFact
from port2port.store.failed import spoilt
from port2port.store.keys import Keys
from port2port.store.sqlite import hot
from port2port.store.sqlite.group import Caller, GroupCommit


class SqliteReading:
    """A view through one connection, for one thread."""

    def __init__(self, connection: Connection, driver: sqlite3.Connection, keys: Keys) -> None:
        self.connection = connection
        self.raw = driver
        self._keys = keys
        self._results: list[CursorResult[Any]] = []
        self._thread = get_ident()
        self._failed = False

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        self._check()
        try:
            with refusals():
                result = self.connection.execute(statement, parameters)
        except BaseException:
            self._failed = True
            raise
        if result.returns_rows:
            self._results.append(result)
        return result

    def body(self, object_id: str, version: int) -> bytes | None:
        return self.bodies([(object_id, version)])[0]

    def bodies(self, keys: Sequence[tuple[str, int]]) -> list[bytes | None]:
        self._check()
        with refusals():
            return opened(self._keys, hot.bodies(self.raw, keys))

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._check()
        with refusals():
            return self.raw.execute(statement, values).fetchall()

    def cursor(self, reader: str) -> int:
        self._check()
        with refusals():
            return hot.cursor(self.raw, reader)

    def finish(self) -> None:
        """Rows not fetched by now are let go: an open cursor would hold the database back."""
        self._thread = 0
        for result in self._results:
            result.close()

    def _check(self) -> None:
        self._check_thread()
        self._check_alive()

    def _check_alive(self) -> None:
        if not self.raw.in_transaction:
            raise full("the changes of this moment were given up")

    def _check_thread(self) -> None:
        assert self._thread == get_ident(), "used after its end, or by another thread"


class SqliteTransaction(SqliteReading):
    """One member of a group. It takes the baton when it first touches the database, with a savepoint."""

    def __init__(
        self,
        connection: Connection,
        driver: sqlite3.Connection,
        keys: Keys,
        codec: Codec,
        turns: GroupCommit,
        open_in: set[int],
    ) -> None:
        super().__init__(connection, driver, keys)
        self._codec = codec
        self._turns = turns
        self._open_in = open_in
        self._caller: Caller | None = None
        self._facts: list[EncodedFact] = []
        self._doomed: list[int] = []

    def __enter__(self) -> SqliteTransaction:
        assert self._thread not in self._open_in, "transactions do not nest"
        self._open_in.add(self._thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._open_in.discard(self._thread)
        self.finish()
        if self._caller is None:
            if kind is None and self._facts:
                self._turns.record(self._facts)
        elif kind is None:
            self._leave(self._caller)
        else:
            self._undo()

    def append(self, *facts: Fact) -> None:
        self._check_thread()
        self._facts.extend(map(self._codec.encode, facts))

    def put_body(self, object_id: str, version: int, body: bytes) -> None:
        self.put_bodies([(object_id, version, body)])

    def put_bodies(self, bodies: Sequence[tuple[str, int, bytes]]) -> None:
        self._check()
        with self._refusals():
            first = hot.next_number(self.raw)
            sealed = self._keys.seal(first, [body for _, _, body in bodies])
            rows = [(object_id, version, each) for (object_id, version, _), each in zip(bodies, sealed, strict=True)]
            all_new = hot.put_bodies(self.raw, first, rows) == len(rows)
        if not all_new:
            require_same(self, bodies)

    def forget_bodies(self, keys: Sequence[tuple[str, int]]) -> None:
        self._check()
        with self._refusals():
            self._doomed.extend(hot.forget_bodies(self.raw, keys))

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._check()
        with self._refusals():
            self.raw.executemany(statement, rows)

    def move_cursor(self, reader: str, number: int) -> None:
        self._check()
        with refusals():
            hot.move_cursor(self.raw, reader, number)

    def _check(self) -> None:
        if self._caller is None:
            self._check_thread()
            self._caller = self._turns.enter()
            with refusals():
                self.raw.execute("SAVEPOINT member")
        super()._check()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """A statement that failed spoils the whole."""
        try:
            with refusals():
                yield
        except BaseException:
            self._failed = True
            raise

    def _leave(self, caller: Caller) -> None:
        try:
            self._check_alive()
            if self._failed:
                raise spoilt()
            with refusals():
                self.raw.execute("RELEASE member")
        except BaseException:
            self._undo()
            raise
        self._keys.doom(self._doomed)
        self._turns.leave(caller, self._facts)

    def _undo(self) -> None:
        """SQLite itself gives up the whole transaction when the disk is full: then nobody's part is stored."""
        lost: Unavailable | None = None
        try:
            self.raw.execute("ROLLBACK TO member")
            self.raw.execute("RELEASE member")
        except sqlite3.Error as error:
            lost = full(str(error))
        self._turns.leave_undone(lost)


def raw(connection: Connection) -> sqlite3.Connection:
    """The driver's connection, for the statements written by hand."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def full(why: str) -> Unavailable:
    """Disk or file failed; `why` is SQLite's own word."""
    return Unavailable(
        f"The database cannot store anything now: {why}.",
        hint="Make room on the disk of the node's data folder and try again. What was confirmed before is kept.",
    )


def held(why: str) -> Unavailable:
    """Another process holds the file; `why` is SQLite's own word."""
    return Unavailable(f"Another program holds the node's database: {why}.", hint="Try again when it has finished.")


_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_OUTSIDE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
}
"""What can go wrong outside the program. A wrong statement is none of these, and shows as what it is."""


@contextmanager
def refusals() -> Iterator[None]:
    """What SQLite says when disk, file or lock fail, as our one error for it."""
    try:
        yield
    except sqlite3.Error as error:
        _raise_ours(error, error)
        raise
    except DBAPIError as error:
        _raise_ours(error.orig, error)
        raise


def _raise_ours(original: object, error: Exception) -> None:
    code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _HELD:
        raise held(str(original)) from error
    if code in _OUTSIDE:
        raise full(str(original)) from error
