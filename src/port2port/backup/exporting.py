"""Everything of a node in open formats, while it runs: JSON lines, with a README and SHA-256 of each file."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import text

from port2port.backup.choosing import SECRET_COLUMNS, SECRET_TABLES, WRITTEN_APART, Choice
from port2port.backup.destroying import SECRET_NAMES
from port2port.backup.folder import DataOf, other_files
from port2port.backup.limits import MAX_EXPORT_BATCH
from port2port.backup.readme import README
from port2port.core.errors import Conflict, Unavailable
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.fact import Recorded, Unknown
from port2port.store import Reading, Store
from port2port.store.folder import sync_folder

_KINDS = {ObjectOffered.kind(), ObjectArrived.kind()}
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
_UNEXAMINED = (
    "SELECT body_id, body_version FROM sharing_taxii_pack WHERE body_id LIKE 'taxii.%'"
    " UNION SELECT body_id, version FROM sharing_misp_event WHERE body_id <> ''"
)
_FOLDERS = ("tables", "files")


@dataclass(frozen=True)
class Written:
    """An export that is on disk."""

    objects: int
    files: int


def export_everything(data: DataOf, store: Store, folder: Path, now: datetime, include_named: bool) -> Written:
    """Write all into a new folder, which appears whole or not at all.

    Raises `Conflict` when it is not empty, `Unavailable` when the disk is full.
    """
    target = folder.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{folder} is not empty.", hint="Name a new folder.")
    stage = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(mkdtemp(prefix=f".{target.name}.writing-", dir=target.parent))
        written = _Export(data, store, stage, now, include_named).write()
        if target.exists():
            target.rmdir()
        os.rename(stage, target)
        sync_folder(target.parent)
    except OSError as error:
        raise Unavailable(f"Nothing was exported: {error.strerror or error}.", hint="Is the disk full?") from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
    return written


class _Export:
    """One run into a folder of its own."""

    def __init__(self, data: DataOf, store: Store, folder: Path, now: datetime, include_named: bool) -> None:
        self._data, self._store, self._folder, self._now = data, store, folder, now
        self._choice = Choice(now, include_named)
        self._last = store.head()
        self._objects = 0

    def write(self) -> Written:
        for each in _FOLDERS:
            (self._folder / each).mkdir(mode=0o700)
        with self._store.reading() as view:
            self._choice.learn(view)
            self._write_objects(view)
            if self._choice.include_named:
                self._write_unexamined(view)
            for (table,) in view.rows(_TABLES):
                if table not in SECRET_TABLES | WRITTEN_APART and not table.endswith("_fts"):
                    self._write_table(view, table)
        self._write_journal()
        self._copy_files()
        (self._folder / "README.md").write_text(README.format(name=self._data.name, at=self._now), encoding="utf-8")
        return Written(self._objects, self._write_manifest())

    def _write_objects(self, view: Reading) -> None:
        with self._open("objects.jsonl") as out:
            for page in self._pages(_KINDS):
                wanted = [each for each in page if self._takes(each)]
                bodies = view.bodies([(each.fact.object_id, each.fact.version) for each in wanted])  # type: ignore[union-attr]
                for each, body in zip(wanted, bodies, strict=True):
                    if body is not None:
                        out.write(self._object_line(each, body))
                        self._objects += 1

    def _takes(self, entry: Recorded) -> bool:
        fact = entry.fact
        if not isinstance(fact, ObjectOffered | ObjectArrived):
            return False
        return self._choice.takes_object(fact.object_id, fact.handling) and self._choice.takes_entry(fact.object_id)

    def _object_line(self, entry: Recorded, body: bytes) -> bytes:
        fact = entry.fact
        assert isinstance(fact, ObjectOffered | ObjectArrived)
        own = isinstance(fact, ObjectOffered)
        line = {
            "object_id": fact.object_id,
            "version": fact.version,
            "kind": fact.object_kind,
            "received": not own,
            "origin": fact.handling.origin,
            "origin_name": self._data.name if isinstance(fact, ObjectOffered) else fact.origin_name,
            "at": fact.at,
            "handling": fact.handling,
            "sha256": hashlib.sha256(body).hexdigest(),
            "bundle": msgspec.Raw(body.replace(b"\r", b" ").replace(b"\n", b" ")),
        }
        return msgspec.json.encode(line) + b"\n"

    def _write_unexamined(self, view: Reading) -> None:
        keys = [(str(body_id), int(number)) for body_id, number in view.rows(_UNEXAMINED)]
        with self._open("unexamined.jsonl") as out:
            for at in range(0, len(keys), MAX_EXPORT_BATCH):
                some = keys[at : at + MAX_EXPORT_BATCH]
                for (body_id, number), body in zip(some, view.bodies(some), strict=True):
                    if body is not None:
                        line = {"id": body_id, "version": number, "content": body.decode(errors="replace")}
                        out.write(msgspec.json.encode(line) + b"\n")

    def _write_table(self, view: Reading, table: str) -> None:
        result = view.execute(text(f'SELECT * FROM "{table}"'))  # noqa: S608 - a name out of the schema
        names = list(result.keys())
        with self._open(f"tables/{table}.jsonl") as out:
            for rows in result.partitions(MAX_EXPORT_BATCH):
                for row in rows:
                    shown = {name: _plain(name, value) for name, value in zip(names, row, strict=True)}
                    if self._choice.takes_row(shown):
                        out.write(msgspec.json.encode(shown) + b"\n")

    def _write_journal(self) -> None:
        with self._open("journal.jsonl") as out:
            for page in self._pages(None):
                for each in page:
                    told = (
                        _json_or(each.fact.data) if isinstance(each.fact, Unknown) else msgspec.to_builtins(each.fact)
                    )
                    if self._choice.takes_entry(told):
                        line = {"number": each.number, "recorded_at": each.at, "kind": each.kind, "fact": told}
                        out.write(msgspec.json.encode(line) + b"\n")

    def _pages(self, kinds: set[str] | None) -> Iterator[list[Recorded]]:
        """The journal up to where it was when this began."""
        after = 0
        while page := [e for e in self._store.read(after, MAX_EXPORT_BATCH, kinds) if e.number <= self._last]:
            yield page
            after = page[-1].number

    def _copy_files(self) -> None:
        for each in other_files(self._data.folder):
            if not any(fnmatch(Path(each).name, pattern) for pattern in SECRET_NAMES):
                target = self._folder / "files" / each
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._data.folder / each, target)

    def _write_manifest(self) -> int:
        paths = sorted(each for each in self._folder.rglob("*") if each.is_file())
        files = {str(each.relative_to(self._folder)): _digest(each) for each in paths}
        said = {
            "made_by": f"Port2Port {version('port2port')}",
            "organisation": self._data.name,
            "node": self._data.node_id,
            "at": self._now,
            "objects": self._objects,
            "named_readers_included": self._choice.include_named,
            "sha256": files,
        }
        (self._folder / "manifest.json").write_bytes(msgspec.json.format(msgspec.json.encode(said), indent=1))
        return len(files) + 1

    def _open(self, name: str) -> BinaryIO:
        return (self._folder / name).open("wb")


def _plain(name: str, value: Any) -> Any:
    """A column's value as JSON has it: text that is JSON is taken apart, other bytes are hexadecimal."""
    if name in SECRET_COLUMNS:
        return None
    if isinstance(value, str):
        return _json_or(value.encode()) if value[:1] in ("{", "[") else value
    if isinstance(value, bytes):
        return _json_or(value) if value[:1] in (b"{", b"[") else value.hex()
    return value


def _json_or(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return data.decode(errors="backslashreplace")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
