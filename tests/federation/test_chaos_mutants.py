"""A zero is worth something only beside bugs that were planted and found. Every one of these must show.

`port2port chaos mutants` prints the same as a table, with the number of histories that each needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from port2port.chaos import mutants, simulate
from port2port.chaos.mutants import Mutant

MOST_HISTORIES = 20
"""A bug that hides longer than this counts as missed."""


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Path, Path]]:
    with simulate.stage() as made:
        yield made


@pytest.fixture(scope="module")
def clean() -> simulate.Clean:
    return {}


@pytest.mark.parametrize("mutant", mutants.ALL, ids=lambda each: each.name)
def test_a_planted_bug_is_noticed(mutant: Mutant, stage: tuple[Path, Path], clean: simulate.Clean) -> None:
    found = simulate.hunt(mutant, range(MOST_HISTORIES), *stage, clean)
    assert found is not None, f"{mutant.name} ({mutant.says}) was not noticed in {MOST_HISTORIES} histories"


def test_there_are_at_least_ten() -> None:
    assert len({each.name for each in mutants.ALL}) >= 10


def test_a_planted_bug_is_gone_afterwards(stage: tuple[Path, Path]) -> None:
    """And leaves no trace: the history is the same as before, to the byte."""
    before = simulate.run_one(0, *stage).digest
    for mutant in mutants.ALL:
        with mutant.planted():
            pass
    assert simulate.run_one(0, *stage).digest == before
