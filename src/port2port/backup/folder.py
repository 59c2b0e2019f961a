"""A node's data folder: who it belongs to, what is in it, whether somebody uses it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from port2port.backup.archive import PLAIN, SEALED
from port2port.backup.limits import SPARE_BYTES
from port2port.backup.manifest import DATABASE, KEYS, require_inside
from port2port.config import NodeSettings, load
from port2port.core.errors import BadInput, Conflict, NotFound, Unavailable
from port2port.node import sections
from port2port.store.identity import FILE_NAME as IDENTITY
from port2port.store.identity import load_or_create

LOCK = f"{DATABASE}-lock"
WORK = ".backup-"
_NOT_KEPT = {DATABASE, KEYS, "node.log"}
_LEFT_OUT = (PLAIN, SEALED, ".part", "-wal", "-shm", "-lock", ".lock", ".sock")


@dataclass(frozen=True)
class DataOf:
    """A node's folder, with what its settings say."""

    folder: Path
    node_id: str
    name: str
    short_name: str
    outside: tuple[str, ...]
    """Files named in the settings that stand elsewhere."""

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def keys(self) -> Path:
        return self.folder / KEYS


def data_of(folder: Path) -> DataOf:
    """Look at a folder without making anything in it. Raises `NotFound`, and `BadInput` for a database elsewhere."""
    if not (folder / IDENTITY).is_file() or not (folder / DATABASE).is_file():
        require_own_database(folder)
        raise NotFound(f"There is no node in {folder}.", hint="Name its folder: port2port --data FOLDER …")
    require_own_database(folder)
    settings = load(folder, sections())
    own = settings.section("node", NodeSettings)
    values = [settings.explain(key).value for key in settings.all_keys()]
    outside = [each for each in values if isinstance(each, str) and _is_elsewhere(each, folder)]
    return DataOf(folder, load_or_create(folder).node_id, own.name, own.short_name, tuple(sorted(outside)))


def require_own_database(folder: Path) -> None:
    """Raises `BadInput` when the database is not `node.db` in the folder."""
    store = load(folder, sections()).section("node", NodeSettings).store if folder.is_dir() else ""
    if store and Path(store.removeprefix("sqlite:///")) != folder.absolute() / DATABASE:
        kind = "PostgreSQL" if store.startswith("postgresql:") else "a database elsewhere"
        raise BadInput(
            f"This node keeps its data in {kind}, which these commands do not cover.",
            hint="First dump that database with its own tools (pg_dump), then copy the whole data folder: the keys in "
            f"{KEYS} must be copied last. Without that file nothing shared can be read.",
        )


def _is_elsewhere(text: str, folder: Path) -> bool:
    path = Path(text)
    return path.is_absolute() and path.is_file() and not path.is_relative_to(folder.absolute())


def other_files(folder: Path) -> list[str]:
    """All files but the database and its keys, as relative paths: settings, identity, certificates, zones."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith(WORK))
        paths = [Path(parent, each) for each in files if not each.startswith(WORK) and not each.endswith(_LEFT_OUT)]
        found += [str(each.relative_to(folder)) for each in paths if each.is_file()]
    kept = sorted(each for each in found if each not in _NOT_KEPT)
    for each in kept:
        require_inside(each)
    return kept


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """A place for copies that only we can read, emptied whatever happens; one command at a time."""
    lock = os.open(folder / f"{WORK}lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("A backup of this node is being made already.", hint="Wait until it is done.") from None
        for left in folder.glob(f"{WORK}*/"):
            shutil.rmtree(left, ignore_errors=True)
        place = Path(mkdtemp(prefix=WORK, dir=folder))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(lock)


@contextmanager
def not_running(folder: Path) -> Iterator[None]:
    """As long as this holds, no node can use the folder. Raises `Conflict` when one does."""
    path = folder / LOCK
    if not path.exists():
        yield
        return
    lock = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict(f"The node in {folder} is running.", hint="Stop it first. Nothing was changed.") from None
    finally:
        os.close(lock)


def require_room(folder: Path, needed_bytes: int) -> None:
    """Raises `Unavailable` when a disk has too little room."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        missing = (needed_bytes + SPARE_BYTES - free) // 2**20 + 1
        raise Unavailable(f"The disk of {folder} has too little room.", hint=f"Make room for {missing:,} MiB more.")
