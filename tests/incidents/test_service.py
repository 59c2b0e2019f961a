"""Verbs on the memory store: from alert, from a report, shared, updated, and alone in the world."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from incidents_kit import (
    ANTWERP,
    GUARD,
    LIEGE,
    OPERATOR,
    POLICE,
    START,
    Desk,
    PaperNetwork,
    agreement_of,
    make_desk,
    roster_with,
    say,
)

from port2port.core.alert import AlertAcknowledged, Priority
from port2port.core.errors import Conflict, NotFound
from port2port.core.exchange import ObjectOffered
from port2port.core.handling import PersonalData, Reason, Roster, Tlp, all_members, named_nodes, sharing_group
from port2port.core.party import Compartment, Role
from port2port.incidents.model import Cause, Incident, Kind, Place, Report, Status
from port2port.incidents.release import Choice
from port2port.incidents.stix import read_bundle

COAST = Choice(audience=sharing_group("coast"))


def fence(desk: Desk, draft_id: str = "") -> Incident:
    what = Report(
        kind=Kind.FENCE_CUT,
        title="Fence cut",
        description="One metre.",
        place=Place(name="Gate 3"),
        observed_at=START,
        draft_id=draft_id,
    )
    return desk.service.report(what, GUARD)


def test_an_alert_becomes_an_incident_and_is_acknowledged(desk: Desk) -> None:
    made = desk.service.from_alert("alert-1", OPERATOR, say)
    assert made.title == "Tanker MORNING WAGTAIL adrift, Watch area Ostend"
    assert (made.kind, made.priority, made.place.name) == (Kind.VESSEL_ADRIFT, Priority.HIGH, "Watch area Ostend")
    assert desk.facts(AlertAcknowledged) == [AlertAcknowledged(at=START, alert_id="alert-1", account=OPERATOR.account)]


def test_the_same_alert_twice_is_one_incident(desk: Desk) -> None:
    first = desk.service.from_alert("alert-1", OPERATOR, say)
    assert desk.service.from_alert("alert-1", GUARD, say) == first
    assert len(desk.facts(AlertAcknowledged)) == 1


def test_an_unknown_alert_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.service.from_alert("nonsense", OPERATOR, say)


def test_reference_numbers_count_from_one_each_year(desk: Desk) -> None:
    assert [fence(desk).reference, fence(desk).reference] == ["OST-2026-0001", "OST-2026-0002"]
    desk.clock.step(timedelta(days=365))
    assert fence(desk).reference == "OST-2027-0001"


def test_the_same_form_sent_twice_is_one_incident(desk: Desk) -> None:
    assert fence(desk, "draft-7").id == fence(desk, "draft-7").id
    assert fence(desk, "draft-8").reference == "OST-2026-0002"


def test_the_timeline_says_who_when_and_what(desk: Desk) -> None:
    made = fence(desk)
    desk.service.triage(made.id, Kind.INTRUDER, Priority.HIGH, OPERATOR)
    desk.service.assign(made.id, Role.SECURITY_OFFICER, "", OPERATOR)
    desk.service.note(made.id, "A car was seen", False, GUARD)
    desk.service.close(made.id, Cause.MEASURE_TAKEN, OPERATOR)
    lines = desk.service.timeline(made.id, OPERATOR)
    assert [(each.number, each.account, each.what.rpartition(".")[2]) for each in lines] == [
        (1, "a-guard", "reported"),
        (2, "an-operator", "triaged"),
        (3, "an-operator", "assigned"),
        (4, "a-guard", "noted"),
        (5, "an-operator", "closed"),
    ]
    assert lines[3].text == "A car was seen"


def test_the_reporter_sees_the_outcome_among_his_own(desk: Desk) -> None:
    made = fence(desk)
    desk.service.close(made.id, Cause.HANDED_TO_POLICE, OPERATOR)
    (mine,) = desk.service.lists(GUARD).mine
    assert mine.cause is Cause.HANDED_TO_POLICE
    assert desk.service.lists(OPERATOR).mine == []


def test_what_is_assigned_to_a_role_is_everybodys_of_that_role(desk: Desk) -> None:
    made = fence(desk)
    desk.service.assign(made.id, Role.OPERATOR, "", OPERATOR)
    assert [each.id for each in desk.service.lists(OPERATOR).mine] == [made.id]


def test_before_sending_each_member_stands_there_by_name_with_the_reason(desk: Desk) -> None:
    shown = desk.service.preview(fence(desk).id, COAST, OPERATOR)
    assert [(each.party.name, each.receives, each.reason) for each in shown.recipients] == [
        (POLICE.name, True, None),
        (ANTWERP.name, True, None),
        (LIEGE.name, False, Reason.NOT_IN_AUDIENCE),
    ]
    assert (shown.handling.tlp, shown.handling.personal_data) == (Tlp.AMBER, PersonalData.NONE)
    assert shown.handling.retain_until.isoformat() == "2027-03-02T00:00:00+00:00"


def test_sharing_offers_a_bundle_that_another_port_can_read(desk: Desk) -> None:
    made = fence(desk)
    desk.service.note(made.id, "For the neighbours", True, OPERATOR)
    desk.service.note(made.id, "For ourselves", False, OPERATOR)
    shared = desk.service.share(made.id, COAST, OPERATOR)
    (offered,) = desk.facts(ObjectOffered)
    assert isinstance(offered, ObjectOffered)
    with desk.site.store.reading() as view:
        body = view.body(offered.object_id, offered.version)
    assert body is not None
    told = read_bundle(body)
    assert (told.incident_id, told.reference, told.version) == (made.id, "OST-2026-0001", 1)
    assert [note.text for note in told.notes] == ["For the neighbours"]
    assert told.handling == offered.handling == shared.handling
    assert b"a-guard" not in body
    assert b"an-operator" not in body
    line = desk.service.timeline(made.id, OPERATOR)[-1]
    assert line.values["names"] == "CSD Limburg, Port of Antwerp-Bruges"


def test_an_update_is_the_next_version_for_the_same_audience(desk: Desk) -> None:
    made = fence(desk)
    desk.service.share(made.id, COAST, OPERATOR)
    desk.service.close(made.id, Cause.FALSE_ALARM, OPERATOR)
    assert desk.service.get(made.id, OPERATOR).unsent
    updated = desk.service.send_update(made.id, OPERATOR)
    first, second = desk.facts(ObjectOffered)
    assert isinstance(first, ObjectOffered)
    assert isinstance(second, ObjectOffered)
    assert (second.version, second.handling) == (2, first.handling)
    assert not updated.unsent
    with desk.site.store.reading() as view:
        told = read_bundle(view.body(made.id, 2) or b"")
    assert (told.status, told.cause) == (Status.CLOSED, Cause.FALSE_ALARM)


def test_an_update_of_what_was_never_shared_is_a_conflict(desk: Desk) -> None:
    with pytest.raises(Conflict, match="never-shared"):
        desk.service.send_update(fence(desk).id, OPERATOR)


def test_sharing_with_nobody_sends_nothing(desk: Desk) -> None:
    with pytest.raises(Conflict, match="nobody"):
        desk.service.share(fence(desk).id, Choice(audience=named_nodes()), OPERATOR)
    assert desk.facts(ObjectOffered) == []


def test_amber_strict_is_not_for_all_members(desk: Desk) -> None:
    choice = Choice(audience=all_members(), tlp=Tlp.AMBER_STRICT)
    assert desk.service.preview(fence(desk).id, choice, OPERATOR).receivers == {}


def test_offence_data_is_refused_between_ports_and_may_be_handed_to_the_police(desk: Desk) -> None:
    made = fence(desk)
    choice = Choice(audience=sharing_group("coast"), personal_data=PersonalData.OFFENCE_RELATED)
    shown = desk.service.preview(made.id, choice, OPERATOR)
    assert shown.is_offence_in_a
    assert shown.receivers == {}
    assert shown.police == (POLICE,)
    with pytest.raises(Conflict, match="offence"):
        desk.service.share(made.id, choice, OPERATOR)


def test_the_hand_over_reaches_the_police_alone_when_the_agreement_covers_it() -> None:
    desk = make_desk()
    us = desk.site.party
    parties = frozenset(roster_with(us).parties)
    agreement = agreement_of(parties, frozenset(PersonalData))
    network = PaperNetwork(roster_with(us, agreements={agreement.id: agreement}), [agreement])
    desk.site.others.answers["network"] = network  # type: ignore[attr-defined]
    choice = Choice(audience=all_members(), personal_data=PersonalData.OFFENCE_RELATED, to_police=True)
    shown = desk.service.preview(fence(desk).id, choice, OPERATOR)
    assert shown.handling.compartment is Compartment.B
    assert list(shown.receivers.values()) == [POLICE.name]


def test_a_network_that_has_not_admitted_us_is_no_network(desk: Desk) -> None:
    desk.site.others.answers["network"].known = Roster()  # type: ignore[attr-defined]
    with pytest.raises(Conflict, match="no-network"):
        desk.service.share(fence(desk).id, COAST, OPERATOR)


def test_alone_it_works_without_console_and_network(alone: Desk) -> None:
    made = fence(alone)
    with pytest.raises(NotFound):
        alone.service.from_alert("alert-1", OPERATOR, say)
    with pytest.raises(Conflict, match="no-network"):
        alone.service.preview(made.id, COAST, OPERATOR)
    alone.service.close(made.id, Cause.HARMLESS, OPERATOR)
    assert alone.service.counts() == {"reported": 0, "triaged": 0, "assigned": 0, "closed": 1, "shared": 0}


def test_it_is_all_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    desk = make_desk(url=url)
    made = desk.service.share(fence(desk).id, COAST, OPERATOR)
    desk.site.store.close()
    again = make_desk(url=url)
    assert again.service.get(made.id, OPERATOR) == made
    assert len(again.service.timeline(made.id, OPERATOR)) == 2
    again.site.store.close()
