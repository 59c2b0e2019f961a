"""What other ports share: copies, updates, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from arrivals_kit import ID, arrive, label_of, take_back, told_by
from incidents_kit import ANTWERP, GUARD, LIEGE, OPERATOR, START, Desk

from port2port.core.alert import AlertClosed, AlertEnded, AlertRaised, AlertRepeated, AlertWorsened, Priority
from port2port.core.errors import Conflict, NotFound
from port2port.core.exchange import ObjectArrived, ObjectConsulted
from port2port.core.handling import Tlp, named_nodes
from port2port.incidents import tables
from port2port.incidents.model import Cause, Kind, Origin, Place, Report, Status
from port2port.incidents.release import Choice
from port2port.incidents.stix import write_bundle


def test_what_arrives_is_a_copy_and_stands_in_the_queue(desk: Desk) -> None:
    copy = desk.service.get(arrive(desk), GUARD)
    assert (copy.origin, copy.origin_name, copy.version) == (Origin.SHARED, ANTWERP.name, 1)
    assert (copy.title, copy.place.name, copy.notes[0].text) == ("Bags floating", "Scheldt mouth", "Drifts east")
    (alert,) = desk.facts(AlertRaised)
    assert isinstance(alert, AlertRaised)
    assert (alert.capability, alert.rule) == ("incidents", "incidents.rule.shared")
    assert (alert.subject, alert.detail) == (f"incident:{copy.id}", f"/incidents/{copy.id}/detail")
    assert (alert.owner, alert.tlp, alert.sentence) == (
        "Antwerp", "TLP:AMBER", "incidents.sentence.shared.drop-off-at-sea",
    )  # fmt: skip
    assert alert.values == {"origin": ANTWERP.name, "reference": "ANT-2026-0042"}
    assert "Bags" not in repr(alert), "a word that a person wrote would stay in the journal for ever"


def test_the_same_id_at_two_origins_is_two_copies_and_neither_is_ours(desk: Desk) -> None:
    from_antwerp, from_liege = arrive(desk, ANTWERP), arrive(desk, LIEGE, title="Another matter")
    assert from_antwerp != from_liege
    assert ID not in (from_antwerp, from_liege)
    assert desk.service.get(from_antwerp, GUARD).title == "Bags floating"
    assert desk.service.get(from_liege, GUARD).title == "Another matter"


def test_a_newer_version_updates_the_copy_and_adds_a_line(desk: Desk) -> None:
    copy = arrive(desk)
    arrive(desk, version=2, title="Bags recovered", notes=())
    found = desk.service.get(copy, GUARD)
    assert (found.title, found.version, found.notes) == ("Bags recovered", 2, ())
    lines = desk.service.timeline(copy, GUARD)
    assert [each.what for each in lines] == ["incidents.entry.arrived", "incidents.entry.updated"]
    (repeated,) = desk.facts(AlertRepeated)
    assert isinstance(repeated, AlertRepeated)
    assert repeated.count == 2


def test_an_older_version_changes_nothing_and_is_counted(desk: Desk) -> None:
    copy = arrive(desk, version=2, title="New")
    arrive(desk, version=1, title="Old")
    assert desk.service.get(copy, GUARD).title == "New"
    assert desk.site.counters.get("incidents.refused.old-version") == 1


def test_a_worse_priority_rings_again(desk: Desk) -> None:
    arrive(desk)
    arrive(desk, version=2, priority=Priority.URGENT)
    (worse,) = desk.facts(AlertWorsened)
    assert isinstance(worse, AlertWorsened)
    assert worse.priority is Priority.URGENT


def test_when_its_owner_closes_it_the_alert_ends(desk: Desk) -> None:
    arrive(desk)
    arrive(desk, version=2, status=Status.CLOSED, cause=Cause.MEASURE_TAKEN)
    assert len(desk.facts(AlertEnded)) == 1


def test_an_update_after_the_alert_was_closed_here_raises_another(desk: Desk) -> None:
    arrive(desk)
    (first,) = desk.facts(AlertRaised)
    assert isinstance(first, AlertRaised)
    with desk.site.store.transaction() as tx:
        tx.append(AlertClosed(at=START, alert_id=first.alert_id, account="x", cause="picture.cause.handled"))
    desk.read_on()
    arrive(desk, version=2)
    assert len({each.alert_id for each in desk.facts(AlertRaised) if isinstance(each, AlertRaised)}) == 2


def test_a_copy_cannot_be_shared_on(desk: Desk) -> None:
    copy = arrive(desk)
    with pytest.raises(Conflict, match="not-ours"):
        desk.service.share(copy, Choice(audience=named_nodes(LIEGE.node_id)), OPERATOR)
    with pytest.raises(Conflict, match="not-ours"):
        desk.service.close(copy, Cause.HARMLESS, OPERATOR)


def test_red_is_seen_by_its_named_readers_and_by_nobody_else(desk: Desk) -> None:
    us = desk.site.party.node_id
    label = label_of(ANTWERP, tlp=Tlp.RED, audience=named_nodes(us), readers=frozenset({f"{OPERATOR.account}@{us}"}))
    copy = arrive(desk, handling=label)
    assert desk.service.get(copy, OPERATOR).title == "Bags floating"
    (consulted,) = desk.facts(ObjectConsulted)
    assert isinstance(consulted, ObjectConsulted)
    assert (consulted.account, consulted.tlp, consulted.object_id) == (OPERATOR.account, "TLP:RED", copy)
    with pytest.raises(NotFound):
        desk.service.get(copy, GUARD)
    with pytest.raises(NotFound):
        desk.service.timeline(copy, GUARD)
    assert len(desk.facts(ObjectConsulted)) == 1
    assert desk.service.lists(GUARD).shared == []
    assert desk.service.all(GUARD) == []
    assert desk.service.on_map() == []
    assert desk.facts(AlertRaised) == []


def test_a_copy_is_gone_when_it_may_no_longer_be_kept(desk: Desk) -> None:
    copy = arrive(desk)
    desk.clock.step(timedelta(days=365))
    with pytest.raises(NotFound):
        desk.service.get(copy, GUARD)
    assert desk.service.lists(GUARD).shared == []
    assert desk.service.forget_expired() == 1
    with desk.site.store.reading() as view:
        assert tables.find(view, copy) is None
        assert tables.timeline(view, copy) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"nonsense", "bad-bundle"),
        (b"[" * 100_000, "bad-bundle"),
        (b" " * (128 * 1024 + 1), "too-large"),
        (b'{"type":"bundle","id":"x","objects":[{"type":"note"}]}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","objects":[{"type":"tool"}]}', "not-one-incident"),
    ],
)
def test_what_cannot_be_read_is_counted_and_passed(desk: Desk, body: bytes, reason: str) -> None:
    arrive(desk, body=body)
    assert desk.service.lists(OPERATOR).shared == []
    assert desk.site.counters.get(f"incidents.refused.{reason}") == 1
    arrive(desk, version=2)
    assert len(desk.service.lists(OPERATOR).shared) == 1


def test_a_bundle_under_another_label_is_refused(desk: Desk) -> None:
    told = told_by(ANTWERP, label_of(ANTWERP, tlp=Tlp.GREEN))
    arrive(desk, body=write_bundle(told, ANTWERP))
    assert desk.site.counters.get("incidents.refused.other-label") == 1


def test_our_own_object_coming_back_is_refused(desk: Desk) -> None:
    arrive(desk, desk.site.party)
    assert desk.site.counters.get("incidents.refused.own-origin") == 1


def test_objects_of_other_kinds_are_not_ours(desk: Desk) -> None:
    with desk.site.store.transaction() as tx:
        tx.append(
            ObjectArrived(
                at=START, object_kind="practice", object_id="x", version=1, handling=label_of(ANTWERP),
                origin=ANTWERP.node_id, origin_name=ANTWERP.name,
            )
        )  # fmt: skip
    desk.read_on()
    assert desk.site.counters.all() == {}


def test_what_its_owner_takes_back_is_gone_and_its_alert_says_why(desk: Desk) -> None:
    copy = arrive(desk)
    take_back(desk)
    with pytest.raises(NotFound):
        desk.service.get(copy, GUARD)
    (ended,) = desk.facts(AlertEnded)
    assert isinstance(ended, AlertEnded)
    assert ended.reason == "incidents.ended.withdrawn"


def test_a_take_back_of_an_older_version_leaves_the_newer(desk: Desk) -> None:
    copy = arrive(desk)
    arrive(desk, version=2, title="Now twenty")
    take_back(desk, version=1)
    assert desk.service.get(copy, GUARD).title == "Now twenty"
    assert desk.facts(AlertEnded) == []


def test_an_erased_incident_of_our_own_is_gone_with_its_timeline(desk: Desk) -> None:
    what = Report(kind=Kind.FENCE_CUT, title="Cut fence", description="", place=Place(name="Quay 4"), observed_at=START)
    own = desk.service.report(what, GUARD)
    take_back(desk, erased=True, own=own.id)
    with pytest.raises(NotFound):
        desk.service.get(own.id, GUARD)
    with desk.site.store.reading() as view:
        assert tables.timeline(view, own.id) == []


def test_one_that_was_erased_may_come_again(desk: Desk) -> None:
    copy = arrive(desk)
    take_back(desk, erased=True)
    assert arrive(desk, version=2) == copy
    assert desk.service.get(copy, GUARD).version == 2
