"""The life of an incident: pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from port2port.core.alert import Priority
from port2port.core.errors import BadInput, Conflict
from port2port.core.exchange import ObjectOffered
from port2port.core.handling import Handling, LegalBasis, PersonalData, Purpose, Tlp, sharing_group
from port2port.core.party import Actor, Compartment, Role
from port2port.incidents import model
from port2port.incidents.facts import IncidentClosed, IncidentNoted, IncidentReported, IncidentShared
from port2port.incidents.model import Cause, Incident, Kind, Origin, Place, Report, Status

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GUARD = Actor("guard", Role.READER)
OPERATOR = Actor("operator", Role.OPERATOR)
LABEL = Handling(
    origin="o" * 64,
    tlp=Tlp.AMBER,
    audience=sharing_group("coast"),
    compartment=Compartment.A,
    legal_basis=LegalBasis.ISPS_CODE,
    purpose=Purpose.PORT_SECURITY,
    personal_data=PersonalData.NONE,
    retain_until=NOW + timedelta(days=365),
    agreement_id="x",
)


def reported(**wishes: object) -> Incident:
    what = Report(
        kind=Kind.FENCE_CUT,
        title="Fence cut at gate 3",
        description="A hole of one metre.",
        place=Place(name="Gate 3"),
        observed_at=NOW,
    )
    made = model.report(what, "id-1", "OST-2026-0001", GUARD, NOW).incident
    return Incident(**{**{name: getattr(made, name) for name in made.__slots__}, **wishes})  # type: ignore[arg-type]


def test_a_report_names_no_text_in_its_fact() -> None:
    change = model.report(
        Report(kind=Kind.OTHER, title="t", description="secret words", place=Place(name="p"), observed_at=NOW),
        "id-1", "OST-2026-0001", GUARD, NOW,
    )  # fmt: skip
    (fact,) = change.facts
    assert isinstance(fact, IncidentReported)
    assert "secret words" not in repr(fact)
    assert change.incident.status is Status.REPORTED


def test_a_report_from_the_future_is_refused() -> None:
    late = Report(
        kind=Kind.OTHER, title="t", description="", place=Place(name="p"), observed_at=NOW + timedelta(seconds=1)
    )
    with pytest.raises(BadInput):
        model.report(late, "id-1", "OST-2026-0001", GUARD, NOW)


def test_triage_assign_and_close_follow_one_another() -> None:
    triaged = model.triage(reported(), Kind.INTRUDER, Priority.HIGH, OPERATOR, NOW).incident
    assigned = model.assign(triaged, Role.SECURITY_OFFICER, "", OPERATOR, NOW).incident
    closed = model.close(assigned, Cause.MEASURE_TAKEN, OPERATOR, NOW)
    assert [triaged.status, assigned.status, closed.incident.status] == ["triaged", "assigned", "closed"]
    assert (triaged.kind, triaged.priority) == (Kind.INTRUDER, Priority.HIGH)
    assert closed.incident.cause is Cause.MEASURE_TAKEN
    assert isinstance(closed.facts[0], IncidentClosed)
    assert closed.entry.number == 4


def test_triage_of_an_assigned_incident_leaves_it_assigned() -> None:
    assigned = model.assign(reported(), None, "operator", OPERATOR, NOW).incident
    assert model.triage(assigned, Kind.DRONE, Priority.LOW, OPERATOR, NOW).incident.status is Status.ASSIGNED


@pytest.mark.parametrize(
    "verb",
    [
        lambda known: model.triage(known, Kind.OTHER, Priority.LOW, OPERATOR, NOW),
        lambda known: model.assign(known, Role.OPERATOR, "", OPERATOR, NOW),
        lambda known: model.close(known, Cause.HARMLESS, OPERATOR, NOW),
    ],
)
def test_what_is_closed_stays_closed(verb) -> None:  # type: ignore[no-untyped-def]
    closed = model.close(reported(), Cause.HARMLESS, OPERATOR, NOW).incident
    with pytest.raises(Conflict, match=r"incidents\.error\.closed"):
        verb(closed)


@pytest.mark.parametrize(
    "verb",
    [
        lambda known: model.triage(known, Kind.OTHER, Priority.LOW, OPERATOR, NOW),
        lambda known: model.assign(known, Role.OPERATOR, "", OPERATOR, NOW),
        lambda known: model.note(known, "x", False, OPERATOR, NOW),
        lambda known: model.close(known, Cause.HARMLESS, OPERATOR, NOW),
        lambda known: model.share(known, LABEL, {"a": "A"}, OPERATOR, NOW),
    ],
)
def test_a_copy_is_read_only(verb) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Conflict, match="not-ours"):
        verb(reported(origin=Origin.SHARED))


def test_a_note_may_follow_after_closing_and_its_text_stays_out_of_the_journal() -> None:
    closed = model.close(reported(), Cause.HARMLESS, OPERATOR, NOW).incident
    change = model.note(closed, "the gate was repaired", True, OPERATOR, NOW)
    assert change.entry.text == "the gate was repaired"
    assert isinstance(change.facts[0], IncidentNoted)
    assert "repaired" not in repr(change.facts)


@pytest.mark.parametrize(("role", "account"), [(None, ""), (Role.OPERATOR, "somebody")])
def test_it_is_assigned_to_exactly_one(role: Role | None, account: str) -> None:
    with pytest.raises(BadInput):
        model.assign(reported(), role, account, OPERATOR, NOW)


def test_assigning_again_to_the_same_is_a_conflict() -> None:
    assigned = model.assign(reported(), Role.OPERATOR, "", OPERATOR, NOW).incident
    with pytest.raises(Conflict):
        model.assign(assigned, Role.OPERATOR, "", OPERATOR, NOW)


def test_each_share_is_one_version_more_and_offers_the_object() -> None:
    first = model.share(reported(), LABEL, {"a": "A"}, OPERATOR, NOW)
    second = model.share(first.incident, LABEL, {"a": "A"}, OPERATOR, NOW)
    assert (first.incident.version, second.incident.version) == (1, 2)
    shared, offered = second.facts
    assert isinstance(shared, IncidentShared)
    assert isinstance(offered, ObjectOffered)
    assert (offered.object_kind, offered.object_id, offered.version) == ("incident", "id-1", 2)
    assert offered.handling == LABEL


def test_sharing_with_nobody_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="nobody"):
        model.share(reported(), LABEL, {}, OPERATOR, NOW)


def test_only_what_receivers_see_makes_an_update_due() -> None:
    shared = model.share(reported(), LABEL, {"a": "A"}, OPERATOR, NOW).incident
    assert not shared.unsent
    assert not model.note(shared, "for ourselves", False, OPERATOR, NOW).incident.unsent
    assert model.note(shared, "for all", True, OPERATOR, NOW).incident.unsent
    closed = model.close(shared, Cause.HARMLESS, OPERATOR, NOW).incident
    assert closed.unsent
    assert not model.share(closed, LABEL, {"a": "A"}, OPERATOR, NOW).incident.unsent


@pytest.mark.parametrize(
    ("priority", "urgent"), [(Priority.URGENT, True), (Priority.HIGH, True), (Priority.LOW, False)]
)
def test_high_priorities_travel_first(priority: Priority, urgent: bool) -> None:
    offered = model.share(reported(priority=priority), LABEL, {"a": "A"}, OPERATOR, NOW).facts[1]
    assert isinstance(offered, ObjectOffered)
    assert offered.urgent is urgent
