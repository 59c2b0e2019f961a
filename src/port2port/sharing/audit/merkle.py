"""Merkle tree hashing, inclusion and consistency proofs (RFC 9162, section 2.1; SHA-256). Pure.

A tree of n leaves falls into perfect subtrees: the one at (level, index) spans the leaves from index × 2^level on,
2^level of them. Whoever can look those hashes up can prove anything; nobody needs all leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162, section 2.1.1)."""

NodeAt = Callable[[int, int], bytes]
"""The hash of the perfect subtree at (level, index), level 0 being the leaves' hashes."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one leaf (RFC 9162, section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162, section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two that is smaller than `size` (at least 2): where a tree divides."""
    return 1 << ((size - 1).bit_length() - 1)


def perfect_parts(start: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees (level, index) that leaves `start` to `end` fall into, left to right.

    `start` is a multiple of the largest of them, as every subtree's is.
    """
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append((level, start >> level))
        start += 1 << level
    return parts


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees of falling size, left to right."""
    if not hashes:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))


def root(at: NodeAt, size: int) -> bytes:
    """The root of the tree of the first `size` leaves."""
    return _range(at, 0, size)


def _range(at: NodeAt, start: int, end: int) -> bytes:
    return fold([at(level, index) for level, index in perfect_parts(start, end)])


def inclusion_proof(at: NodeAt, index: int, size: int) -> list[bytes]:
    """PATH(index, D_size) of RFC 9162, section 2.1.3.1."""
    assert 0 <= index < size, "the leaf is in the tree"
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            proof.append(_range(at, middle, end))
            end = middle
        else:
            proof.append(_range(at, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(at: NodeAt, old: int, size: int) -> list[bytes]:
    """PROOF(old, D_size) of RFC 9162, section 2.1.4.1; empty when `old` is 0 or `size`."""
    assert 0 <= old <= size, "the old tree is a beginning of the new one"
    if old in (0, size):
        return []
    proof: list[bytes] = []
    start, end = 0, size
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            proof.append(_range(at, middle, end))
            end = middle
        else:
            proof.append(_range(at, start, middle))
            start = middle
    if start:
        proof.append(_range(at, start, end))
    return proof[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2); None when it cannot be one."""
    if not 0 <= index < size:
        return None
    fn, sn, found = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            found = node_hash(sibling, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    return found if sn == 0 else None


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the leaf with this hash stands at `index` in the tree with root `expected`."""
    return root_from_inclusion(leaf, index, size, proof) == expected


def is_consistent(old: int, old_root: bytes, size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `old` leaves is a beginning of that of `size` (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old == size:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if len(path) < 2:
        return False
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == new_root


class Frontier:
    """A growing tree of which only the right edge is kept: the perfect subtrees of `size`, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """One more leaf, by its hash: on average one node is hashed."""
        edge, carry, size = self._edge, leaf, self.size
        while size & 1:
            carry = sha256(b"\x01" + edge.pop() + carry).digest()
            size >>= 1
        edge.append(carry)
        self.size += 1

    def root(self) -> bytes:
        return fold(self._edge)
