"""The statements that run for every fact, by hand, in PostgreSQL's words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from psycopg import Connection

from port2port.store.codec import EncodedFact, Row, StoredBody

OUTBOX = "port2port_outbox"
"""Channel: something stands in the outbox. Only a hint; the sequencer looks anyway."""

JOURNAL = "port2port_journal"
"""Channel: the journal has grown. Only a hint."""

WRITING, NUMBERING, MIGRATING = 0x50325001, 0x50325002, 0x50325003
"""Advisory locks: one verb that reads or writes tables, one sequencer, one migration at a time."""

BATCH = 1000
"""Facts numbered in one commit."""

Any_ = Connection[Any]

_LEAVE = (
    "INSERT INTO store_outbox (at, kind, data)"
    " SELECT %s, kind, data FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY AS t(kind, data, i) ORDER BY i"
)
_NUMBER = """
WITH taken AS (
    DELETE FROM store_outbox WHERE id IN (SELECT id FROM store_outbox ORDER BY id LIMIT %s)
    RETURNING id, at, kind, data
), placed AS (
    INSERT INTO store_journal (number, at, kind, data)
    SELECT (SELECT coalesce(max(number), 0) FROM store_journal) + row_number() OVER (ORDER BY id), at, kind, data
    FROM taken
    RETURNING number
)
SELECT count(*), max(number) FROM placed
"""
_HEAD = "SELECT coalesce(max(number), 0) FROM store_journal"
_PAGE = (
    "SELECT number, at, kind, data FROM store_journal"
    " WHERE number > %s AND (%s::text[] IS NULL OR kind = ANY(%s::text[])) ORDER BY number LIMIT %s"
)
_CURSOR = "SELECT number FROM store_cursor WHERE reader = %s"
_MOVE = (
    "INSERT INTO store_cursor AS c (reader, number) VALUES (%s, %s)"
    " ON CONFLICT (reader) DO UPDATE SET number = excluded.number WHERE c.number < excluded.number"
)
_BODIES = (
    "SELECT number, sealed, body FROM unnest(%s::text[], %s::bigint[]) WITH ORDINALITY AS wanted(id, v, place)"
    " LEFT JOIN store_body ON object_id = id AND version = v ORDER BY place"
)
_PUT_BODIES = (
    "INSERT INTO store_body (number, object_id, version, sealed, body)"
    " SELECT n, id, v, 1, b FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bytea[]) AS new(n, id, v, b)"
    " ON CONFLICT DO NOTHING"
)
_TAKE_NUMBERS = "SELECT setval('store_body_number', nextval('store_body_number') + %s) - %s"
_NUMBERS = "SELECT number FROM store_body WHERE number >= %s AND number < %s AND sealed = 1"
_FORGET = (
    "DELETE FROM store_body USING unnest(%s::text[], %s::bigint[]) AS gone(id, v)"
    " WHERE object_id = id AND version = v RETURNING number"
)


def leave(connection: Any_, us: int, facts: Sequence[EncodedFact]) -> None:
    """Put facts into the outbox, where they wait for their number."""
    connection.execute(_LEAVE, (us, [kind for kind, _ in facts], [data for _, data in facts]))
    connection.execute(f"NOTIFY {OUTBOX}")


def number(connection: Any_) -> int:
    """Move facts from the outbox to the journal, densely numbered; answers how many. One statement, one commit."""
    count, head = _one(connection, _NUMBER, (BATCH,))
    if count:
        connection.execute("SELECT pg_notify(%s, %s)", (JOURNAL, str(head)))
    return int(count)


def head(connection: Any_) -> int:
    """The newest number; 0 when empty."""
    return int(_one(connection, _HEAD)[0])


def page(connection: Any_, after: int, limit: int, kinds: Collection[str] | None) -> list[Row]:
    """Entries in order; with `kinds`, only those, and `limit` counts what matches."""
    wanted = None if kinds is None else list(kinds)
    return connection.execute(_PAGE, (after, wanted, wanted, limit)).fetchall()


def cursor(connection: Any_, reader: str) -> int:
    """Where `reader` has come to."""
    row = connection.execute(_CURSOR, (reader,)).fetchone()
    return row[0] if row else 0


def move_cursor(connection: Any_, reader: str, to: int) -> None:
    """Forward only."""
    connection.execute(_MOVE, (reader, to))


def bodies(connection: Any_, wanted: Sequence[tuple[str, int]]) -> list[StoredBody | None]:
    """What is stored under these keys."""
    found = connection.execute(_BODIES, ([key[0] for key in wanted], [key[1] for key in wanted])).fetchall()
    return [None if number is None else (number, sealed, bytes(body)) for number, sealed, body in found]


def put_bodies(connection: Any_, first: int, rows: Sequence[tuple[str, int, bytes]]) -> int:
    """Keep sealed bodies with the numbers from `first` on, but for taken keys; answers how many were new."""
    columns = ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    return connection.execute(_PUT_BODIES, (list(range(first, first + len(rows))), *columns)).rowcount


def take_numbers(connection: Any_, count: int) -> int:
    """The first of `count` numbers for new bodies: none is ever given out twice."""
    return int(_one(connection, _TAKE_NUMBERS, (count, count))[0])


def numbers(connection: Any_, first: int, last: int) -> list[int]:
    """The numbers of sealed bodies in a span."""
    return [row[0] for row in connection.execute(_NUMBERS, (first, last))]


def forget_bodies(connection: Any_, keys: Sequence[tuple[str, int]]) -> list[int]:
    """Delete bodies; answers their numbers."""
    found = connection.execute(_FORGET, ([key[0] for key in keys], [key[1] for key in keys]))
    return [row[0] for row in found]


def lock_for_writing(connection: Any_) -> None:
    """Until this transaction ends, nobody else of this node is between loading and recording."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITING,))


def _one(connection: Any_, statement: str, parameters: Sequence[Any] = ()) -> Any:
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None, "an aggregate has one row"
    return row
