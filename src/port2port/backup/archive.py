"""An archive file: a header in the clear, then a tar compressed by zstd, the latter under a passphrase if one is given.

The header is a skippable frame (RFC 8878, 3.1.2), so an archive that is not encrypted is what its name says:
`tar --zstd` opens it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from port2port.backup import sealing, tar
from port2port.backup.limits import MAX_HEADER_BYTES, STEP_BYTES
from port2port.backup.manifest import Header, damaged, decode_header
from port2port.backup.sealing import Opening, Sealing
from port2port.backup.tar import Readable, Writable
from port2port.core.errors import BadInput

try:
    from compression import zstd  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # before Python 3.14
    from backports import zstd

PLAIN, SEALED = ".tar.zst", ".p2pbackup"
LEVEL = 3
_SKIPPABLE = (0x184D2A50).to_bytes(4, "little")


@contextmanager
def writing(file: IO[bytes], header: Header, passphrase: str) -> Iterator[Writable]:
    """What is written into this becomes the tar. The file stays open."""
    said = msgspec.json.encode(header)
    file.write(_SKIPPABLE + len(said).to_bytes(4, "little") + said)
    if not header.salt:
        with zstd.ZstdFile(file, "wb", level=LEVEL) as packed:
            yield packed
        return
    sealed = Sealing(file, sealing.key_from(passphrase, bytes.fromhex(header.salt)), said)  # type: ignore[arg-type]
    with zstd.ZstdFile(_as_file(sealed), "wb", level=LEVEL) as packed:
        yield packed
    sealed.close()


def read_header(file: IO[bytes]) -> tuple[Header, bytes]:
    """The header, and its exact bytes. Raises `BadInput` for what is no archive of ours."""
    start = file.read(8)
    size = int.from_bytes(start[4:], "little")
    if start[:4] != _SKIPPABLE or len(start) < 8 or size > MAX_HEADER_BYTES:
        raise BadInput("This is no backup of Port2Port.", hint="Nothing was changed. Take another file.")
    said = tar.exactly(file, size)
    return decode_header(said), said


@contextmanager
def reading(file: IO[bytes], header: Header, said: bytes, passphrase: str) -> Iterator[Readable]:
    """The tar inside, after `read_header`. Raises `BadInput`, also while it is read."""
    source: Any = file
    if header.salt:
        source = Opening(file, sealing.key_from(passphrase, bytes.fromhex(header.salt)), said)  # type: ignore[arg-type]
    try:
        with zstd.ZstdFile(_as_file(source), "rb") as packed:
            yield packed
    except (zstd.ZstdError, EOFError) as error:
        raise damaged("it is damaged or cut off") from error


def header_of(path: Path) -> Header | None:
    """Of a file that may be anything."""
    try:
        with path.open("rb") as file:
            return read_header(file)[0]
    except (OSError, BadInput):
        return None


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole under its name or not at all, readable by its owner alone."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=STEP_BYTES) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)  # a link would not do: backup disks often know none
    finally:
        part.unlink(missing_ok=True)


class _as_file:
    """As much of a file as the zstd module asks for."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        return bytes(self._inner.read(size))

    def write(self, data: bytes) -> int:
        return int(self._inner.write(bytes(data)))

    def flush(self) -> None:
        pass
