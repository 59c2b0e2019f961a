"""Signing in with a password, in the demonstration, and for the first time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from port2port.capability import Site
from port2port.core.clock import SteppedClock
from port2port.core.errors import BadInput
from port2port.core.party import Role
from port2port.testing.browser import HOST, ORIGIN, QUICK, Browser, browser
from port2port.web import WebSettings, accounts_of, administrator_link, first_administrator_link
from port2port.web.passwords import Passwords, acceptable

PASSWORD = "seven grey barges"


def path_of(link: str | None) -> str:
    assert link is not None
    return link.removeprefix(ORIGIN)


def form_of(link: str, name: str = "Anna@Port.Example", password: str = PASSWORD) -> dict[str, str]:
    return {"token": link.partition("token=")[2], "name": name, "password": password}


@pytest.fixture
def with_anna(place: Site, stranger: Browser) -> Browser:
    accounts_of(stranger.app).create("anna", Role.OPERATOR, PASSWORD, by="system")
    return stranger


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(with_anna: Browser) -> None:
    asked = with_anna.get("/account?a=1&b=2")
    assert asked.headers["location"] == "/sign-in?next=%2Faccount%3Fa%3D1%26b%3D2"
    with_anna.learn_token(asked.headers["location"])
    form = {"name": "anna", "password": PASSWORD, "next": "/account?a=1&b=2"}
    assert with_anna.post("/sign-in", form).headers["location"] == "/account?a=1&b=2"


@pytest.mark.parametrize(
    "away",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n//evil.example",
        "javascript:alert(1)",
        "evil.example",
        "http:evil.example",
        " //evil.example",
        "/" + "a" * 600,
        "",
    ],
)
def test_no_sign_in_leads_away_from_the_node(with_anna: Browser, away: str) -> None:
    with_anna.learn_token()
    answer = with_anna.post("/sign-in", {"name": "anna", "password": PASSWORD, "next": away})
    assert answer.headers["location"] == "/"
    again = with_anna.get("/sign-in", params={"next": away})
    assert again.headers["location"] == "/"


@pytest.mark.parametrize("name", ["anna", "nobody", "disabled", "", "\u0000", "ANNA "])
def test_each_failure_reads_the_same(with_anna: Browser, name: str) -> None:
    accounts = accounts_of(with_anna.app)
    accounts.disable(accounts.create("disabled", Role.READER, PASSWORD, by="system").id, by="system")
    password = PASSWORD if name == "disabled" else "not the password"
    answer = with_anna.sign_in_with_password(name, password)
    assert answer.status_code == 403
    assert "Name and password do not match." in answer.text


def test_an_unknown_name_costs_as_much_as_a_known_one() -> None:
    costly = Passwords(WebSettings(argon2_memory_kib=1024, argon2_passes=1))
    computed: list[str] = []
    verify = costly._hasher.verify

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            computed.append(stored)
            return bool(verify(stored, password))

    costly._hasher = Counting()  # type: ignore[assignment]
    stored = Passwords(WebSettings(argon2_memory_kib=1024, argon2_passes=1)).hash(PASSWORD)
    assert costly.matches(stored, PASSWORD)
    assert not costly.matches("", PASSWORD)
    assert not costly.matches(stored, "wrong")
    parameters = {each.split("$")[3] for each in computed}
    assert (len(computed), parameters) == (3, {"m=1024,t=1,p=1"})


def test_a_name_is_the_same_however_it_is_typed(with_anna: Browser) -> None:
    assert with_anna.sign_in_with_password(" Ａnna ", PASSWORD).status_code == 303


def test_a_guesser_is_slowed_down_whether_or_not_the_account_exists(place: Site, with_anna: Browser) -> None:
    for name in ("anna", "nobody"):
        codes = [with_anna.sign_in_with_password(name, "wrong wrong").status_code for _ in range(11)]
        assert codes == [403] * 10 + [429]
        refused = with_anna.sign_in_with_password(name, PASSWORD)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert isinstance(place.clock, SteppedClock)
    place.clock.step(timedelta(minutes=1))
    assert with_anna.sign_in_with_password("anna", PASSWORD).status_code == 303


def test_a_network_that_tries_many_names_is_slowed_down(place: Site) -> None:
    settings = WebSettings(argon2_memory_kib=8, argon2_passes=1, host_names=(HOST,), attempts_per_network=20)
    with browser(place, demonstration=False, settings=settings) as it:
        codes = [it.sign_in_with_password(f"name{i}", "wrong").status_code for i in range(21)]
    assert codes == [403] * 20 + [429]


def test_oversized_fields_are_refused_before_they_cost_anything(with_anna: Browser) -> None:
    with_anna.learn_token()
    assert with_anna.post("/sign-in", {"name": "x" * 121, "password": "x"}).status_code == 400
    assert with_anna.post("/sign-in", {"name": "x", "password": "x" * 201}).status_code == 400
    assert with_anna.post("/sign-in", {"name": "x", "password": "x" * 2_000_000}).status_code == 413


def test_a_hash_with_old_parameters_is_made_anew(place: Site, with_anna: Browser) -> None:
    before = accounts_of(with_anna.app).all()[0].password_hash
    settings = WebSettings(argon2_memory_kib=16, argon2_passes=1, host_names=(HOST,))
    with browser(place, demonstration=False, settings=settings) as it:
        assert it.sign_in_with_password("anna", PASSWORD).status_code == 303
        after = accounts_of(it.app).all()[0].password_hash
    assert ("m=8," in before, "m=16," in after) == (True, True)


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaaaa", "anna@port.example1", "ab" * 10])
def test_a_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    with pytest.raises(BadInput):
        acceptable(password, "anna@port.example")


@pytest.mark.parametrize("role", list(Role))
def test_the_demonstration_has_one_button_for_each_role(place: Site, role: Role) -> None:
    with browser(place, role=role) as it:
        assert f'<option value="{role}"' not in it.get("/sign-in").text
        assert accounts_of(it.app).all()[0].role is role
        assert it.get("/account").status_code == 200


def test_a_node_with_real_data_has_no_such_button(stranger: Browser) -> None:
    stranger.learn_token()
    assert "demonstration" not in stranger.get("/sign-in").text.lower()
    assert stranger.post("/sign-in/demonstration", {"role": "administrator"}).status_code in (404, 405)
    assert accounts_of(stranger.app).all() == []


def test_an_unknown_role_is_refused(place: Site) -> None:
    with browser(place) as it:
        it.learn_token()
        assert it.post("/sign-in/demonstration", {"role": "king"}).status_code == 400


def test_an_empty_node_has_a_link_for_its_first_administrator(place: Site, stranger: Browser) -> None:
    link = first_administrator_link(place.store, f"{ORIGIN}/", place.clock())
    stranger.learn_token(path_of(link))
    answer = stranger.post("/set-up", form_of(path_of(link)))
    assert answer.headers["location"] == "/account"
    (account,) = accounts_of(stranger.app).all()
    assert (account.name, account.role) == ("anna@port.example", Role.ADMINISTRATOR)
    assert first_administrator_link(place.store, ORIGIN, place.clock()) is None


def test_the_link_works_once_and_for_a_day(place: Site, stranger: Browser) -> None:
    link = path_of(administrator_link(place.store, ORIGIN, place.clock()))
    late = path_of(administrator_link(place.store, ORIGIN, place.clock()))
    stranger.learn_token(link)
    assert stranger.post("/set-up", form_of(link)).status_code == 303
    stranger.learn_token("/account")
    assert stranger.post("/set-up", form_of(link, name="second")).status_code == 404
    assert isinstance(place.clock, SteppedClock)
    place.clock.step(timedelta(hours=24))
    assert stranger.get(late).status_code == 404


def test_a_weak_password_keeps_the_link_and_the_name(place: Site, stranger: Browser) -> None:
    link = path_of(administrator_link(place.store, ORIGIN, place.clock()))
    stranger.learn_token(link)
    answer = stranger.post("/set-up", form_of(link, password="short"))
    assert answer.status_code == 400
    assert 'value="Anna@Port.Example"' in answer.text
    assert stranger.post("/set-up", form_of(link)).status_code == 303


def test_an_administrator_without_a_passkey_can_only_register_one(place: Site, stranger: Browser) -> None:
    accounts_of(stranger.app).create("boss", Role.ADMINISTRATOR, PASSWORD, by="system")
    stranger.sign_in_with_password("boss", PASSWORD)
    assert "need a passkey" in stranger.get("/account").text
    for path in ("/accounts", "/system", "/"):
        assert stranger.get(path).headers["location"] == "/account"
    refused = stranger.post("/accounts/invite", {"role": "administrator"}, headers={"Accept": "application/json"})
    assert refused.status_code == 403


def test_an_invited_person_gets_the_role_of_the_invitation(place: Site) -> None:
    with browser(place, role=Role.ADMINISTRATOR) as boss, browser(place) as guest:
        page = boss.post("/accounts/invite", {"role": "analyst"}).text
        link = page.split("<code>")[1].split("</code>")[0]
        guest.learn_token(path_of(link))
        assert guest.post("/set-up", form_of(link, name="guest")).status_code == 303
        assert {each.name: each.role for each in accounts_of(boss.app).all()}["guest"] is Role.ANALYST


def test_the_last_administrator_can_neither_be_disabled_nor_demoted(place: Site) -> None:
    with browser(place, role=Role.ADMINISTRATOR) as boss:
        (me,) = accounts_of(boss.app).all()
        assert boss.post(f"/accounts/{me.id}/disable").status_code == 409
        assert boss.post(f"/accounts/{me.id}/role", {"role": "reader"}).status_code == 409
        assert boss.get("/accounts").status_code == 200


def test_the_settings_of_a_real_node_are_not_those_of_the_tests() -> None:
    assert WebSettings().argon2_memory_kib >= 19_456 > QUICK.argon2_memory_kib
