"""Makes a node's folder out of archives. All of it is read and checked beside the place where it will stand.

What the node said after the backup is not lost: at its next start it asks partners for it before it says anything new
(`sharing/restore.py`), and never uses a number twice.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from port2port.backup.database import check_database, destroy_orphans
from port2port.backup.folder import not_running, require_own_database
from port2port.backup.manifest import DATABASE, KEYS, Manifest, Part, damaged
from port2port.backup.opening import AskPassphrase, Wanted, extract
from port2port.core.errors import BadInput, Conflict, Port2PortError, Unavailable
from port2port.core.party import SYSTEM_ACCOUNT
from port2port.store import open_store
from port2port.store.folder import sync_folder
from port2port.store.identity import FILE_NAME, load_or_create
from port2port.web.facts import FACTS, NodeRestored


@dataclass(frozen=True)
class Restored:
    """What stands in the folder now."""

    folder: Path
    name: str
    backup_of: datetime
    keys_of: datetime | None
    aside: Path | None
    """Where the folder that stood there before is kept."""


@dataclass(frozen=True)
class Order:
    """What to restore, and where."""

    archive: Path
    folder: Path
    keys: Path | None = None
    """A newer archive with keys: it wins over those in `archive`."""
    without_keys: bool = False
    replace: bool = False


def restore(order: Order, ask: AskPassphrase, now: datetime) -> Restored:
    """Raises `Conflict` for a folder that is in use, `BadInput` for a bad archive; then nothing has changed."""
    target = order.folder.absolute()
    occupied = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if occupied and not order.replace:
        raise Conflict(
            f"{order.folder} is not empty.", hint="Name a new folder, or say --replace: the old one is kept."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(mkdtemp(prefix=f".{target.name}.restoring-", dir=target.parent))
    try:
        manifest, keys_of = _fill(order, ask, stage)
        _record(stage, manifest, keys_of, now)
        aside = _put_in_place(stage, target, occupied, now)
    except OSError as error:
        raise Unavailable(f"Nothing was restored: {error.strerror or error}.", hint="Nothing was changed.") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return Restored(order.folder, manifest.name, manifest.created, keys_of, aside)


def _fill(order: Order, ask: AskPassphrase, stage: Path) -> tuple[Manifest, datetime | None]:
    manifest = extract(order.archive, ask, Wanted(stage))
    if Part.DATABASE not in manifest.parts:
        raise BadInput(
            f"{order.archive} holds keys alone.", hint="Name the database's archive, and this one with --keys."
        )
    keys_of = manifest.created if Part.KEYS in manifest.parts else None
    if order.keys is not None:
        keys_of = _take_keys(order.keys, ask, stage, manifest)
    elif keys_of is None and not order.without_keys:
        hint = "Name the newest archive of keys with --keys. With --without-keys all shared content stays unreadable."
        raise BadInput(f"{order.archive} holds no keys.", hint=hint)
    _check(stage, manifest)
    return manifest, keys_of


def _take_keys(path: Path, ask: AskPassphrase, stage: Path, manifest: Manifest) -> datetime:
    place = stage / ".keys"
    place.mkdir(mode=0o700)
    found = extract(path, ask, Wanted(place, {KEYS}))
    if Part.KEYS not in found.parts or found.node != manifest.node:
        raise BadInput(
            f"{path} does not hold the keys of this node.", hint="Nothing was changed. Take another archive."
        )
    os.replace(place / KEYS, stage / KEYS)
    place.rmdir()
    return found.created


def _check(stage: Path, manifest: Manifest) -> None:
    check_database(stage / DATABASE)
    if not (stage / FILE_NAME).is_file():
        raise damaged("it holds no identity")
    try:
        owner = load_or_create(stage).node_id
        require_own_database(stage)
    except Port2PortError as error:
        raise damaged("its identity or settings cannot be used") from error
    if owner != manifest.node:
        raise damaged("its identity is another node's")
    destroy_orphans(stage)


def _record(stage: Path, manifest: Manifest, keys_of: datetime | None, now: datetime) -> None:
    store = open_store(f"sqlite:///{stage / DATABASE}", FACTS, keys=stage / KEYS)
    try:
        with store.transaction() as tx:
            fact = NodeRestored(at=now, backup_of=manifest.created, keys_of=keys_of, account=SYSTEM_ACCOUNT)
            tx.append(fact)
    finally:
        store.close()
    for path in stage.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _put_in_place(stage: Path, target: Path, occupied: bool, now: datetime) -> Path | None:
    aside = target.with_name(f"{target.name}.before-{now:%Y%m%dT%H%M%SZ}") if occupied else None
    with ExitStack() as stack:
        if aside is not None:
            stack.enter_context(not_running(target))
            os.rename(target, aside)
        elif target.exists():
            target.rmdir()
        try:
            os.rename(stage, target)
        except OSError:
            if aside is not None:
                os.rename(aside, target)
            raise
    sync_folder(target.parent)
    return aside
