"""A consistent copy of a node's database while the node writes to it, by SQLite's backup interface.

One reading transaction is held open for the whole copy: every step sees the same moment, writers go on, and the copy
cannot be made to begin again by them. The price is that the write-ahead log grows until the copy is done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from port2port.backup.manifest import KEYS, damaged
from port2port.core.errors import Port2PortError, Unavailable
from port2port.node import CAPABILITIES
from port2port.store import migration
from port2port.store.keys import Keys
from port2port.store.sqlite import hot
from port2port.store.sqlite.file import quick_check
from port2port.web.surface import FOLDER as WEB

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""
PAGES_A_STEP = 1024
BUSY_S = 30.0


def copy_database(source: Path, target: Path, progress: Progress) -> None:
    """Copy what is committed now. Raises `Unavailable` when the disk is full or the source cannot be read."""

    def step(_: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    try:
        with closing(_connect(source)) as found, closing(sqlite3.connect(target)) as made:
            found.execute("BEGIN")
            found.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            found.backup(made, pages=PAGES_A_STEP, progress=step)
    except sqlite3.Error as error:
        raise Unavailable(f"The database cannot be copied: {error}.", hint="Is the disk full?") from error


def check_database(path: Path) -> None:
    """Raises `BadInput` for a copy that is damaged, or that a newer version wrote."""
    try:
        quick_check(path)
        with _rows(path) as rows:
            _check_revisions(rows)
    except sqlite3.Error as error:
        raise damaged("its database is damaged") from error
    except Unavailable as error:
        raise damaged("its database is damaged") from error


def _check_revisions(database: sqlite3.Connection) -> None:
    for owner, folder in _owners().items():
        table = migration.version_table(owner)
        if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone():
            continue
        query = f"SELECT version_num FROM {table}"  # noqa: S608 - the name of a capability of ours
        (revision,) = database.execute(query).fetchone() or (None,)
        if revision not in migration.known_revisions(folder):
            raise Port2PortError(
                "This archive was made by a newer version of Port2Port.",
                hint="Nothing was changed. Install that version.",
            )


def _owners() -> dict[str, Path]:
    folders = {each.name: each.folder / "migrations" for each in CAPABILITIES}
    return {"store": migration.STORE_MIGRATIONS, "web": WEB / "migrations", **folders}


def destroy_orphans(folder: Path) -> int:
    """Destroy the keys of bodies that this database does not hold: they belong to what other copies of it know."""
    keys = Keys(folder / KEYS)
    try:
        with _rows(folder / "node.db") as rows:
            return keys.sweep(partial(hot.numbers, rows))
    finally:
        keys.close()


@contextmanager
def _rows(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S, isolation_level=None)
