"""Identifiers of our own things."""

from __future__ import annotations

import uuid

import pytest

from port2port.core.ids import node_id, random_id, seeded_ids


def test_random_identifiers_are_uuids_of_version_4_and_differ() -> None:
    made = {random_id() for _ in range(100)}
    assert len(made) == 100
    assert all(uuid.UUID(each).version == 4 and str(uuid.UUID(each)) == each for each in made)


def test_the_same_seed_gives_the_same_identifiers_in_the_same_order() -> None:
    first, again, other = seeded_ids(1), seeded_ids(1), seeded_ids(2)
    made = [first() for _ in range(20)]
    assert made == [again() for _ in range(20)]
    assert len({*made, *(other() for _ in range(20))}) == 40
    assert uuid.UUID(made[0]).version == 4


def test_a_node_is_the_hash_of_its_key() -> None:
    # SHA-256 of 32 zero bytes, computed with `head -c 32 /dev/zero | sha256sum`.
    assert node_id(bytes(32)) == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_is_a_broken_assumption(size: int) -> None:
    with pytest.raises(AssertionError, match="32 bytes"):
        node_id(bytes(size))
