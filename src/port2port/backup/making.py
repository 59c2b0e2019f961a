"""Makes an archive of a node while it runs.

First the database, then the keys of bodies: so no body in the copy lacks its key, and a key destroyed between the two
stays destroyed. Keys never touch the disk on their way: what is erased later must not be found in a deleted file.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

import msgspec

from port2port.backup import archive, limits, sealing, tar
from port2port.backup.database import Progress, copy_database
from port2port.backup.folder import DataOf, other_files, require_room, work_folder
from port2port.backup.manifest import DATABASE, KEYS, MANIFEST, FileLine, Header, Manifest, Part
from port2port.core.errors import BadInput, Conflict, Unavailable
from port2port.store.identity import FILE_NAME, FIRST_NAME, NEXT_NAME

BOTH = (Part.DATABASE, Part.KEYS)


@dataclass(frozen=True)
class Made:
    """An archive that is on disk."""

    path: Path
    size_bytes: int
    parts: tuple[Part, ...]
    files: int


def make(
    data: DataOf, target: Path, parts: tuple[Part, ...], passphrase: str, now: datetime, progress: Progress
) -> Made:
    """Write an archive into `target`, a folder, or under that name. Empty `passphrase`: not encrypted.

    Raises `Conflict` when the file exists, `Unavailable` when a disk is full.
    """
    require_passphrase(passphrase)
    salt = secrets.token_hex(sealing.SALT_BYTES) if passphrase else ""
    header = Header(format=limits.FORMAT, node=data.node_id, created=now, parts=list(parts), salt=salt)
    path = _path(data, target, header)
    if path.exists():
        raise Conflict(f"{path} exists already.", hint="Name another file, or the folder alone.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with work_folder(data.folder) as work:
            files = _write(data, path, header, passphrase, work, progress)
    except OSError as error:
        raise Unavailable(
            f"The backup was not made: {error.strerror or error}.", hint="Nothing was changed."
        ) from error
    return Made(path, path.stat().st_size, parts, files)


def require_passphrase(passphrase: str) -> None:
    """Raises `BadInput` for one that can be guessed."""
    if passphrase and len(passphrase) < limits.LEAST_PASSPHRASE_CHARS:
        raise BadInput(
            f"A passphrase has at least {limits.LEAST_PASSPHRASE_CHARS} characters.", hint="Take a sentence."
        )


def _path(data: DataOf, target: Path, header: Header) -> Path:
    if not target.is_dir() and target.name.endswith((archive.PLAIN, archive.SEALED)):
        return target
    short = re.sub(r"[^a-z0-9]+", "-", data.short_name.lower()).strip("-") or "node"
    what = {BOTH: "", (Part.KEYS,): "-keys"}.get(tuple(header.parts), "-without-keys")
    suffix = archive.SEALED if header.salt else archive.PLAIN
    return target / f"{short}{what}-{header.created:%Y%m%dT%H%M%SZ}{suffix}"


def _write(data: DataOf, path: Path, header: Header, passphrase: str, work: Path, progress: Progress) -> int:
    with_database = Part.DATABASE in header.parts
    if with_database:
        require_room(data.folder, data.database.stat().st_size)
        copy_database(data.database, work / DATABASE, progress)
    keys = data.keys.read_bytes() if Part.KEYS in header.parts else None
    others = _read_others(data.folder) if with_database else {}
    held = {**others, **({KEYS: keys} if keys is not None else {})}
    lines = [FileLine(DATABASE, *_measure(work / DATABASE))] if with_database else []
    lines += [FileLine(name, len(content), hashlib.sha256(content).hexdigest()) for name, content in held.items()]
    manifest = Manifest(
        format=limits.FORMAT,
        version=version("port2port"),
        node=data.node_id,
        name=data.name,
        created=header.created,
        parts=header.parts,
        files=lines,
    )
    require_room(path.parent, manifest.bytes_in_all())
    with archive.new_file(path) as file, archive.writing(file, header, passphrase) as out:
        for name, size, source in _sources(manifest, held, work):
            tar.put(out, name, size, source, header.created)
        out.write(tar.END)
    return len(lines)


def _read_others(folder: Path) -> dict[str, bytes]:
    """All other files, read again when the identity was being changed: half of an old and half of a new one is none."""
    while True:
        found = {}
        for each in other_files(folder):
            with suppress(FileNotFoundError):  # it was on its way to another name
                found[each] = (folder / each).read_bytes()
        identity = {each: found.get(each) for each in (FILE_NAME, FIRST_NAME, NEXT_NAME)}
        if identity == {each: _content(folder / each) for each in identity}:
            return found


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _sources(manifest: Manifest, held: dict[str, bytes], work: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    said = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    yield MANIFEST, len(said), io.BytesIO(said)
    for each in manifest.files:
        if each.path in held:
            yield each.path, each.size, io.BytesIO(held[each.path])
        else:
            with (work / each.path).open("rb") as file:
                yield each.path, each.size, file


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return os.fstat(file.fileno()).st_size, digest
