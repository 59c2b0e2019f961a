"""The statements that run for every fact, by hand, in SQLite's words.

Everything else a capability asks goes through SQLAlchemy Core.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from sqlite3 import Connection

from port2port.core.errors import Conflict
from port2port.store.codec import Row

_PAGE = "SELECT number, at, kind, data FROM store_journal WHERE number > ? ORDER BY number LIMIT ?"
_APPEND = "INSERT INTO store_journal (number, at, kind, data) VALUES (?, ?, ?, ?)"
_HEAD = "SELECT max(number) FROM store_journal"
_CURSOR = "SELECT number FROM store_cursor WHERE reader = ?"
_MOVE = (
    "INSERT INTO store_cursor (reader, number) VALUES (?, ?)"
    " ON CONFLICT (reader) DO UPDATE SET number = excluded.number WHERE number < excluded.number"
)
_BODY = "SELECT body FROM store_body WHERE object_id = ? AND version = ?"
_PUT_BODY = "INSERT INTO store_body (object_id, version, body) VALUES (?, ?, ?)"


def append(connection: Connection, rows: Sequence[Row]) -> None:
    """Add journal entries."""
    connection.executemany(_APPEND, rows)


def head(connection: Connection) -> int:
    """The newest number; 0 when empty."""
    return connection.execute(_HEAD).fetchone()[0] or 0


def page(connection: Connection, after: int, limit: int, kinds: Collection[str] | None) -> list[Row]:
    """Entries in order; with `kinds`, only those, and `limit` counts what matches."""
    if kinds is None:
        return connection.execute(_PAGE, (after, limit)).fetchall()
    marks = ", ".join("?" * len(kinds))
    filtered = _PAGE.replace("ORDER BY", f"AND kind IN ({marks}) ORDER BY")
    return connection.execute(filtered, (after, *kinds, limit)).fetchall()


def cursor(connection: Connection, reader: str) -> int:
    """Where `reader` has come to."""
    row = connection.execute(_CURSOR, (reader,)).fetchone()
    return row[0] if row else 0


def move_cursor(connection: Connection, reader: str, number: int) -> None:
    """Forward only."""
    connection.execute(_MOVE, (reader, number))


def body(connection: Connection, object_id: str, version: int) -> bytes | None:
    """The bytes under this key."""
    row = connection.execute(_BODY, (object_id, version)).fetchone()
    return row[0] if row else None


def put_body(connection: Connection, object_id: str, version: int, new: bytes) -> None:
    """Keep bytes; other bytes under a taken key are a `Conflict`."""
    old = body(connection, object_id, version)
    if old is None:
        connection.execute(_PUT_BODY, (object_id, version, new))
    elif old != new:
        raise Conflict(f"Version {version} of {object_id} is already stored with other content.")
