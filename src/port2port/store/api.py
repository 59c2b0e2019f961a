"""What a node's memory offers. Three back ends keep this promise under one contract suite.

A verb opens one transaction, loads, decides, records: state, bodies and facts commit together or
not at all. When the `with` block has ended, everything in it is durable and survives a power cut.
Facts then stand in the journal under dense numbers; whatever crosses capabilities reads on from a
stored cursor.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import CursorResult, Executable

from port2port.core.fact import Fact, Recorded

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Reading(Protocol):
    """A consistent view for questions. Short: it holds one of few reader connections."""

    def execute(self, statement: Executable, parameters: Parameters = None) -> CursorResult[Any]:
        """Run one SQLAlchemy Core statement."""
        ...

    def body(self, object_id: str, version: int) -> bytes | None:
        """The exact bytes stored under (object_id, version), or None when absent or forgotten."""
        ...

    def bodies(self, keys: Sequence[tuple[str, int]]) -> list[bytes | None]:
        """The same for many, in the order of `keys`."""
        ...

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement written by hand, with `?` for each value; moments are whole microseconds.

        For the few questions that run for every entry. Everything else goes through `execute`.
        """
        ...

    def cursor(self, reader: str) -> int:
        """The last journal number that `reader` has dealt with; 0 at first."""
        ...


class Transaction(Reading, Protocol):
    """One verb's changes. Only the thread that opened it may use it, and it does not open another inside.

    From its first look at a table, body or cursor until its end no other verb of this node is between
    loading and recording. A statement that failed spoils the whole: who swallows the error gets a
    `Conflict` at the end, and nothing is stored.
    """

    def append(self, *facts: Fact) -> None:
        """Record facts. They get their numbers when the transaction commits."""
        ...

    def put_body(self, object_id: str, version: int, body: bytes) -> None:
        """Keep the bytes of an object version; the same bytes twice is fine, other bytes are a `Conflict`."""
        ...

    def put_bodies(self, bodies: Sequence[tuple[str, int, bytes]]) -> None:
        """The same for many: (object_id, version, bytes)."""
        ...

    def forget_bodies(self, keys: Sequence[tuple[str, int]]) -> None:
        """Destroy what is stored under these: once the transaction has committed, nobody can read it again.

        Each body is sealed under a key of its own in a file beside the database, and that key is overwritten. So
        what a log, replica or backup of the database still holds of the body cannot be read either.
        """
        ...

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one changing statement written by hand for each row, with `?` for each value."""
        ...

    def move_cursor(self, reader: str, number: int) -> None:
        """Store how far `reader` has come, with whatever it did on the way. Never backwards."""
        ...


class Store(Protocol):
    """A node's memory."""

    def migrate(self, owner: str, migrations: Path) -> None:
        """Bring the tables of `owner` (a capability) to the newest revision found in `migrations`."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction. Leaving normally commits durably; an exception rolls back.

        Raises `Unavailable` when the disk is full or the database is away; then nothing is stored. (A server
        that goes away in the very moment of the commit may have stored it all the same.)
        """
        ...

    def reading(self) -> AbstractContextManager[Reading]:
        """Open a read-only view of what is committed."""
        ...

    def read(self, after: int, limit: int = 500, kinds: Collection[str] | None = None) -> Sequence[Recorded]:
        """Journal entries with a number greater than `after`, in order, at most `limit`, and at most 10,000.

        With `kinds`, only those, and `limit` counts what matches: a page that is not full has looked at all
        that was there. So a reader of rare kinds may move its cursor to the head it saw before reading.
        """
        ...

    def head(self) -> int:
        """The newest journal number; 0 when empty. On PostgreSQL it may follow a commit by some milliseconds."""
        ...

    def wait(self, after: int, timeout_s: float) -> int:
        """Block until the head is beyond `after` or time is up; answers the head."""
        ...

    def scrub(self) -> bool:
        """Fold away what the database's log still holds of rows that are gone; False while a reader needs it."""
        ...

    def close(self) -> None:
        """Finish what is under way and let go of files and connections. Wakes everyone who waits."""
        ...
