"""Pages in a browser: report, act, share step by step, and hostile text."""

from __future__ import annotations

import re
from itertools import product

import pytest
from arrivals_kit import arrive
from incidents_kit import ANTWERP, LIEGE, OPERATOR, POLICE, START, Desk, make_desk

from port2port.core.exchange import ObjectOffered
from port2port.core.handling import Pap
from port2port.core.party import Role
from port2port.incidents import capability
from port2port.incidents.model import Kind, Place, Report
from port2port.testing.browser import Browser, browser

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">{{ 7*7 }}'


def report(at: Browser, **fields: str) -> str:
    form = {"kind": "fence-cut", "place": "Gate 3", "minutes_ago": "5", "description": "A hole.", **fields}
    answer = at.post("/report", form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_an_empty_list_says_how_to_fill_it(operator: Browser) -> None:
    answer = operator.get("/incidents")
    assert answer.status_code == 200
    assert "An incident begins with a report" in answer.text


def test_the_phone_form_needs_no_script(guard: Browser) -> None:
    form = guard.get("/report").text
    assert form.count("<label>") == 5
    assert 'id="use-position" hidden' in form
    assert 'method="post" action="/report"' in form


def test_a_guard_reports_and_reads_what_happens_next(guard: Browser) -> None:
    page = guard.get(report(guard)).text
    assert "Fence cut, Gate 3: A hole." in page
    assert "Reported; nobody has assessed it yet." in page
    assert "What comes of it will stand here." in page
    assert "/triage" not in page


def test_a_guard_may_note_but_not_triage_or_share(guard: Browser) -> None:
    path = report(guard)
    assert guard.post(f"{path}/notes", {"text": "Still there"}).status_code == 303
    assert guard.post(f"{path}/triage", {"kind": "other", "priority": "1"}).status_code == 403
    assert guard.get(f"{path}/share").status_code == 403


def test_bad_fields_are_one_clear_error(guard: Browser) -> None:
    form = {"kind": "fence-cut", "place": "Gate 3", "description": "A hole."}
    for fields in (
        {"kind": "nonsense"},
        {"place": ""},
        {"place": "x" * 81},
        {"description": "x" * 2001},
        {"minutes_ago": "-5"},
        {"minutes_ago": "99999999999"},
        {"latitude": "91", "longitude": "0"},
        {"latitude": "nan", "longitude": "0"},
        {"priority": "0"},
    ):
        assert guard.post("/report", {**form, **fields}).status_code == 400, fields


def test_hostile_text_is_stored_as_text_and_escaped(operator: Browser) -> None:
    path = report(operator, description=HOSTILE, place="<b>quay</b>")
    operator.post(f"{path}/notes", {"text": HOSTILE, "goes_along": "on"})
    for each in (path, f"{path}/detail", f"{path}/share", "/incidents"):
        text = operator.get(each).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "<b>quay" not in text
        assert "49" not in re.findall(r"onerror.{0,30}", text)
        assert "&lt;script&gt;" in text


def test_an_operator_triages_takes_and_closes(operator: Browser) -> None:
    path = report(operator)
    assert operator.post(f"{path}/triage", {"kind": "intruder", "priority": "2"}).status_code == 303
    assert operator.post(f"{path}/assign", {"role": ""}).status_code == 303
    assert operator.post(f"{path}/close", {"cause": "measure-taken"}).status_code == 303
    page = operator.get(path).text
    assert "Closed: a measure was taken." in page
    assert operator.post(f"{path}/close", {"cause": "harmless"}).status_code == 409


def test_the_console_gets_the_fragment_alone_and_the_refusal_in_it(operator: Browser) -> None:
    path = report(operator)
    answer = operator.post(f"{path}/close", {"cause": "harmless"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<article")
    again = operator.post(f"{path}/close", {"cause": "harmless"}, headers={"HX-Request": "true"})
    assert "It is closed already." in again.text


def test_an_alert_leads_to_its_incident(operator: Browser) -> None:
    answer = operator.post("/incidents/from-alert/alert-1")
    assert answer.status_code == 303
    assert operator.get(answer.headers["location"]).status_code == 200
    assert operator.post("/incidents/from-alert/alert-1").headers["location"] == answer.headers["location"]


def test_who_receives_it_stands_there_by_name_before_it_is_sent(desk: Desk, operator: Browser) -> None:
    path = report(operator)
    text = operator.get(f"{path}/share").text
    receive, _, rest = text.partition("Will receive it")[2].partition("Will not receive it")
    assert POLICE.name in receive
    assert ANTWERP.name in receive
    assert LIEGE.name not in receive
    assert LIEGE.name in rest
    assert "Not among those you chose." in rest
    assert "Send to CSD Limburg, Port of Antwerp-Bruges" in rest
    assert desk.facts(ObjectOffered) == []


def seen_in(text: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]+)"', text)
    assert found
    return found[1]


def test_it_is_sent_to_exactly_those_who_were_shown(desk: Desk, operator: Browser) -> None:
    path = report(operator)
    choice = {"audience": "nodes", f"node:{LIEGE.node_id}": "on", "tlp": "TLP:GREEN", "pap": "PAP:RED", "months": "6"}
    unseen = operator.post(f"{path}/share", {**choice, "step": "send", "seen": "0"})
    assert unseen.status_code == 200
    assert "has changed since it was shown" in unseen.text
    assert "PAP:RED – in your own records only" in unseen.text
    assert desk.facts(ObjectOffered) == []
    sent = operator.post(f"{path}/share", {**choice, "step": "send", "seen": seen_in(unseen.text)})
    assert sent.status_code == 303
    (offered,) = desk.facts(ObjectOffered)
    assert isinstance(offered, ObjectOffered)
    assert offered.handling.audience.nodes == {LIEGE.node_id}
    assert offered.handling.pap is Pap.RED
    assert "Port of Liège" in operator.get(path).text
    assert "PAP:RED – in your own records only" in operator.get(path).text
    again = operator.get(f"{path}/share").text
    assert 'name="pap" value="PAP:RED" checked' in again
    assert 'name="tlp" value="TLP:GREEN" checked' in again


def test_an_update_names_its_receivers_and_goes_to_them(desk: Desk, operator: Browser) -> None:
    path = report(operator)
    shown = operator.get(f"{path}/share").text
    choice = {"audience": "group:coast", "tlp": "TLP:AMBER", "step": "send", "seen": seen_in(shown)}
    assert operator.post(f"{path}/share", choice).status_code == 303
    assert "Send update" not in operator.get(path).text
    operator.post(f"{path}/close", {"cause": "false-alarm"})
    page = operator.get(path).text
    assert "Send update to CSD Limburg, Port of Antwerp-Bruges" in page
    assert operator.post(f"{path}/update", {"seen": "0"}).status_code == 409
    assert operator.post(f"{path}/update", {"seen": seen_in(page)}).status_code == 303
    assert len(desk.facts(ObjectOffered)) == 2


def test_offence_data_is_explained_and_leads_to_the_police_side(operator: Browser) -> None:
    path = report(operator)
    choice = {"audience": "group:coast", "personal_data": "offence-related", "step": "preview"}
    refused = operator.post(f"{path}/share", choice).text
    assert "may not be shared between ports" in refused
    assert "Hand over to the police side" in refused
    assert "Send to" not in refused
    police = operator.post(f"{path}/share", {**choice, "step": "police"}).text
    assert "This goes to the police side only." in police


def test_without_connections_it_says_so_and_how_to_get_them() -> None:
    alone = make_desk(connected=False)
    folders = {"incidents": capability.folder}
    with browser(alone.site, role=Role.OPERATOR, routes=alone.running.routes, folders=folders) as it:
        text = it.get(f"{report(it)}/share").text
    assert "not connected to other ports yet" in text
    assert "invite another port or join" in text


def test_a_copy_shows_owner_label_and_who_else_has_it(desk: Desk, operator: Browser) -> None:
    copy = arrive(desk)
    text = operator.get(f"/incidents/{copy}").text
    assert "TLP:AMBER" in text
    assert "the receiving organisation, and its clients who need to know" in text
    assert "All members of the network" in text
    assert ANTWERP.name in text
    assert "Drifts east" in text
    assert "/triage" not in text
    assert ANTWERP.name in operator.get("/incidents").text


def test_an_unknown_incident_is_not_found(operator: Browser) -> None:
    assert operator.get("/incidents/nonsense").status_code == 404


def test_every_page_has_all_its_words(desk: Desk, operator: Browser, caplog: pytest.LogCaptureFixture) -> None:
    path, copy = report(operator), f"/incidents/{arrive(desk)}"
    operator.post(f"{path}/triage", {"kind": "intruder", "priority": "2"})
    pages = ("/incidents?closed=true", "/report", path, copy, f"{path}/share", f"{copy}/share")
    for language, each in product(("nl", "fr", "de", "en"), pages):
        operator.post("/account", {"language": language})
        assert "incidents." not in re.sub(r'(href|src|action|hx-\w+)="[^"]*"', "", operator.get(each).text), each
    assert "no word" not in caplog.text


def test_it_stands_on_the_map_where_it_was_seen(desk: Desk) -> None:
    place = Place(name="Gate 3", position=None)
    desk.service.report(Report(kind=Kind.OTHER, title="x", description="", place=place, observed_at=START), OPERATOR)
    arrive(desk)
    (layer,) = desk.running.layers
    assert layer.features is not None
    (feature,) = layer.features()["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [3.2, 51.43]}
