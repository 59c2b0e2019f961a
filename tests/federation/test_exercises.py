"""An exercise travels over the real connections, and nobody sees it who does not take part."""

from __future__ import annotations

from typing import Any

import pytest

from port2port.core.errors import BadInput, NotFound
from port2port.core.exchange import ObjectArrived
from port2port.sharing import exercises
from port2port.sharing.facts import ObjectRefused


def test_an_exercise_waits_unseen_until_this_node_takes_part(world: Any) -> None:
    antwerp, ostend = world.network(2)
    exercises.accept(antwerp.site, antwerp.parts.peers.book, "scheldt-2026", "Scheldt 2026", "officer")
    antwerp.share("a", handling=antwerp.label(context="scheldt-2026"))
    (refused,) = ostend.wait_for(ObjectRefused)
    assert refused.reason == "unknown-exercise"
    assert ostend.arrived() == []
    assert exercises.accept(ostend.site, ostend.parts.peers.book, "scheldt-2026", "", "officer") == 1
    (arrived,) = ostend.wait_for(ObjectArrived)
    assert arrived.handling.context == "scheldt-2026"


def test_after_its_end_what_still_comes_waits_again(world: Any) -> None:
    antwerp, ostend = world.network(2)
    for each in (antwerp, ostend):
        exercises.accept(each.site, each.parts.peers.book, "x", "", "officer")
    antwerp.share("a", handling=antwerp.label(context="x"))
    ostend.wait_for(ObjectArrived)
    exercises.end(ostend.site, "x", "officer")
    antwerp.share("b", handling=antwerp.label(context="x"))
    ostend.wait_for(ObjectRefused)
    assert ostend.arrived() == [("a", 1)]
    with pytest.raises(NotFound):
        exercises.end(ostend.site, "x", "officer")


@pytest.mark.parametrize("exercise", ["live", "", "two words", "x" * 81, "\n"])
def test_real_life_is_no_exercise(world: Any, exercise: str) -> None:
    node = world.silent("Antwerp")
    with pytest.raises(BadInput):
        exercises.accept(node.site, node.parts.peers.book, exercise, "", "officer")
