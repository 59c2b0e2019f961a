"""Opening a node's SQLite file: the same settings for every connection, and a check after a crash."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
from pathlib import Path

from port2port.core.errors import Unavailable

BUSY_TIMEOUT_S = 10.0
"""How long one process waits for another that writes to the same file."""

WAL_LIMIT_BYTES = 16 * 1024 * 1024
"""The write-ahead log is folded into the file and cut back at this size."""

LEAST_SQLITE = (3, 37, 0)
"""STRICT tables."""


class DatabaseFile:
    """One file on disk and the lock that tells a first opener from a second."""

    def __init__(self, path: Path) -> None:
        assert sqlite3.sqlite_version_info >= LEAST_SQLITE, f"SQLite {sqlite3.sqlite_version} is too old"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.wal = Path(f"{path}-wal")
        self._lock = os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._check_after_crash()

    def connect(self, *, synchronous: str = "FULL", readonly: bool = False) -> sqlite3.Connection:
        """A connection that any thread may use, one at a time."""
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        for setting in (
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            f"journal_size_limit = {WAL_LIMIT_BYTES}",
            "secure_delete = ON",
            "foreign_keys = ON",
            f"query_only = {'ON' if readonly else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
        return connection

    def close(self) -> None:
        os.close(self._lock)

    def _check_after_crash(self) -> None:
        """Only the first process to open the file checks it, and only when the last one did not close it."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            return
        if self.wal.exists() and self.wal.stat().st_size:
            quick_check(self.path)
        fcntl.flock(self._lock, fcntl.LOCK_SH)


def quick_check(path: Path) -> None:
    """Refuse a damaged file with what to do next."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
    try:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    finally:
        connection.close()
    if found != ["ok"]:
        raise Unavailable(
            f"The database {path.name} is damaged: {'; '.join(found)}.",
            hint="Keep a copy of the file, then restore the newest backup.",
        )


def memory_folder() -> Path:
    """A folder in memory where the system has one, for a database that nobody keeps."""
    shm = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder in it
    return Path(tempfile.mkdtemp(prefix="port2port-", dir=shm if os.access(shm, os.W_OK) else None))
