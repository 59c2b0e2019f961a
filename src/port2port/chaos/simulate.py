"""Runs histories: one by its seed, many on several processors, and with a planted bug until it shows."""

from __future__ import annotations

import multiprocessing
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from port2port.chaos.ledger import Ledger
from port2port.chaos.mutants import Mutant
from port2port.chaos.node import make_template
from port2port.chaos.schedule import Outcome, Schedule
from port2port.store.sqlite.file import memory_folder

STEPS = 40
BATCH = 10
FAULTS = (
    "crashes",
    "lies",
    "link.broken",
    "link.forged",
    "link.lost",
    "link.reordered",
    "link.repeated",
    "did.part",
    "did.cut_one_way",
    "did.jump",
)
LEAKS = frozenset({"I4", "I5", "I15"})


@dataclass
class Summary:
    """What many histories showed together."""

    histories: int = 0
    violations: list[str] = field(default_factory=list)
    """`seed N: …`"""
    leaked: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.histories += 1
        self.counts += outcome.counts
        self.leaked += sum(each.promise in LEAKS for each in outcome.violations)
        self.violations += [f"seed {outcome.seed}: {each}" for each in outcome.violations]

    @property
    def faults(self) -> int:
        return sum(self.counts[each] for each in FAULTS)

    def as_json(self) -> dict[str, object]:
        counted = {each: self.counts[each] for each in sorted(self.counts)}
        return {
            "histories": self.histories,
            "faults": self.faults,
            "due": self.counts["due"],
            "lost": self.counts["lost"],
            "extra": self.counts["extra"],
            "leaked": self.leaked,
            "violations": self.violations,
            "counts": counted,
        }


@contextmanager
def stage() -> Iterator[tuple[Path, Path]]:
    """A folder in memory: an empty store to copy, and room for the nodes of one history."""
    folder = memory_folder()
    try:
        (folder / "template").mkdir()
        make_template(folder / "template")
        yield folder / "template", folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_one(seed: int, template: Path, room: Path, steps: int = STEPS, *, stops_at_first: bool = False) -> Outcome:
    """One history."""
    folder = Path(tempfile.mkdtemp(prefix=f"{seed}-", dir=room))
    try:
        with _seeded_secrets(seed):
            return Schedule(seed, template, folder, steps, ledger=Ledger(stops_at_first)).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_many(seeds: Sequence[int], steps: int = STEPS) -> list[Outcome]:
    """Histories one after the other."""
    with stage() as (template, room):
        return [run_one(seed, template, room, steps) for seed in seeds]


def simulate(
    seeds: Sequence[int], processors: int = 1, steps: int = STEPS, on_batch: Callable[[Summary], None] = lambda _: None
) -> Summary:
    """All histories, on so many processors; the sum does not depend on their number."""
    summary = Summary()
    batches = [seeds[at : at + BATCH] for at in range(0, len(seeds), BATCH)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processors, mp_context=context) as pool:
        for outcomes in pool.map(run_many, batches, [steps] * len(batches)):
            for outcome in outcomes:
                summary.add(outcome)
            on_batch(summary)
    return summary


Clean = dict[int, set[str]]
"""Seed -> promises that are broken in its history without any planted bug; none, when all is well."""


def hunt(mutant: Mutant, seeds: Sequence[int], template: Path, room: Path, clean: Clean) -> Outcome | None:
    """The first history in which the planted bug breaks a promise that holds without it; None when none does.

    `clean` remembers what holds without it, from one hunt to the next.
    """
    for seed in seeds:
        for stops_at_first in (True, False):
            with mutant.planted():
                outcome = run_one(seed, template, room, stops_at_first=stops_at_first)
            if outcome.violations and seed not in clean:
                clean[seed] = {each.promise for each in run_one(seed, template, room).violations}
            if {each.promise for each in outcome.violations} - clean.get(seed, set()):
                return outcome
            if not outcome.violations:
                break
    return None


@contextmanager
def _seeded_secrets(seed: int) -> Iterator[None]:
    """Salts and keys come from the seed too, or two runs would differ in every byte."""
    random, real = Random(f"secrets of {seed}"), secrets.token_bytes  # noqa: S311 - nothing here is secret
    secrets.token_bytes = lambda nbytes=None: random.randbytes(nbytes or 32)
    try:
        yield
    finally:
        secrets.token_bytes = real
