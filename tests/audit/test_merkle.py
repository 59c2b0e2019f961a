"""Trees, proofs and tiles: the known test tree of Certificate Transparency, and a slow oracle."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.sharing.audit import merkle
from port2port.sharing.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from port2port.sharing.audit.tiles import FULL_BYTES, Tree, bundle_of, path_of, tile_of, widths

REFERENCE_LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
FOUR = REFERENCE_ROOTS[3]
INCLUSION = {
    (0, 1): [],
    (0, 8): [A, B, C],
    (5, 8): [D, E, FOUR],
    (2, 3): [REFERENCE_ROOTS[1]],
    (1, 5): [REFERENCE_ROOTS[0], B, D],
}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, FOUR], (2, 5): [B, D]}


def tree_of(leaves: list[bytes]) -> Tree:
    made = Tree(0, lambda level, number: b"")
    made.append(leaves)
    return made


def oracle(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = max(2**i for i in range(20) if 2**i < len(leaves))
    return sha256(b"\x01" + oracle(leaves[:k]) + oracle(leaves[k:])).digest()


def oracle_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162, word for word."""
    if len(leaves) == 1:
        return []
    k = max(2**i for i in range(20) if 2**i < len(leaves))
    if index < k:
        return [*oracle_path(index, leaves[:k]), oracle(leaves[k:])]
    return [*oracle_path(index - k, leaves[k:]), oracle(leaves[:k])]


def oracle_proof(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162, word for word."""
    if old == len(leaves):
        return [] if whole else [oracle(leaves)]
    k = max(2**i for i in range(20) if 2**i < len(leaves))
    if old <= k:
        return [*oracle_proof(old, leaves[:k], whole), oracle(leaves[k:])]
    return [*oracle_proof(old - k, leaves[k:], False), oracle(leaves[:k])]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.root(tree_of([]).node, 0) == EMPTY_ROOT == Frontier().root() == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_tree_has_the_known_roots(size: int) -> None:
    tree = tree_of(REFERENCE_LEAVES)
    frontier = Frontier()
    for leaf in REFERENCE_LEAVES[:size]:
        frontier.append(leaf_hash(leaf))
    assert merkle.root(tree.node, size).hex() == frontier.root().hex() == REFERENCE_ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_reference_tree_has_the_known_inclusion_proofs(index: int, size: int) -> None:
    proof = merkle.inclusion_proof(tree_of(REFERENCE_LEAVES).node, index, size)
    assert [each.hex() for each in proof] == INCLUSION[index, size]
    root = bytes.fromhex(REFERENCE_ROOTS[size - 1])
    assert merkle.is_included(leaf_hash(REFERENCE_LEAVES[index]), index, size, proof, root)


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_the_reference_tree_has_the_known_consistency_proofs(old: int, size: int) -> None:
    proof = merkle.consistency_proof(tree_of(REFERENCE_LEAVES).node, old, size)
    assert [each.hex() for each in proof] == CONSISTENCY[old, size]
    before, after = (bytes.fromhex(REFERENCE_ROOTS[each - 1]) for each in (old, size))
    assert merkle.is_consistent(old, before, size, after, proof)


def test_every_proof_of_every_small_tree_is_the_oracles_and_verifies() -> None:
    leaves = [bytes([number]) for number in range(40)]
    tree = tree_of(leaves)
    for size in range(1, 41):
        root = oracle(leaves[:size])
        assert merkle.root(tree.node, size) == root
        for index in range(size):
            proof = merkle.inclusion_proof(tree.node, index, size)
            assert proof == oracle_path(index, leaves[:size])
            assert merkle.is_included(leaf_hash(leaves[index]), index, size, proof, root)
            old_root = oracle(leaves[:index])
            proof = merkle.consistency_proof(tree.node, index, size)
            assert proof == (oracle_proof(index, leaves[:size]) if index else [])
            assert merkle.is_consistent(index, old_root, size, root, proof)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1_500), st.data())
def test_large_trees_prove_what_the_oracle_says(size: int, data: st.DataObject) -> None:
    leaves = [number.to_bytes(2, "big") for number in range(size)]
    tree, index, old = tree_of(leaves), data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    root = oracle(leaves)
    assert merkle.root(tree.node, size) == root
    assert merkle.is_included(leaf_hash(leaves[index]), index, size, oracle_path(index, leaves), root)
    assert merkle.inclusion_proof(tree.node, index, size) == oracle_path(index, leaves)
    proof = merkle.consistency_proof(tree.node, old, size)
    assert merkle.is_consistent(old, oracle(leaves[:old]), size, root, proof)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 70), st.integers(0, 70), st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_a_made_up_proof_proves_nothing(old: int, size: int, proof: list[bytes]) -> None:
    leaves = [bytes([number]) for number in range(70)]
    root, other = oracle(leaves[:size]), oracle([b"x", *leaves[:old]])
    assert not merkle.is_consistent(old, other, size, root, proof)
    assert not merkle.is_included(leaf_hash(b"other"), old, size, proof, root)


def test_a_proof_that_is_shorter_longer_or_altered_fails() -> None:
    leaves = [bytes([number]) for number in range(23)]
    tree, random = tree_of(leaves), Random(5)
    roots = [oracle(leaves[:size]) for size in range(24)]
    for old in range(1, 23):
        good = merkle.consistency_proof(tree.node, old, 23)
        bad = list(good)
        bad[random.randrange(len(bad))] = bytes(32)
        for proof in (good[:-1], good[1:], [*good, bytes(32)], [bytes(32), *good], bad):
            assert not merkle.is_consistent(old, roots[old], 23, roots[23], proof)
        assert merkle.is_consistent(old, roots[old], 23, roots[23], good)
        assert not merkle.is_consistent(old, roots[old - 1], 23, roots[23], good)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_a_tree_that_grows_page_by_page_from_stored_tiles_is_the_same(pages: list[int]) -> None:
    stored: dict[tuple[int, int], bytes] = {}
    entries = [number.to_bytes(2, "big") for number in range(sum(pages))]
    done = 0
    for page in pages:
        tree = Tree(done, lambda level, number: stored.get((level, number), b""))
        tree.append(entries[done : done + page])
        stored.update({key: bytes(tree.tile(*key)) for key in tree.changed})
        done += page
    assert merkle.root(Tree(done, lambda *key: stored.get(key, b"")).node, done) == oracle(entries)


def test_tiles_have_the_layout_of_the_standard() -> None:
    assert path_of(0, 1_234_067) == "tile/0/x001/x234/067"
    assert path_of("entries", 0, 3) == "tile/entries/000.p/3"
    assert path_of(1, 273, 17) == "tile/1/273.p/17"
    assert widths(70_000) == {0: 70_000, 1: 273, 2: 1}
    assert widths(256) == {0: 256, 1: 1}
    tree = tree_of([number.to_bytes(3, "big") for number in range(70_000)])
    assert [len(tree.tile(0, 273)) // 32, len(tree.tile(1, 1)) // 32, len(tree.tile(2, 0)) // 32] == [112, 17, 1]
    assert len(tree.tile(0, 272)) == FULL_BYTES
    assert tile_of([b"a"]) == leaf_hash(b"a")
    assert bundle_of([b"ab", b""]) == b"\x00\x02ab\x00\x00"
