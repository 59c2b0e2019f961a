"""Nodes on paper: real stores and logs, and calls that go straight to the other's answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that the tests of this folder find audit_kit

from audit_kit import Keeper, acquaint


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """One node, alone."""
    made = Keeper(1)
    yield made
    made.close()


@pytest.fixture
def network() -> Iterator[Callable[[int], list[Keeper]]]:
    """Makes nodes that know each other."""
    made: list[Keeper] = []

    def make(count: int) -> list[Keeper]:
        made.extend(Keeper(seed) for seed in range(1, count + 1))
        acquaint(made)
        return made

    yield make
    for each in made:
        each.close()
