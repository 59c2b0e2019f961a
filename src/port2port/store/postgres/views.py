"""What a verb or a question holds while it talks to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
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
from port2port.store.codec import Codec, EncodedFact
from port2port.store.postgres import hot


class PostgresReading:
    """A view through one connection, for one thread."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._thread = get_ident()

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        self._check()
        with refusals():
            return self.connection.execute(statement, parameters)

    def body(self, object_id: str, version: int) -> bytes | None:
        self._check()
        with refusals():
            return hot.body(raw(self.connection), object_id, version)

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

    def __init__(self, connection: Connection, codec: Codec) -> None:
        super().__init__(connection)
        self._codec = codec
        self._locked = False
        self.failed = False
        self.facts: list[EncodedFact] = []

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
        self._check()
        with refusals():
            hot.put_body(raw(self.connection), object_id, version, body)

    def move_cursor(self, reader: str, number: int) -> None:
        self._check()
        with refusals():
            hot.move_cursor(raw(self.connection), reader, number)

    def _check(self) -> None:
        super()._check()
        if not self._locked:
            with refusals():
                hot.lock_for_writing(raw(self.connection))
            self._locked = True


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
