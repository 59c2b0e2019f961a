"""Nine nodes, a simulated clock and network, and everything that can go wrong: nothing is lost, nothing leaks.

One seed is one history. To replay seed 17: `port2port chaos simulate --seed 17`. The long form is `make chaos`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from port2port.chaos import canary, oracle, simulate
from port2port.chaos.ledger import Ledger, Offer, View
from port2port.chaos.oracle import Label, Statement, known_from, objection

SEEDS = range(20)
"""In CI; `make chaos` runs a thousand."""


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Path, Path]]:
    with simulate.stage() as made:
        yield made


@pytest.fixture(scope="module")
def summary() -> simulate.Summary:
    return simulate.Summary()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_ends_with_exactly_what_each_may_have(
    seed: int, stage: tuple[Path, Path], summary: simulate.Summary
) -> None:
    outcome = simulate.run_one(seed, *stage)
    summary.add(outcome)
    assert not outcome.violations, f"replay with: port2port chaos simulate --seed {seed}"


def test_the_histories_were_not_idle(summary: simulate.Summary) -> None:
    """A zero means little unless much went wrong and much arrived."""
    assert summary.histories == len(SEEDS)
    done = summary.counts
    assert all(done[each] > 0 for each in simulate.FAULTS), {each: done[each] for each in simulate.FAULTS}
    assert all(done[f"did.{each}"] > 0 for each in ("regroup", "agree", "revoke", "take_back", "go_back", "fork")), (
        "the network itself changed"
    )
    assert done["due"] > 20 * len(SEEDS)
    assert done["withheld"] > 5 * len(SEEDS)
    assert done["receipts"] > 2 * len(SEEDS)


def test_one_seed_is_one_history(stage: tuple[Path, Path]) -> None:
    """Down to the bytes on every link, also in another process with other hashes."""
    script = "from port2port.chaos.simulate import run_many; print(run_many([3])[0].digest)"
    again = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout.strip() == simulate.run_one(3, *stage).digest
    assert again.stdout.strip() != simulate.run_one(4, *stage).digest


def test_a_canary_is_found_as_it_stands_and_in_base64() -> None:
    import base64

    word = canary.make("TLP:AMBER+STRICT", "0123456789abcdef", Random(1))
    body = b'{"note":"' + word.encode() + b'"}'
    for before in range(4):
        shifted = base64.b64encode(b"x" * before + body)
        assert canary.found_in(b'{"body":"' + shifted + b'"}') == {word}
    assert canary.found_in(body) == {word}
    assert canary.found_in(b"CANARY-AMBER-012345-nothing") == set()


@pytest.mark.parametrize("module", ["oracle.py", "canary.py"])
def test_the_oracle_imports_nothing_of_what_it_judges(module: str) -> None:
    path = Path(oracle.__file__).with_name(module)
    assert "port2port." not in path.read_text(encoding="utf-8").replace("docs", "")


LABEL = Label("a", "TLP:AMBER", "group", retain_until_s=100.0, agreement="one", group="g")
COVERS = frozenset({"purpose/port-security", "basis/isps-code", "data/none"})
PAPERS = [
    Statement("member", "a", side="A"),
    Statement("member", "b", side="A"),
    Statement("agreement", "one", among=frozenset({"a", "b"}), from_s=0, until_s=50, covers=COVERS),
    Statement("group", "g", by="a", among=frozenset({"b"}), from_s=1),
]


def test_the_oracle_follows_the_newest_word_of_a_groups_owner() -> None:
    assert objection(LABEL, "b", 10, known_from(PAPERS)) == ""
    emptied = Statement("group", "g", by="a", among=frozenset(), from_s=2)
    assert objection(LABEL, "b", 10, known_from([emptied, *PAPERS])) == "audience"


def test_the_oracle_releases_nothing_after_the_agreement_or_the_retention() -> None:
    assert objection(LABEL, "b", 50, known_from(PAPERS)) == "agreement-not-in-force"
    assert objection(LABEL, "b", 100, known_from(PAPERS)) == "too-old"


def test_the_ledger_notices_what_is_lost_extra_and_doubled() -> None:
    ledger, known = Ledger(), known_from(PAPERS)
    views = {node: View(node, 10, known) for node in ("a", "b")}
    version = ("a", "o1", 1)
    ledger.offer(Offer(version, LABEL, "CANARY-x", "digest"))
    ledger.check_published(views["a"], version, ["b"], ("lane", 1))
    ledger.check_end(views, {"a": {}, "b": {}})
    assert ledger.counts["lost"] == 1
    ledger.check_arrived(views["b"], version, "digest", LABEL, again=False)
    ledger.check_arrived(views["b"], version, "digest", LABEL, again=True)
    ledger.check_end(views, {"a": {("b", "o9", 1): ""}, "b": {version: "digest"}})
    assert [each.promise for each in ledger.violations] == ["I1", "I6", "I1"]
    assert ledger.counts["extra"] == 1


def test_the_ledger_notices_what_is_still_there_after_a_receipt() -> None:
    ledger, known = Ledger(), known_from(PAPERS)
    word = canary.make(LABEL.tlp, "a", Random(2))
    ledger.offer(Offer(("a", "o1", 1), LABEL, word, "digest"))
    ledger.check_published(View("a", 10, known), ("a", "o1", 1), ["b"], ("lane", 1))
    ledger.recalled("recall", "withdraw", "lane", [1], ["b"])
    ledger.check_receipt("b", "recall", {"node.db": b"nothing"})
    assert ledger.violations == []
    ledger.check_receipt("b", "recall", {"node.db-wal": b"... " + word.encode()})
    views = {node: View(node, 10, known) for node in ("a", "b")}
    ledger.check_recalls_end(views, {})
    assert [each.promise for each in ledger.violations] == ["I7", "I7"]
