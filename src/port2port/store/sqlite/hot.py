"""The statements that run for every fact, by hand, in SQLite's words.

Everything else a capability asks goes through SQLAlchemy Core.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from sqlite3 import Connection

from port2port.store.codec import Row, StoredBody

_PAGE = "SELECT number, at, kind, data FROM store_journal WHERE number > ? ORDER BY number LIMIT ?"
_APPEND = "INSERT INTO store_journal (number, at, kind, data) VALUES (?, ?, ?, ?)"
_HEAD = "SELECT max(number) FROM store_journal"
_CURSOR = "SELECT number FROM store_cursor WHERE reader = ?"
_MOVE = (
    "INSERT INTO store_cursor (reader, number) VALUES (?, ?)"
    " ON CONFLICT (reader) DO UPDATE SET number = excluded.number WHERE number < excluded.number"
)
_BODY = "SELECT number, sealed, body FROM store_body WHERE object_id = ? AND version = ?"
_PUT_BODY = (
    "INSERT INTO store_body (number, object_id, version, sealed, body) VALUES (?, ?, ?, 1, ?)"
    " ON CONFLICT (object_id, version) DO NOTHING"
)
_LAST_NUMBER = "SELECT seq FROM sqlite_sequence WHERE name = 'store_body'"
_NUMBERS = "SELECT number FROM store_body WHERE number >= ? AND number < ? AND sealed = 1"
_FORGET = "DELETE FROM store_body WHERE object_id = ? AND version = ? RETURNING number"


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


def bodies(connection: Connection, wanted: Sequence[tuple[str, int]]) -> list[StoredBody | None]:
    """What is stored under these keys."""
    execute = connection.execute
    return [execute(_BODY, key).fetchone() for key in wanted]


def put_bodies(connection: Connection, first: int, rows: Sequence[tuple[str, int, bytes]]) -> int:
    """Keep sealed bodies with the numbers from `first` on, but for taken keys; answers how many were new."""
    numbered = [(number, *row) for number, row in enumerate(rows, first)]
    return connection.executemany(_PUT_BODY, numbered).rowcount


def next_number(connection: Connection) -> int:
    """The first number for new bodies: never one that was given out before and committed."""
    row = connection.execute(_LAST_NUMBER).fetchone()
    return (row[0] if row else 0) + 1


def numbers(connection: Connection, first: int, last: int) -> list[int]:
    """The numbers of sealed bodies in a span."""
    return [row[0] for row in connection.execute(_NUMBERS, (first, last))]


def forget_bodies(connection: Connection, keys: Sequence[tuple[str, int]]) -> list[int]:
    """Delete bodies; answers their numbers."""
    return [row[0] for key in keys for row in connection.execute(_FORGET, key).fetchall()]
