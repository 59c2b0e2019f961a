"""Whatever a stranger sends is answered with a refusal, never with an unforeseen error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.capability import Site
from port2port.testing import site
from port2port.testing.browser import HOST, browser
from port2port.web import FACTS, WebSettings

UNHURRIED = WebSettings(
    argon2_memory_kib=8,
    argon2_passes=1,
    host_names=(HOST,),
    attempts_per_account=1_000_000,
    attempts_per_network=1_000_000,
)
FORMS = "application/x-www-form-urlencoded"
TYPES = st.sampled_from(
    [FORMS, "application/json", "multipart/form-data; boundary=x", "multipart/form-data", "x/y", ""]
)
FORM_BYTES = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from([b"name", b"=", b"&", b"%", b"\xff", b"password", b"+", b"[]", b"--x", b"\r\n"]), max_size=30
    ).map(b"".join),
)
HEADER = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=120)


@pytest.fixture(scope="module")
def place() -> Site:
    return site(facts=FACTS)


@pytest.mark.parametrize("path", ["/sign-in", "/set-up", "/sign-in/passkey", "/sign-in/passkey/options"])
def test_any_body_is_read_or_refused(place: Site, path: str) -> None:
    with browser(place, demonstration=False, settings=UNHURRIED) as it:
        it.learn_token()

        @settings(max_examples=60, deadline=None)
        @given(TYPES, FORM_BYTES)
        def attempt(content_type: str, body: bytes) -> None:
            headers = {"X-CSRF-Token": it.token, "Content-Type": content_type}
            answer = it.client.post(path, content=body, headers=headers, follow_redirects=False)
            assert answer.status_code < 500

        attempt()


def test_any_form_without_the_header_is_refused(place: Site) -> None:
    with browser(place, demonstration=False, settings=UNHURRIED) as it:
        it.learn_token()

        @settings(max_examples=60, deadline=None)
        @given(TYPES, FORM_BYTES)
        def attempt(content_type: str, body: bytes) -> None:
            headers = {"Content-Type": content_type}
            answer = it.client.post("/sign-in", content=body, headers=headers, follow_redirects=False)
            assert answer.status_code in (400, 403)

        attempt()


def test_any_header_is_read_or_passed_over(place: Site) -> None:
    with browser(place, demonstration=False, settings=UNHURRIED) as it:
        names = ["Cookie", "Accept-Language", "Accept", "Origin", "If-None-Match", "Accept-Encoding", "Host"]

        @settings(max_examples=100, deadline=None)
        @given(st.dictionaries(st.sampled_from(names), HEADER), st.sampled_from(["/sign-in", "/static/web/clock.js"]))
        def attempt(headers: dict[str, str], path: str) -> None:
            assert it.client.get(path, headers=headers, follow_redirects=False).status_code < 500

        attempt()


def test_any_path_and_query_is_answered(place: Site) -> None:
    with browser(place, demonstration=False, settings=UNHURRIED) as it:
        starts = st.sampled_from(["/", "/static/", "/api/words/", "/sign-in?next=", "/set-up?token=", "/account/"])

        @settings(max_examples=100, deadline=None)
        @given(starts, st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=80))
        def attempt(start: str, rest: str) -> None:
            assert it.client.get(start + rest, follow_redirects=False).status_code < 500

        attempt()
