"""A session lives as long as it should, and not a request longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from port2port.capability import Site
from port2port.core.clock import SteppedClock
from port2port.core.party import Role
from port2port.testing.browser import HOST, Browser, browser
from port2port.web import accounts_of, facts
from port2port.web.tables import find_session

PASSWORD = "seven grey barges"


@pytest.fixture
def anna(place: Site) -> Iterator[Browser]:
    """An operator with a password, signed in at a node with real data."""
    with browser(place, demonstration=False) as it:
        accounts_of(it.app).create("Anna", Role.OPERATOR, PASSWORD, by="system")
        assert it.sign_in_with_password("anna", PASSWORD).status_code == 303
        yield it


def is_signed_in(it: Browser) -> bool:
    return it.get("/account").status_code == 200


def step(place: Site, **by: float) -> None:
    assert isinstance(place.clock, SteppedClock)
    place.clock.step(timedelta(**by))


def only_account(it: Browser) -> str:
    return accounts_of(it.app).all()[0].id


def test_a_session_that_is_used_lives_until_its_end(place: Site, anna: Browser) -> None:
    for _ in range(12):
        step(place, hours=1)
        assert is_signed_in(anna)
    step(place, hours=1)
    assert not is_signed_in(anna)


def test_a_session_that_is_idle_ends(place: Site, anna: Browser) -> None:
    step(place, minutes=239)
    assert is_signed_in(anna)
    step(place, minutes=240)
    assert not is_signed_in(anna)


def test_disabling_an_account_ends_all_its_sessions_at_once(place: Site, anna: Browser) -> None:
    with browser(place, demonstration=False) as second:
        second.sign_in_with_password("anna", PASSWORD)
        accounts_of(anna.app).disable(only_account(anna), by="system")
        assert not is_signed_in(anna)
        assert not is_signed_in(second)
        assert second.sign_in_with_password("anna", PASSWORD).status_code == 403


def test_enabling_it_again_does_not_bring_old_sessions_back(anna: Browser) -> None:
    accounts_of(anna.app).disable(only_account(anna), by="system")
    accounts_of(anna.app).enable(only_account(anna), by="system")
    assert not is_signed_in(anna)
    assert anna.sign_in_with_password("anna", PASSWORD).status_code == 303


def test_another_role_holds_from_the_next_request(anna: Browser) -> None:
    assert anna.get("/system").status_code == 200
    accounts_of(anna.app).set_role(only_account(anna), Role.READER, by="system")
    assert anna.get("/system").status_code == 403


def test_signing_out_ends_the_session_even_for_who_kept_the_cookie(anna: Browser) -> None:
    kept = dict(anna.client.cookies)
    assert anna.post("/sign-out").headers["location"] == "/sign-in"
    anna.client.cookies.update(kept)
    assert not is_signed_in(anna)


def test_the_token_is_stored_only_as_a_hash(place: Site, anna: Browser) -> None:
    token = next(value for name, value in anna.client.cookies.items() if "visit" not in name)
    with place.store.reading() as view:
        assert find_session(view, token.encode()) is None


def test_signing_in_gives_a_fresh_token_each_time(anna: Browser) -> None:
    first = dict(anna.client.cookies)
    anna.post("/sign-out")
    anna.sign_in_with_password("anna", PASSWORD)
    name = next(each for each in first if "visit" not in each)
    assert first[name] != anna.client.cookies[name]


def test_nodes_of_one_host_do_not_share_a_cookie(place: Site) -> None:
    from port2port.web.door import cookie_names

    assert cookie_names("a" * 64, https=False) != cookie_names("b" * 64, https=False)


def test_on_https_the_cookie_is_bound_to_host_and_transport(place: Site) -> None:
    with browser(place, origin=f"https://{HOST}") as it:
        it.learn_token()
        answer = it.post("/sign-in/demonstration", {"role": "reader"})
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-port2port-")
    for attribute in ("; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"):
        assert attribute in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("value", ["", "x", "x" * 5000, "\x7f", "a=b", "%00"])
def test_any_cookie_value_is_just_no_session(stranger: Browser, value: str) -> None:
    from port2port.web.door import cookie_names

    name, _ = cookie_names("0" * 64, https=False)
    answer = stranger.get("/account", headers={"Cookie": f"{name}={value}; ;;=;{value}"})
    assert answer.status_code == 303


def test_what_happens_at_the_door_is_recorded_without_names(place: Site, anna: Browser) -> None:
    anna.post("/sign-out")
    anna.sign_in_with_password("anna", "wrong wrong wrong")
    recorded = place.store.read(0)
    kinds = [each.kind for each in recorded]
    assert kinds == ["AccountCreated", "SignedIn", "SignedOut", "SignInRefused"]
    assert "anna" not in str(recorded).lower()


def test_refused_sign_ins_are_written_together(place: Site, anna: Browser) -> None:
    anna.post("/sign-out")
    for _ in range(5):
        anna.sign_in_with_password("nobody", "wrong wrong wrong")
    step(place, minutes=2)
    anna.sign_in_with_password("nobody", "wrong wrong wrong")
    refused = [each.fact for each in place.store.read(0, kinds=["SignInRefused"])]
    counts = [each.count for each in refused if isinstance(each, facts.SignInRefused)]
    assert counts == [1, 5]
