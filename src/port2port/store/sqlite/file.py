"""Opening a node's SQLite file: the same settings for every connection, and a check after a crash."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

from port2port.core.errors import Unavailable
from port2port.store.folder import sync_folder

BUSY_TIMEOUT_S = 10.0
"""How long one process waits for another that writes to the same file."""

WAL_LIMIT_BYTES = 16 * 1024 * 1024
"""The write-ahead log is folded into the file and cut back at this size."""

FOLD_AFTER_PAGES = 3_000
"""SQLite folds its log into the file after so many pages (12 MB): the same page is written once for many commits."""

LEAST_SQLITE = (3, 37, 0)
"""STRICT tables."""


class DatabaseFile:
    """One file on disk and the lock that tells a first opener from a second."""

    def __init__(self, path: Path) -> None:
        assert sqlite3.sqlite_version_info >= LEAST_SQLITE, f"SQLite {sqlite3.sqlite_version} is too old"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.wal = Path(f"{path}-wal")
        self.after_crash = False
        """Whether the last process to use the file did not close it."""
        self._lock = os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._check_after_crash()
        except BaseException:
            self.close()
            raise
        if not path.exists():
            _create(path)

    def connect(self, *, synchronous: str = "FULL") -> sqlite3.Connection:
        """A connection that any thread may use, one at a time."""
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        for setting in (
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            f"journal_size_limit = {WAL_LIMIT_BYTES}",
            f"wal_autocheckpoint = {FOLD_AFTER_PAGES}",
            "secure_delete = ON",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
        return connection

    def wal_bytes(self) -> int:
        """Size of the write-ahead log."""
        return self.wal.stat().st_size if self.wal.exists() else 0

    def close(self) -> None:
        """Let go of the lock."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def _check_after_crash(self) -> None:
        """Only the first process to open the file checks it, and only when the last one did not close it."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            return
        self.after_crash = self.wal_bytes() > 0
        if self.after_crash:
            quick_check(self.path)
        fcntl.flock(self._lock, fcntl.LOCK_SH)


def _create(path: Path) -> None:
    """An empty file that its owner alone can read; SQLite gives its log the same rights."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    sync_folder(path.parent)


def cut_wal(connection: sqlite3.Connection) -> bool:
    """Fold the log into the file and empty it, unless a reader still needs it: then False, at once."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # what stands in the log is committed all the same
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    return not busy


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
