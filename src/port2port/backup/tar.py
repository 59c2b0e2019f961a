"""The few lines of tar (POSIX.1-2017, pax: ustar) that an archive of ours uses: plain files, one after the other.

Written so that any tar reads it. Read by ourselves and not by `tarfile`: an archive that holds a link, a device, a
folder, a sparse file or an extended header is refused before anybody acts on it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from port2port.backup.limits import STEP_BYTES
from port2port.backup.manifest import damaged
from port2port.core.errors import BadInput

BLOCK = 512
END = bytes(2 * BLOCK)
_USTAR_MOST_BYTES = 8**11 - 1


class Readable(Protocol):
    """What gives bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    """What takes bytes."""

    def write(self, data: bytes, /) -> object: ...


def put(out: Writable, path: str, size: int, source: Readable, at: datetime) -> None:
    """Write one file. The source must have exactly `size` bytes."""
    info = tarfile.TarInfo(path)
    info.size, info.mode, info.mtime = size, 0o600, int(at.timestamp())
    try:
        if size <= _USTAR_MOST_BYTES:
            out.write(info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"))
        else:
            out.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict"))
    except (ValueError, UnicodeError) as error:
        raise BadInput(f"{path} has a name that cannot be archived.", hint="Give it a shorter one.") from error
    copy(source, size, out.write)
    out.write(bytes(-size % BLOCK))


def begin(source: Readable) -> tuple[str, int]:
    """Name and size of the next file. Raises `BadInput` when it is no plain file."""
    try:
        info = tarfile.TarInfo.frombuf(exactly(source, BLOCK), "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeError, ValueError) as error:
        raise damaged("a file begins in an impossible way") from error
    if info.type != tarfile.REGTYPE or info.linkname or info.size < 0:
        raise damaged("it holds something that is no plain file")
    return info.name, info.size


def finish(source: Readable, size: int) -> None:
    """What fills up the last block of a file."""
    if any(exactly(source, -size % BLOCK)):
        raise damaged("something stands between two files")


def end(source: Readable) -> None:
    """Nothing comes after the end."""
    if exactly(source, len(END)) != END or source.read(1):
        raise damaged("something follows its last file")


def copy(source: Readable, size: int, sink: Callable[[bytes], object]) -> None:
    """Hand on exactly `size` bytes in steps. Raises `BadInput` when there are fewer."""
    left = size
    while left:
        data = source.read(min(left, STEP_BYTES))
        if not data:
            raise damaged("it is cut off")
        sink(data)
        left -= len(data)


def exactly(source: Readable, size: int) -> bytes:
    parts: list[bytes] = []
    copy(source, size, parts.append)
    return b"".join(parts)
