"""The tree cut into tiles of 256 hashes (C2SP tlog-tiles): what is stored, exported, and enough for every proof. Pure.

Tile n of level 0 holds the hashes of leaves n × 256 to n × 256 + 255; each hash of a tile above is the root of a
full tile below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

from port2port.sharing.audit.merkle import HASH_BYTES, leaf_hash, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
FULL_BYTES = WIDTH * HASH_BYTES

Key = tuple[int, int]
"""Level and number of a tile."""

LoadTile = Callable[[int, int], bytes]
"""The hashes of a tile as far as it is filled; empty when there is none."""


class Tree:
    """A tree of `size` leaves whose tiles come from `load` when they are needed."""

    def __init__(self, size: int, load: LoadTile) -> None:
        self.size = size
        self.changed: set[Key] = set()
        """Tiles that are other than what was loaded."""
        self._load = load
        self._tiles: dict[Key, bytearray] = {}
        self._nodes: dict[Key, bytes] = {}
        """Perfect subtrees that were asked for: they never change again."""

    def tile(self, level: int, number: int) -> bytearray:
        """The hashes of one tile."""
        key = (level, number)
        if key not in self._tiles:
            self._tiles[key] = bytearray(self._load(level, number))
        return self._tiles[key]

    def forget(self, level: int, number: int) -> None:
        """Hold this tile no longer."""
        self._tiles.pop((level, number), None)

    def append(self, entries: Iterable[bytes]) -> None:
        """Add leaves by their entries: two hashes each, and what is stored changes in one tile a level."""
        number, tile = -1, bytearray()
        for entry in entries:
            if self.size >> HEIGHT != number:
                number = self.size >> HEIGHT
                tile = self.tile(0, number)
                self.changed.add((0, number))
            tile += sha256(b"\x00" + entry).digest()
            self.size += 1
            if len(tile) == FULL_BYTES:
                self._close(0, number)

    def _close(self, level: int, number: int) -> None:
        """A tile is full: its root is a hash of the tile above."""
        above = self.tile(level + 1, number >> HEIGHT)
        above += _subtree(self.tile(level, number), 0, HEIGHT)
        self.changed.add((level + 1, number >> HEIGHT))
        if len(above) == FULL_BYTES:
            self._close(level + 1, number >> HEIGHT)

    def node(self, level: int, index: int) -> bytes:
        """The hash of the perfect subtree at (level, index): a `merkle.NodeAt`."""
        key = (level, index)
        if key not in self._nodes:
            tile_level, height = divmod(level, HEIGHT)
            first = index << height
            self._nodes[key] = _subtree(self.tile(tile_level, first >> HEIGHT), first % WIDTH, height)
        return self._nodes[key]


def _subtree(tile: bytes | bytearray, first: int, height: int) -> bytes:
    """The root over 2^height hashes of a tile."""
    begin, end = first * HASH_BYTES, (first + (1 << height)) * HASH_BYTES
    assert end <= len(tile), "the subtree is filled"
    data = bytes(tile[begin:end])
    row = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def tile_of(entries: Iterable[bytes]) -> bytes:
    """A tile of level 0 from its entries."""
    return b"".join(map(leaf_hash, entries))


def bundle_of(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def widths(size: int) -> dict[int, int]:
    """Level -> number of hashes in that level of a tree of `size` leaves."""
    found, level = {}, 0
    while size:
        found[level] = size
        size >>= HEIGHT
        level += 1
    return found


def path_of(level: int | str, number: int, width: int = WIDTH) -> str:
    """Where a tile stands, e.g. `tile/0/x001/067.p/12`; level `entries` for a bundle."""
    elements = [f"{number % 1000:03d}"]
    while number := number // 1000:
        elements.insert(0, f"x{number % 1000:03d}")
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(elements)}{partial}"
