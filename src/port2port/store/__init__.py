"""A node's memory: transaction, journal, cursors, migrations. Memory, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from port2port.core.clock import Clock, system_clock
from port2port.core.errors import BadInput
from port2port.core.fact import Fact
from port2port.store.api import Reading, Store, Transaction

__all__ = ["Reading", "Store", "Transaction", "open_store"]


def open_store(
    url: str, fact_types: Iterable[type[Fact]], clock: Clock = system_clock, keys: Path | None = None
) -> Store:
    """Open, and make if need be, the store at `memory://`, `sqlite:///PATH` or `postgresql://...`.

    `keys`: the file with the keys of bodies. A store on a server must be told; else it stands beside the database.
    `fact_types`: what the journal may hold here; other kinds are read as `Unknown`.
    """
    if url == "memory://":
        from port2port.store.sqlite import SqliteStore

        return SqliteStore(None, fact_types, clock)
    if url.startswith("sqlite:///"):
        from port2port.store.sqlite import SqliteStore

        return SqliteStore(Path(url.removeprefix("sqlite:///")), fact_types, clock, keys=keys)
    if url.startswith("postgresql://"):
        if keys is None:
            raise BadInput("A store on a database server needs a file of its own for keys.")
        return _open_postgres(url, fact_types, keys, clock)
    raise BadInput(f"{url!r} is not a store.", hint="Use sqlite:///PATH, postgresql://... or memory://.")


def _open_postgres(url: str, fact_types: Iterable[type[Fact]], keys: Path, clock: Clock) -> Store:
    try:
        import psycopg  # noqa: F401 - only to say kindly that it is missing
    except ImportError as error:
        hint = "Install it with: pip install 'port2port[postgres]'"
        raise BadInput("The PostgreSQL driver is not installed.", hint=hint) from error
    from port2port.store.postgres import PostgresStore

    return PostgresStore(url, fact_types, keys, clock)
