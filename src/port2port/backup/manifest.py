"""What an archive says of itself: a short header in the clear, and the list of its files with their hashes. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TypeVar

import msgspec

from port2port.backup import limits
from port2port.core.errors import BadInput

DATABASE, KEYS = "node.db", "node.keys"
MANIFEST = "manifest.json"
T = TypeVar("T")
_HEX = set("0123456789abcdef")


class Part(StrEnum):
    """What may be left out."""

    DATABASE = "database"
    """The database, settings, identity and all other files but the keys of bodies."""
    KEYS = "keys"
    """The keys of bodies."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Readable without a passphrase: whose it is, and how old."""

    format: int
    node: str
    created: datetime
    parts: list[Part]
    salt: str
    """For the passphrase, in hexadecimal; empty: not encrypted."""


class FileLine(msgspec.Struct, frozen=True):
    """One file of an archive."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The first file of an archive; the others follow in this order."""

    format: int
    version: str
    """Of the program that made it."""
    node: str
    name: str
    created: datetime
    parts: list[Part]
    files: list[FileLine]

    def bytes_in_all(self) -> int:
        return sum(each.size for each in self.files)


class _Format(msgspec.Struct):
    format: int


def decode_header(data: bytes) -> Header:
    """Raises `BadInput`."""
    header = _decode(data, Header)
    if (
        header.created.tzinfo is None
        or len(header.node) != 64
        or set(header.node) - _HEX
        or set(header.salt) - _HEX
        or len(header.salt) not in (0, 32)
    ):
        raise damaged("its first line has impossible values")
    return header


def decode_manifest(data: bytes, header: Header) -> Manifest:
    """Raises `BadInput` for anything that could write where it should not, or is not what the header says."""
    manifest = _decode(data, Manifest)
    if (manifest.node, manifest.created, manifest.parts) != (header.node, header.created, header.parts):
        raise damaged("its list of files belongs to another archive")
    paths = [each.path for each in manifest.files]
    if len(paths) > limits.MAX_FILES or len(set(paths)) != len(paths):
        raise damaged("it holds too many files, or one of them twice")
    for each in manifest.files:
        require_inside(each.path)
        if each.size < 0 or len(each.sha256) != 64 or set(each.sha256) - _HEX:
            raise damaged("its list of files has impossible values")
    if (Part.DATABASE in manifest.parts) != (DATABASE in paths) or (Part.KEYS in manifest.parts) != (KEYS in paths):
        raise damaged("it does not hold what it says")
    return manifest


def require_inside(path: str) -> None:
    """A relative path of plain names. Raises `BadInput`."""
    parts = path.split("/")
    plain = path.isprintable() and "\\" not in path and path == str(PurePosixPath(path)) and path != MANIFEST
    if not plain or len(path) > limits.MAX_PATH_CHARS or len(parts) > limits.MAX_DEPTH:
        raise damaged("it names a file in an impossible way")
    if path.startswith("/") or any(each in ("", ".", "..") for each in parts):
        raise damaged("it names a file outside of the node's folder")


def damaged(why: str) -> BadInput:
    """The one sentence for every archive that is not what it should be."""
    return BadInput(f"This archive cannot be used: {why}.", hint="Nothing was changed. Take another archive.")


def _decode(data: bytes, kind: type[T]) -> T:
    try:
        if msgspec.json.decode(data, type=_Format).format > limits.FORMAT:
            raise BadInput(
                "This archive was made by a newer version of Port2Port.",
                hint="Nothing was changed. Install that version.",
            )
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise damaged("what it says of itself cannot be read") from error
