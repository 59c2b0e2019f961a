"""What people read about sharing: who may have what and why, who has confirmed, what was taken back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from pages_kit import FOLDER, IDS, Harbour

from port2port.core.handling import Pap, Tlp, all_members, named_nodes
from port2port.core.party import Role
from port2port.sharing import ack_tables, tables
from port2port.sharing.facts import RecallOrdered
from port2port.sharing.lane import Class
from port2port.sharing.verify import Broken
from port2port.sharing.web import routes
from port2port.testing.browser import Browser, browser

WITHDRAW = {"op": "withdraw", "reason": "mistake", "sure": "on"}
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def here() -> Iterator[Harbour]:
    harbour = Harbour()
    yield harbour
    harbour.site.store.close()


@pytest.fixture
def as_role(here: Harbour) -> Iterator[Any]:
    """A browser signed in as a role."""
    with ExitStack() as stack:

        def open_as(role: Role) -> Browser:
            handlers = routes(here.parts.peers)
            return stack.enter_context(browser(here.site, role=role, routes=handlers, folders={"sharing": FOLDER}))

        yield open_as


def test_an_empty_list_says_what_would_fill_it(as_role: Any) -> None:
    it = as_role(Role.READER)
    assert "choose Share" in it.get("/sharing").text
    assert "Nothing was taken back." in it.get("/sharing/recalls").text
    assert "Port of Ghent" in it.get("/sharing/received").text


def test_the_list_says_what_is_shared_for_whom_why_and_who_has_it(here: Harbour, as_role: Any) -> None:
    here.share("a")
    here.confirm("Ghent")
    text = as_role(Role.READER).get("/sharing").text
    for words in ("Fence a", "TLP:GREEN", "all members", "ISPS Code", "North Sea agreement", "Confirmed by 1 of 2"):
        assert words in text
    assert here.site.party.node_id not in text
    assert IDS["Ghent"] not in text


def test_what_may_be_done_with_it_is_read_from_the_signed_label(here: Harbour, as_role: Any) -> None:
    here.share("a", pap=Pap.RED)
    here.share("b", pap=Pap.GREEN)
    assert "PAP:RED – in your own records only" in as_role(Role.READER).get("/sharing/a").text
    assert "PAP:GREEN – to act on" in as_role(Role.READER).get("/sharing/b").text


def test_the_list_is_paged_newest_first_and_misses_nothing(here: Harbour, as_role: Any) -> None:
    for number in range(55):
        here.share(f"object-{number:02d}")
        here.site.clock.step(timedelta(seconds=number % 2))
    it = as_role(Role.READER)
    first = it.get("/api/sharing").json()
    second = it.get("/api/sharing", params={"after": first["next"]}).json()
    ids = [each["object_id"] for each in first["objects"] + second["objects"]]
    assert len(first["objects"]) == 50
    assert second["next"] == ""
    assert sorted(ids) == [f"object-{number:02d}" for number in range(55)]
    assert ids[0] == "object-54"
    assert "Older" in it.get("/sharing").text
    assert it.get("/sharing", params={"after": "x"}).status_code == 400


def test_each_partner_is_named_with_the_reason_why_it_may_or_may_not_read(here: Harbour, as_role: Any) -> None:
    here.share("a", named_nodes(IDS["Ghent"]))
    status = here.statuses.of(IDS["Ghent"])
    status.opened(Class.FLASH, here.site.clock())
    here.site.clock.step(timedelta(hours=36))
    status.closed(Class.FLASH, here.site.clock(), "unreachable")
    here.site.clock.step(timedelta(hours=2))
    text = as_role(Role.READER).get("/sharing/a").text
    assert "it is named as a receiver" in text
    assert "not among those it is meant for" in text
    assert "Not confirmed yet, away for 2 h 00, 1 behind" in text
    assert "Confirmed by 0 of 1" in text


def test_what_a_partner_refused_stands_there_with_the_reason(here: Harbour, as_role: Any) -> None:
    here.share("a")
    here.confirm("Ghent", refused={"not-in-audience": 3, "a-word-of-its-own": 1})
    text = as_role(Role.READER).get("/sharing/a").text
    assert "3 × not meant for us" in text
    assert "1 × another reason" in text


def test_what_may_go_to_nobody_is_shown_as_not_sent(here: Harbour, as_role: Any) -> None:
    here.share("a", named_nodes())
    text = as_role(Role.READER).get("/sharing").text
    assert "Offered, but nobody may have it" in text
    assert "meant for nobody (2)" in text


@pytest.mark.parametrize("role", [Role.READER, Role.OPERATOR, Role.ANALYST])
def test_only_officers_and_administrators_take_back(here: Harbour, as_role: Any, role: Role) -> None:
    here.share("a")
    it = as_role(role)
    assert "A security officer or an administrator can take it back." in it.get("/sharing/a").text
    assert it.post("/sharing/a/take-back", WITHDRAW).status_code == 403
    assert it.post("/api/sharing/a/take-back", json={"op": "withdraw", "reason": "mistake"}).status_code == 403
    assert here.site.store.read(0, 99, {RecallOrdered.kind()}) == []


def test_taking_back_shows_by_name_who_is_asked_and_then_who_has_confirmed(here: Harbour, as_role: Any) -> None:
    here.share("a", named_nodes(IDS["Ghent"], IDS["Liège"]))
    here.share("b")
    it = as_role(Role.SECURITY_OFFICER)
    assert "Who will be asked to drop it (2)" in it.get("/sharing/a").text
    answer = it.post("/sharing/a/take-back", WITHDRAW)
    assert answer.headers["location"] == "/sharing/a#taken-back"
    assert "Being taken back" in it.get("/sharing/a").text
    here.work()
    here.site.clock.step(timedelta(seconds=14))
    text = it.get("/sharing/a", headers=FRAGMENT).text
    assert "0 of 2 confirmed" in text
    assert "asked 00:14 ago" in text
    here.confirm_taking_back("Ghent")
    text = it.get("/sharing/a", headers=FRAGMENT).text
    assert "1 of 2 confirmed" in text
    assert "<html" not in text
    assert "Port of Liège</strong>: not confirmed, not heard yet, <span" in text
    assert "Take back now" not in it.get("/sharing/a").text
    assert "Take back now" in it.get("/sharing/b").text


def test_outstanding_receipts_come_first_in_the_list(here: Harbour, as_role: Any) -> None:
    it = as_role(Role.ADMINISTRATOR)
    for object_id, readers in (("first", ("Ghent",)), ("second", ("Liège",))):
        here.share(object_id, named_nodes(*(IDS[each] for each in readers)))
        it.post(f"/sharing/{object_id}/take-back", WITHDRAW)
        here.work()
        here.site.clock.step(timedelta(minutes=1))
    here.confirm_taking_back("Liège")
    text = it.get("/sharing/recalls").text
    assert text.index("Fence first") < text.index("Fence second")
    assert "Waiting for receipts: 1" in text
    here.confirm_taking_back("Ghent")
    assert "Everybody has confirmed." in it.get("/sharing/recalls").text


def test_what_was_erased_leaves_no_name_behind(here: Harbour, as_role: Any) -> None:
    here.share("secret")
    it = as_role(Role.SECURITY_OFFICER)
    order = {"op": "erase", "reason": "court-order"}
    assert it.post("/api/sharing/secret/take-back", json=order).status_code == 202
    here.work()
    assert "A court ordered it" in it.get("/sharing/recalls").text
    assert "secret" not in it.get("/sharing/recalls").text
    assert it.get("/sharing/secret").status_code == 404
    assert "It was erased" in it.get("/sharing/secret", headers=FRAGMENT).text


@pytest.mark.parametrize("wrong", [{"sure": ""}, {"reason": ""}, {"reason": "because"}, {"op": "supersede"}])
def test_a_form_that_is_not_complete_takes_nothing_back(here: Harbour, as_role: Any, wrong: dict[str, str]) -> None:
    here.share("a")
    answer = as_role(Role.SECURITY_OFFICER).post("/sharing/a/take-back", WITHDRAW | wrong)
    assert answer.status_code == 400
    assert "tick the box" in answer.text
    assert here.site.store.read(0, 99, {RecallOrdered.kind()}) == []


def test_what_is_not_shared_cannot_be_taken_back(here: Harbour, as_role: Any) -> None:
    it = as_role(Role.SECURITY_OFFICER)
    assert it.post("/sharing/unknown/take-back", WITHDRAW).status_code == 404
    assert it.get("/sharing/unknown").status_code == 404


def test_what_others_share_stands_there_by_partner_with_what_waits(here: Harbour, as_role: Any) -> None:
    here.receive("Ghent", "a", here.label(IDS["Ghent"], all_members()))
    here.receive("Liège", "b", here.label(IDS["Liège"], named_nodes(IDS["Ghent"])))
    ghent, liege = as_role(Role.READER).get("/api/sharing/received").json()["partners"]
    assert (ghent["accepted"], ghent["kept"][0]["label"]["tlp"]) == (1, "TLP:GREEN")
    assert (liege["accepted"], liege["refused"]) == (0, {"not-in-audience": 1})


def test_tlp_red_is_not_even_counted_for_who_is_not_named(here: Harbour, as_role: Any) -> None:
    me = here.site.party.node_id
    named = frozenset({f"demo-operator@{me}"})
    here.receive("Ghent", "a", here.label(IDS["Ghent"], named_nodes(me), Tlp.RED, named))
    here.receive("Liège", "b", here.label(IDS["Liège"], named_nodes(IDS["Ghent"], me), Tlp.RED))
    reader, operator = as_role(Role.READER), as_role(Role.OPERATOR)
    hidden, seen = (each.get("/api/sharing/received").json()["partners"] for each in (reader, operator))
    assert [(each["accepted"], each["refused"]) for each in hidden] == [(0, {}), (0, {})]
    assert seen[0]["accepted"] == 1
    assert "TLP:RED" not in reader.get("/sharing/received").text
    assert "TLP:RED" in operator.get("/sharing/received").text
    assert [each["refused"] for each in reader.get("/api/network").json()["neighbours"]] == [{}, {}]


def test_a_partner_that_contradicts_itself_is_an_alarm_until_an_officer_reads_again(
    here: Harbour, as_role: Any
) -> None:
    here.receive("Ghent", "a", here.label(IDS["Ghent"], all_members()))
    with here.site.store.transaction() as tx:
        for row in tables.foreign_lanes(tx):
            tables.stop_lane(tx, row.lane.id, Broken.FORK)
    reader, officer = as_role(Role.READER), as_role(Role.SECURITY_OFFICER)
    assert "Port of Ghent signed two different histories." in reader.get("/network").text
    assert "Read again" not in reader.get("/network").text
    assert reader.post(f"/network/{IDS['Ghent']}/resume").status_code == 403
    assert "Read again" in officer.get("/network").text
    assert officer.post(f"/network/{IDS['Ghent']}/resume").status_code == 303
    assert "signed two different histories" not in reader.get("/network").text


def test_catching_up_and_stuck_are_told_apart_by_two_looks(here: Harbour, as_role: Any) -> None:
    for number in range(3):
        here.share(f"object-{number}", named_nodes(IDS["Ghent"]))
    here.statuses.of(IDS["Ghent"]).opened(Class.FLASH, here.site.clock())
    here.site.clock.step(timedelta(minutes=1))
    it = as_role(Role.READER)
    assert "connected, 3 behind, has not read them yet" in it.get("/network").text
    with here.site.store.transaction() as tx:
        (row,) = (each for each in tables.own_lanes(tx) if each.cursor.sequence == 3)
        ack_tables.save_ack(tx, IDS["Ghent"], row.lane.id, 1, {}, here.site.clock())
    here.site.clock.step(timedelta(seconds=5))
    assert "connected, 2 behind, catching up" in it.get("/network", headers=FRAGMENT).text
    here.site.clock.step(timedelta(seconds=31))
    text = it.get("/network", headers=FRAGMENT).text
    assert "connected, 2 behind, stuck: it reads nothing" in text
    assert "room on its disk" in text


def test_receipts_that_a_partner_owes_stand_in_its_row(here: Harbour, as_role: Any) -> None:
    here.share("a", named_nodes(IDS["Ghent"]))
    it = as_role(Role.SECURITY_OFFICER)
    it.post("/sharing/a/take-back", WITHDRAW)
    here.work()
    ghent, liege = it.get("/api/network").json()["neighbours"]
    assert (ghent["receipts_due"], liege["receipts_due"]) == (1, 0)
    assert "Has not confirmed: 1" in it.get("/network").text


def test_a_partner_that_is_read_through_another_says_so(here: Harbour, as_role: Any) -> None:
    here.statuses.of(IDS["Ghent"]).through = IDS["Liège"]
    assert "Meanwhile we read it through Port of Liège." in as_role(Role.READER).get("/network").text
