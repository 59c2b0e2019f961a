"""What changes something must come from a page of this very origin."""

from __future__ import annotations

import pytest

from port2port.capability import Site
from port2port.core.party import Role
from port2port.testing.browser import ORIGIN, Browser, browser
from port2port.web.csrf import token_for

FORM = {"theme": "night"}


def theme(it: Browser) -> str:
    return it.get("/account").text.split('data-obc-theme="')[1].split('"')[0]


def test_a_form_of_ours_is_taken(operator: Browser) -> None:
    answer = operator.post("/account", FORM, headers={"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN})
    assert answer.status_code == 303
    assert theme(operator) == "night"


def test_the_token_may_stand_in_the_form_or_in_the_header(operator: Browser) -> None:
    client = operator.client
    in_form = client.post("/account", data={**FORM, "_csrf": operator.token}, follow_redirects=False)
    in_header = client.post("/account", data=FORM, headers={"X-CSRF-Token": operator.token}, follow_redirects=False)
    assert (in_form.status_code, in_header.status_code) == (303, 303)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": "x" * 5000},
        {"X-CSRF-Token": token_for("")},
        {"X-CSRF-Token": "é".encode("latin-1")},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": f"{ORIGIN}:8102"},
        {"Origin": "null"},
    ],
)
def test_a_request_from_elsewhere_is_refused_counted_and_changes_nothing(
    place: Site, operator: Browser, headers: dict[str, str]
) -> None:
    answer = operator.post("/account", FORM, headers=headers)
    assert answer.status_code == 403
    assert theme(operator) == "day"
    assert sum(count for name, count in place.counters.all().items() if name.startswith("web.refused.")) == 1


def test_the_token_of_another_session_is_refused(place: Site) -> None:
    with browser(place, role=Role.OPERATOR) as mine, browser(place, role=Role.OPERATOR) as other:
        assert mine.token != other.token
        mine.token = other.token
        assert mine.post("/account", FORM).status_code == 403


def test_signing_in_needs_the_token_of_the_sign_in_page(stranger: Browser) -> None:
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", {"name": "anna", "password": "x"})
    assert answer.status_code == 403
    assert "did not come from a page" in answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_no_unsafe_method_passes_without_a_token(operator: Browser, method: str) -> None:
    answer = operator.client.request(method, "/account", follow_redirects=False)
    assert answer.status_code in (403, 405)


def test_a_json_body_without_the_header_is_refused(operator: Browser) -> None:
    operator.token = ""
    assert operator.client.post("/account/passkeys/options", json={}).status_code == 403
