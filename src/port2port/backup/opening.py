"""Reads an archive: every byte is held against the hashes, and nothing is written that was not asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from port2port.backup import archive, limits, tar
from port2port.backup.database import check_database
from port2port.backup.folder import require_room
from port2port.backup.manifest import DATABASE, MANIFEST, Header, Manifest, Part, damaged, decode_manifest
from port2port.backup.tar import Readable
from port2port.core.errors import NotFound, Unavailable

AskPassphrase = Callable[[], str]
"""Called only for an archive that is encrypted."""


@dataclass(frozen=True)
class Wanted:
    """Which files of an archive to write, and where; None: all."""

    folder: Path
    only: Collection[str] | None = None

    def wants(self, path: str) -> bool:
        return self.only is None or path in self.only


def extract(path: Path, ask: AskPassphrase, wanted: Wanted) -> Manifest:
    """Check the whole archive and write what is wanted into an empty folder of ours.

    Raises `BadInput` for whatever is wrong with it, `NotFound`, and `Unavailable` when the disk is too small.
    """
    try:
        with path.open("rb") as file:
            header, said = archive.read_header(file)
            passphrase = ask() if header.salt else ""
            with archive.reading(file, header, said, passphrase) as source:
                return _extract(source, header, path.stat().st_size, wanted)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except OSError as error:
        raise Unavailable(
            f"The archive was not read: {error.strerror or error}.", hint="Nothing was changed."
        ) from error


def check(path: Path, ask: AskPassphrase, work: Path) -> Manifest:
    """Read an archive back: all hashes, and the database's own check. Keys are not written anywhere."""
    manifest = extract(path, ask, Wanted(work, {DATABASE}))
    if Part.DATABASE in manifest.parts:
        check_database(work / DATABASE)
    return manifest


def _extract(source: Readable, header: Header, archive_bytes: int, wanted: Wanted) -> Manifest:
    manifest = _manifest(source, header)
    size = manifest.bytes_in_all()
    if size > archive_bytes * limits.MAX_RATIO + limits.FREE_GROWTH_BYTES:
        raise damaged("it would grow out of all proportion")
    require_room(wanted.folder, sum(each.size for each in manifest.files if wanted.wants(each.path)))
    for line in manifest.files:
        if tar.begin(source) != (line.path, line.size):
            raise damaged("its files are not those of its list")
        digest = hashlib.sha256()
        with ExitStack() as stack:
            out = stack.enter_context(_new(wanted.folder, line.path)) if wanted.wants(line.path) else None
            tar.copy(source, line.size, lambda data, out=out, digest=digest: _take(data, digest.update, out))  # type: ignore[misc]
        tar.finish(source, line.size)
        if digest.hexdigest() != line.sha256:
            raise damaged(f"{line.path} is not what it was")
    tar.end(source)
    return manifest


def _manifest(source: Readable, header: Header) -> Manifest:
    name, size = tar.begin(source)
    if name != MANIFEST or size > limits.MAX_MANIFEST_BYTES:
        raise damaged("it does not begin with a list of its files")
    data = tar.exactly(source, size)
    tar.finish(source, size)
    return decode_manifest(data, header)


def _take(data: bytes, digest: Callable[[bytes], None], out: IO[bytes] | None) -> None:
    digest(data)
    if out is not None:
        out.write(data)


def _new(folder: Path, path: str) -> IO[bytes]:
    """A new file, never one through a link: the folder is ours, and holds only what came before."""
    target = folder / path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
