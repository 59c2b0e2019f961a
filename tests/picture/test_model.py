"""The life of an alert, folded from its facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_kit import NOW, raised

from port2port.core.alert import (
    AlertAcknowledged,
    AlertClosed,
    AlertEnded,
    AlertRepeated,
    AlertWorsened,
    Priority,
)
from port2port.core.errors import BadInput, Conflict
from port2port.core.fact import Fact, Recorded
from port2port.picture.model import CAUSES, Alert, State, acknowledge, close, fold, fold_all


def entries(*facts: Fact) -> list[Recorded]:
    return [Recorded(number, fact.at, fact.kind(), fact) for number, fact in enumerate(facts, 1)]


def after(*facts: Fact) -> Alert:
    found = fold_all(None, entries(raised(), *facts))
    assert found is not None
    return found


REPEATED = AlertRepeated(at=NOW, alert_id="a1", count=20)
WORSE = AlertWorsened(at=NOW, alert_id="a1", priority=Priority.URGENT, sentence="picture.queue.mine", values={})
ENDED = AlertEnded(at=NOW, alert_id="a1", reason="picture.state.over")
TAKEN = AlertAcknowledged(at=NOW, alert_id="a1", account="jan")
CLOSED = AlertClosed(at=NOW, alert_id="a1", account="jan", cause=CAUSES[0])


def test_an_alert_begins_open_with_count_one() -> None:
    alert = after()
    assert (alert.state, alert.count, alert.priority) == (State.OPEN, 1, Priority.HIGH)


def test_what_was_never_raised_cannot_repeat() -> None:
    assert fold_all(None, entries(REPEATED, WORSE, TAKEN)) is None


def test_a_repeated_episode_counts_and_does_not_ring() -> None:
    alert = after(TAKEN, REPEATED)
    assert (alert.count, alert.state, alert.rang_number) == (20, State.ACKNOWLEDGED, 1)


def test_a_worse_state_rings_again_though_it_was_acknowledged() -> None:
    alert = after(TAKEN, WORSE)
    assert (alert.state, alert.priority, alert.acknowledged_by) == (State.OPEN, Priority.URGENT, "")
    assert alert.rang_number == 3


def test_an_alert_that_worsened_never_becomes_milder() -> None:
    mild = AlertWorsened(at=NOW, alert_id="a1", priority=Priority.LOW, sentence="picture.queue", values={})
    assert after(WORSE, mild).priority is Priority.URGENT


def test_what_is_over_stays_until_a_person_closes_it() -> None:
    alert = after(ENDED)
    assert alert.ended_at == NOW
    assert alert.state is State.OPEN
    assert after(ENDED, CLOSED).state is State.CLOSED


def test_the_first_acknowledgement_counts() -> None:
    second = AlertAcknowledged(at=NOW, alert_id="a1", account="an")
    assert after(TAKEN, second).acknowledged_by == "jan"
    assert acknowledge(after(TAKEN), "an", NOW) is None


def test_nobody_acknowledges_what_he_has_not_seen() -> None:
    with pytest.raises(Conflict, match="worse"):
        acknowledge(after(WORSE), "jan", NOW, seen=1)
    assert acknowledge(after(WORSE), "jan", NOW, seen=2) is not None


def test_closing_needs_a_cause_of_the_list() -> None:
    with pytest.raises(BadInput):
        close(after(), "jan", "because", NOW)


def test_closing_twice_is_fine_for_the_same_person_and_a_conflict_for_another() -> None:
    assert close(after(CLOSED), "jan", CAUSES[0], NOW) is None
    with pytest.raises(Conflict):
        close(after(CLOSED), "an", CAUSES[0], NOW)
    with pytest.raises(Conflict):
        acknowledge(after(CLOSED), "jan", NOW)


@given(st.lists(st.sampled_from([REPEATED, WORSE, ENDED, TAKEN, CLOSED]), max_size=12), st.integers(0, 12))
def test_folding_twice_over_the_same_entries_changes_nothing(facts: list[Fact], again_from: int) -> None:
    journal = entries(raised(), *facts)
    once = fold_all(None, journal)
    assert fold_all(once, journal[again_from:]) == once


@given(st.lists(st.sampled_from([REPEATED, WORSE, ENDED, TAKEN]), max_size=12))
def test_nothing_happens_to_a_closed_alert(facts: list[Fact]) -> None:
    alert = after(CLOSED)
    for number, fact in enumerate(facts, 10):
        assert fold(alert, Recorded(number, NOW, fact.kind(), fact)) is alert
