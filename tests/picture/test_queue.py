"""The queue of a node: verbs, reader, and the answer to the ask."""

from __future__ import annotations

import pytest
from picture_kit import NOW, Desk, raised

from port2port.core.alert import AlertAcknowledged, AlertRepeated, AlertWorsened, Priority
from port2port.core.errors import NotFound
from port2port.core.party import Actor, Role
from port2port.picture.model import CAUSES, State

JAN, AN = Actor("jan", Role.OPERATOR), Actor("an", Role.OPERATOR)


def test_the_worst_stands_first_then_the_newest(desk: Desk) -> None:
    desk.tell(raised("low", Priority.LOW), raised("urgent", Priority.URGENT), raised("high"))
    alerts, total, told = desk.queue.page(0, 10)
    assert [each.id for each in alerts] == ["urgent", "high", "low"]
    assert (total, told) == (3, 3)


def test_an_acknowledgement_is_one_entry_however_often_it_is_sent(desk: Desk) -> None:
    desk.tell(raised())
    first = desk.queue.acknowledge("a1", JAN)
    again = desk.queue.acknowledge("a1", JAN)
    other = desk.queue.acknowledge("a1", AN)
    assert {each.acknowledged_by for each in (first, again, other)} == {"jan"}
    written = desk.site.store.read(0, kinds={AlertAcknowledged.kind()})
    assert len(written) == 1


def test_a_verb_knows_what_the_reader_has_not_yet_folded(desk: Desk) -> None:
    with desk.site.store.transaction() as tx:
        tx.append(raised())
    assert desk.queue.acknowledge("a1", JAN).state is State.ACKNOWLEDGED
    assert desk.queue.get("a1").acknowledged_by == "jan"


def test_a_closed_alert_leaves_the_queue_and_can_still_be_found(desk: Desk) -> None:
    desk.tell(raised())
    desk.queue.close("a1", JAN, CAUSES[1])
    desk.read()
    assert desk.queue.page(0, 10)[:2] == ([], 0)
    assert desk.queue.get("a1").cause == CAUSES[1]


def test_who_asks_for_an_alert_gets_its_present_sentence(desk: Desk) -> None:
    worse = AlertWorsened(at=NOW, alert_id="a1", priority=Priority.URGENT, sentence="picture.queue.mine", values={})
    desk.tell(raised(), worse)
    found = desk.queue.find("a1")
    assert found is not None
    assert (found.priority, found.sentence) == (Priority.URGENT, "picture.queue.mine")
    assert desk.queue.find("unknown") is None


def test_an_unknown_alert_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.queue.acknowledge("unknown", JAN)


def test_an_entry_about_an_unknown_alert_is_counted_and_passed_by(desk: Desk) -> None:
    desk.tell(AlertRepeated(at=NOW, alert_id="unknown", count=2), raised())
    assert desk.site.counters.get("picture.refused.unknown-alert") == 1
    assert desk.queue.page(0, 10)[1] == 1


def test_reading_the_journal_again_gives_the_same_rows(desk: Desk) -> None:
    desk.tell(raised(), AlertRepeated(at=NOW, alert_id="a1", count=4))
    before = desk.queue.get("a1")
    page = desk.site.store.read(0)
    with desk.site.store.transaction() as tx:
        desk.running.readers[0].handle(tx, page)
    assert desk.queue.get("a1") == before
