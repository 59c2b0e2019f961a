"""The same verbs for programs."""

from __future__ import annotations

from typing import Any

from arrivals_kit import arrive
from incidents_kit import ANTWERP, LIEGE, POLICE, Desk

from port2port.core.exchange import ObjectOffered
from port2port.testing.browser import Browser


def post(at: Browser, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = at.post(path, json=body, headers={"Accept": "application/json"})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_drop_off_scene_from_alert_to_shared(desk: Desk, operator: Browser) -> None:
    made = post(operator, "/api/incidents", {"from_alert": "alert-1"}, 201)
    path = f"/api/incidents/{made['id']}"
    asked = operator.get(f"{path}/recipients?group=coast&tlp=TLP:AMBER").json()
    assert [(each["name"], each["receives"], each["reason"]) for each in asked["recipients"]] == [
        (POLICE.name, True, None),
        (ANTWERP.name, True, None),
        (LIEGE.name, False, "not-in-audience"),
    ]
    assert asked["recipients"][2]["why"] == "Not among those you chose."
    shared = post(operator, f"{path}/share", {"audience": {"group": "coast"}, "tlp": "TLP:AMBER"})
    assert shared["version"] == 1
    assert shared["audience"] == sorted([ANTWERP.name, POLICE.name, desk.site.party.name])
    assert len(desk.facts(ObjectOffered)) == 1


def test_report_triage_assign_note_close(operator: Browser) -> None:
    made = post(
        operator,
        "/api/incidents",
        {"kind": "drone", "description": "Over quay 4", "latitude_deg": 51.2, "longitude_deg": 2.9},
        201,
    )
    path = f"/api/incidents/{made['id']}"
    assert made["title"] == "Over quay 4"
    assert post(operator, f"{path}/triage", {"kind": "drone", "priority": 1})["status"] == "triaged"
    assert post(operator, f"{path}/assign", {"role": "security-officer"})["status"] == "assigned"
    post(operator, f"{path}/notes", {"text": "Pilot found"}, 201)
    assert post(operator, f"{path}/close", {"cause": "harmless"})["cause"] == "harmless"
    one = operator.get(path).json()
    assert [line["what"].rpartition(".")[2] for line in one["timeline"]] == [
        "reported", "triaged", "assigned", "noted", "closed",
    ]  # fmt: skip
    assert operator.get("/api/incidents").json()["incidents"][0]["id"] == made["id"]


def test_an_update_goes_to_the_same_audience(desk: Desk, operator: Browser) -> None:
    made = post(operator, "/api/incidents", {"from_alert": "alert-1"}, 201)
    path = f"/api/incidents/{made['id']}"
    post(operator, f"{path}/share", {"audience": {"nodes": [LIEGE.node_id]}, "tlp": "TLP:GREEN"})
    post(operator, f"{path}/close", {"cause": "duplicate"})
    assert post(operator, f"{path}/update", {})["version"] == 2
    first, second = desk.facts(ObjectOffered)
    assert isinstance(first, ObjectOffered)
    assert isinstance(second, ObjectOffered)
    assert first.handling == second.handling


def test_bad_reports_are_refused(operator: Browser) -> None:
    for body in (
        {"kind": "nonsense", "place": "x"},
        {"place": ""},
        {"place": "x", "latitude_deg": 95.0, "longitude_deg": 0.0},
        {"place": "x", "latitude_deg": 5.0},
        {"place": "x", "title": "y" * 121},
        {"place": "x", "observed_at": "2026-03-01T12:00:00"},
        {"place": "x", "observed_at": "2036-03-01T12:00:00Z"},
        {"place": "x", "surprise": 1},
    ):
        assert post(operator, "/api/incidents", body, 400)["kind"] == "bad-input", body


def test_an_audience_is_exactly_one_of_three(operator: Browser) -> None:
    made = post(operator, "/api/incidents", {"from_alert": "alert-1"}, 201)
    for audience in ({}, {"group": "coast", "all": True}, {"nodes": ["x"] * 501}):
        post(operator, f"/api/incidents/{made['id']}/share", {"audience": audience}, 400)


def test_nobody_and_offences_are_conflicts(operator: Browser) -> None:
    made = post(operator, "/api/incidents", {"from_alert": "alert-1"}, 201)
    path = f"/api/incidents/{made['id']}/share"
    assert "Nobody" in post(operator, path, {"audience": {"group": "unknown"}}, 409)["detail"]
    offence = {"audience": {"group": "coast"}, "personal_data": "offence-related"}
    assert "police" in post(operator, path, offence, 409)["hint"]


def test_red_names_its_readers_by_the_short_name_of_their_port(desk: Desk, operator: Browser) -> None:
    made = post(operator, "/api/incidents", {"from_alert": "alert-1"}, 201)
    path = f"/api/incidents/{made['id']}/share"
    red = {"audience": {"nodes": [ANTWERP.node_id]}, "tlp": "TLP:RED"}
    post(operator, path, red, 409)
    post(operator, path, {**red, "readers": ["an-officer@Nowhere"]}, 400)
    post(operator, path, {**red, "readers": ["an-officer@Antwerp"]})
    (offered,) = desk.facts(ObjectOffered)
    assert isinstance(offered, ObjectOffered)
    assert offered.handling.readers == {f"an-officer@{ANTWERP.node_id}"}


def test_a_guard_reports_but_makes_nothing_of_alerts(guard: Browser) -> None:
    post(guard, "/api/incidents", {"kind": "theft", "place": "Shed 2"}, 201)
    post(guard, "/api/incidents", {"from_alert": "alert-1"}, 403)


def test_a_copy_is_listed_with_its_origin(desk: Desk, operator: Browser) -> None:
    copy = arrive(desk)
    one = operator.get(f"/api/incidents/{copy}").json()
    assert (one["origin"], one["origin_name"]) == ("shared", ANTWERP.name)
    assert one["handling"]["tlp"] == "TLP:AMBER"
    post(operator, f"/api/incidents/{copy}/close", {"cause": "harmless"}, 409)
