"""What people and programs are told when something went wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import get

from port2port.capability import Site
from port2port.core.errors import BadInput, Conflict, DecodeError, NotAllowed, NotFound, Unavailable
from port2port.core.party import Role
from port2port.testing.browser import Browser, browser
from port2port.web import FromQuery
from port2port.web.limits import TooOften

ERRORS: dict[str, tuple[Exception, int, str]] = {
    "bad-input": (BadInput("The <b>date</b> is no date.", hint="Write 2026-11-24."), 400, "bad-input"),
    "decode": (DecodeError("Not a message.", reason="checksum"), 400, "bad-input"),
    "not-allowed": (NotAllowed("Not yours."), 403, "not-allowed"),
    "not-found": (NotFound("No such incident."), 404, "not-found"),
    "conflict": (Conflict("Somebody closed it."), 409, "conflict"),
    "unavailable": (Unavailable("The disk is full."), 503, "unavailable"),
    "too-often": (TooOften(30), 429, "too-often"),
    "unforeseen": (RuntimeError("secret detail /etc/passwd"), 500, "unforeseen"),
    "broken-assumption": (AssertionError("secret detail"), 500, "unforeseen"),
}


@get(["/fail", "/api/fail"], sync_to_thread=True)
def fail(kind: FromQuery[str], number: FromQuery[int] = 0) -> str:
    raise ERRORS[kind][0]


@pytest.fixture
def it(place: Site) -> Iterator[Browser]:
    with browser(place, role=Role.READER, routes=[fail]) as made:
        yield made


@pytest.mark.parametrize("kind", list(ERRORS))
def test_a_program_gets_a_problem(it: Browser, kind: str) -> None:
    _, status, word = ERRORS[kind]
    answer = it.get("/api/fail", params={"kind": kind})
    problem: dict[str, Any] = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert (problem["type"], problem["kind"]) == ("about:blank", word)
    assert problem["title"]
    assert problem["detail"]


@pytest.mark.parametrize("kind", list(ERRORS))
def test_a_person_reads_what_happened_what_was_kept_and_what_to_do(it: Browser, kind: str) -> None:
    error, status, word = ERRORS[kind]
    answer = it.get("/fail", params={"kind": kind}, headers={"Accept": "text/html"})
    assert answer.status_code == status
    words = it.app.state["port2port"].surface.words
    assert f"<h1>{words.say('en', f'web.problem.{word}.title')}</h1>" in answer.text
    assert words.say("en", f"web.problem.{word}.kept") in answer.text
    hint = getattr(error, "hint", "") or f"web.problem.{word}.next"
    assert words.say("en", hint) in answer.text


def test_a_message_is_shown_as_text(it: Browser) -> None:
    text = it.get("/fail", params={"kind": "bad-input"}).text
    assert "The &lt;b&gt;date&lt;/b&gt; is no date." in text


def test_asking_for_json_is_enough_to_get_a_problem(it: Browser) -> None:
    answer = it.get("/fail", params={"kind": "conflict"}, headers={"Accept": "application/json"})
    assert answer.json()["kind"] == "conflict"


@pytest.mark.parametrize("path", ["/fail", "/api/fail"])
def test_an_unforeseen_error_is_logged_with_a_reference_and_shows_no_internals(
    place: Site, it: Browser, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="port2port.web"):
        answer = it.get(path, params={"kind": "unforeseen"})
    assert "secret" not in answer.text
    (record,) = caplog.records
    assert record.args is not None
    reference = str(next(iter(record.args)))
    assert reference in answer.text
    assert record.exc_info is not None
    assert place.counters.get("web.failed.unforeseen") == 1


def test_a_log_line_cannot_be_forged_through_a_path(it: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="port2port.web"):
        it.get("/api/fail", params={"kind": "no\nsuch\nkind"})
    (record,) = caplog.records
    assert "\n" not in record.getMessage()


def test_too_many_attempts_say_when_to_come_back(it: Browser) -> None:
    assert it.get("/api/fail", params={"kind": "too-often"}).headers["retry-after"] == "30"


def test_a_missing_page_is_a_page_too(stranger: Browser) -> None:
    answer = stranger.get("/nowhere/at/all")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_a_parameter_of_the_wrong_kind_is_bad_input(it: Browser) -> None:
    assert it.get("/api/fail", params={"kind": "conflict", "number": "many"}).json()["status"] == 400


def test_a_wrong_method_is_said_so(it: Browser) -> None:
    answer = it.client.request("DELETE", "/api/fail", headers={"X-CSRF-Token": it.token})
    assert (answer.status_code, answer.json()["kind"]) == (405, "method")


def test_a_program_that_is_not_signed_in_gets_401(stranger: Browser) -> None:
    answer = stranger.get("/api/system")
    assert (answer.status_code, answer.json()["kind"]) == (401, "sign-in")


def test_errors_speak_the_visitors_language(it: Browser, stranger: Browser) -> None:
    it.post("/account", {"language": "nl"})
    assert it.get("/api/fail", params={"kind": "not-found"}).json()["title"] == "Hier is niets"
    french = stranger.get("/nowhere", headers={"Accept-Language": "fr-BE,fr;q=0.9,en;q=0.5"})
    assert "Il n&#39;y a rien ici" in french.text
