"""The base map: one PMTiles file (version 3), read by the browser in ranges. No tile server, no network."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from port2port.core.errors import BadInput
from port2port.picture.limits import MAX_METADATA_BYTES, MAX_RANGE_BYTES

HEADER_BYTES = 127
_MAGIC = b"PMTiles\x03"
_OFFSETS = struct.Struct("<QQQQ")
"""Root directory offset and length, metadata offset and length (PMTiles specification 3, section 3)."""
_INTERNAL_COMPRESSION_AT, _GZIP = 97, 2
_ZOOM_AT, _BOUNDS_AT = 100, 102
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


@dataclass(frozen=True, kw_only=True)
class Basemap:
    """What the console must know of the file before it reads a tile."""

    path: Path
    etag: str
    size_bytes: int
    attribution: str
    layers: tuple[str, ...]
    bounds_deg: tuple[float, float, float, float]
    """West, south, east, north."""
    max_zoom: int


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `first` to `last` of a file, both included (RFC 9110, 14.2)."""

    first: int
    last: int


def find_basemap(path: Path) -> Basemap | None:
    """The map at `path`, read again when the file was replaced; None when there is no such file. See `open_basemap`."""
    if not path.is_file():
        return None
    stat = path.stat()
    return open_basemap(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def open_basemap(path: Path, mtime_ns: int, size_bytes: int) -> Basemap:
    """Read the header and metadata of a PMTiles file.

    Raises `BadInput` when the file is no PMTiles version 3 or its metadata cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES or header[:8] != _MAGIC:
            raise BadInput(f"{path} is no PMTiles file of version 3.", hint="Correct the setting picture.basemap.")
        _, _, offset, length = _OFFSETS.unpack_from(header, 8)
        file.seek(offset)
        metadata = _metadata(file.read(min(length, MAX_METADATA_BYTES)), header[_INTERNAL_COMPRESSION_AT], path)
    west, south, east, north = (value / 1e7 for value in struct.unpack_from("<iiii", header, _BOUNDS_AT))
    layers = metadata.get("vector_layers")
    return Basemap(
        path=path,
        etag=f'"{mtime_ns:x}-{size_bytes:x}"',
        size_bytes=size_bytes,
        attribution=_plain(str(metadata.get("attribution", ""))),
        layers=tuple(str(each["id"]) for each in layers if "id" in each) if isinstance(layers, list) else (),
        bounds_deg=(west, south, east, north),
        max_zoom=header[_ZOOM_AT + 1],
    )


def wanted_part(header: str | None, size_bytes: int) -> Part | None:
    """What a Range header asks for; None: the whole. At most `MAX_RANGE_BYTES`, which a server may do.

    Raises `BadInput` when it lies outside of the file.
    """
    if header is None:
        return None
    match = _RANGE.fullmatch(header.strip())
    if match is None:  # another unit, or several ranges: a server may answer the whole (RFC 9110, 14.2)
        return None
    first, last = int(match[1]), int(match[2]) if match[2] else size_bytes - 1
    if first >= size_bytes or last < first:
        raise BadInput("picture.error.range")
    return Part(first, min(last, size_bytes - 1, first + MAX_RANGE_BYTES - 1))


def read_part(path: Path, part: Part) -> bytes:
    with path.open("rb") as file:
        file.seek(part.first)
        return file.read(part.last - part.first + 1)


def _metadata(data: bytes, compression: int, path: Path) -> dict[str, object]:
    try:
        if compression == _GZIP:
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, MAX_METADATA_BYTES)
        return msgspec.json.decode(data or b"{}", type=dict[str, object])
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile, msgspec.DecodeError) as error:
        raise BadInput(f"The metadata of {path} cannot be read: {error}.") from error


def _plain(attribution: str) -> str:
    """Attribution often comes as HTML; we show its text."""
    return re.sub(r"<[^>]*>", "", attribution).strip()[:300]
