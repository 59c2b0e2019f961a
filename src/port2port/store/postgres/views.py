"""What a verb or a question holds while it talks to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import psycopg
from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from port2port.core.errors import Conflict, Unavailable
from port2port.core.fact import Fact
from port2port.store.api import Parameters
from port2port.store.bodies import opened, require_same
from port2port.store.codec import Codec, EncodedFact
from port2port.store.keys import Keys
from port2port.store.postgres import hot


class PostgresReading:
    """A view through one connection, for one thread."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self.connection = connection
        self._keys = keys
        self._thread = get_ident()

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        self._check()
        with refusals():
            return self.connection.execute(statement, parameters)

    def body(self, object_id: str, version: int) -> bytes | None:
        return self.bodies([(object_id, version)])[0]

    def bodies(self, keys: Sequence[tuple[str, int]]) -> list[bytes | None]:
        self._check()
        with refusals():
            return opened(self._keys, hot.bodies(raw(self.connection), keys))

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._check()
        with refusals():
            return raw(self.connection).execute(_marks(statement), values).fetchall()

    def cursor(self, reader: str) -> int:
        self._check()
        with refusals():
            return hot.cursor(raw(self.connection), reader)

    def finish(self) -> None:
        self._thread = 0

    def _check(self) -> None:
        assert self._thread == get_ident(), "used after its end, or by another thread"


class PostgresTransaction(PostgresReading):
    """One verb. From its first look at a table until its end it is the only one; facts alone need not wait."""

    def __init__(self, connection: Connection, keys: Keys, codec: Codec) -> None:
        super().__init__(connection, keys)
        self._codec = codec
        self._locked = False
        self.failed = False
        self.facts: list[EncodedFact] = []
        self.doomed: list[int] = []

    def append(self, *facts: Fact) -> None:
        super()._check()
        self.facts.extend(map(self._codec.encode, facts))

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        try:
            return super().execute(statement, parameters)
        except BaseException:
            self.failed = True
            raise

    def put_body(self, object_id: str, version: int, body: bytes) -> None:
        self.put_bodies([(object_id, version, body)])

    def put_bodies(self, bodies: Sequence[tuple[str, int, bytes]]) -> None:
        self._check()
        with self._refusals():
            first = hot.take_numbers(raw(self.connection), len(bodies))
            sealed = self._keys.seal(first, [body for _, _, body in bodies])
            rows = [(object_id, version, each) for (object_id, version, _), each in zip(bodies, sealed, strict=True)]
            all_new = hot.put_bodies(raw(self.connection), first, rows) == len(rows)
        if not all_new:
            require_same(self, bodies)

    def forget_bodies(self, keys: Sequence[tuple[str, int]]) -> None:
        self._check()
        with self._refusals():
            self.doomed.extend(hot.forget_bodies(raw(self.connection), keys))

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._check()
        with self._refusals(), raw(self.connection).cursor() as cursor:
            cursor.executemany(_marks(statement), rows)

    def move_cursor(self, reader: str, number: int) -> None:
        self._check()
        with refusals():
            hot.move_cursor(raw(self.connection), reader, number)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """A statement that failed spoils the whole."""
        try:
            with refusals():
                yield
        except BaseException:
            self.failed = True
            raise

    def _check(self) -> None:
        super()._check()
        if not self._locked:
            with refusals():
                hot.lock_for_writing(raw(self.connection))
            self._locked = True


def _marks(statement: str) -> str:
    """Our `?` as the driver's own mark."""
    return statement.replace("%", "%%").replace("?", "%s")


def raw(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's connection, for the statements written by hand."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def away(why: object) -> Unavailable:
    """The database server cannot be used now; `why` is its own word."""
    return Unavailable(
        f"The database server cannot be used now: {str(why).strip()}.",
        hint="Check that PostgreSQL runs and has room on its disk, then try again. What was confirmed before is kept.",
    )


@contextmanager
def refusals() -> Iterator[None]:
    """What the driver says when server, disk or line fail, as our own errors."""
    try:
        yield
    except PoolTimeout as error:
        raise away("all connections are in use") from error
    except DBAPIError as error:
        _raise_ours(error.orig, error)
        raise
    except psycopg.Error as error:
        _raise_ours(error, error)
        raise


def _raise_ours(original: object, error: Exception) -> None:
    if isinstance(original, (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)):
        raise Conflict("Somebody else changed the same data at the same time.", hint="Try again.") from error
    if isinstance(original, (psycopg.OperationalError, psycopg.InterfaceError)):
        raise away(original) from error
