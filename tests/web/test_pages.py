"""Pages: what every template gets, and what a hostile value cannot do in one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import get, post
from litestar.response import Redirect, Template

from port2port.capability import Page, Site
from port2port.core.party import Role
from port2port.testing.browser import ORIGIN, Browser, browser
from port2port.web import Actor, Form, FromPath, allow, is_local, page, see_other
from port2port.web.times import age, local_time, utc
from port2port.web.words import Words, preferred

NOW = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert('1')>{{ 7*7 }}"


@get("/berths/{name:str}", guards=[allow(Role.OPERATOR)], sync_to_thread=True)
def show_berth(name: FromPath[str], actor: Actor) -> Template:
    return page("berths/show.html", name=name, who=actor.account, since=NOW - timedelta(days=2))


@post("/berths", sync_to_thread=True)
def add_berth(data: Form, actor: Actor) -> Redirect:
    return see_other(f"/berths/{data['name']}")


@pytest.fixture
def it(place: Site, tmp_path: Path) -> Iterator[Browser]:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "show.html").write_text(
        '{% extends "web/base.html" %}{% block title %}{{ name }}{% endblock %}{% block main %}'
        '<h1 title="{{ name }}">{{ t("berths.title", name=name) }}</h1>{{ since | local_time }} {{ since | age }}'
        '{{ m.priority(1) }}{{ m.handling("TLP:AMBER+STRICT") }}<form>{{ csrf }}</form>{% endblock %}'
    )
    (tmp_path / "words.toml").write_text(
        '["berths.title"]\nen = "Berth {name}"\nnl = "Ligplaats {name}"\n'
        '["berths.page"]\nen = "Berths"\nnl = "Kaaien"\n'
    )
    pages = [
        Page(title="berths.page", path="/berths", order=10),
        Page(title="web.account.title", path="/closed", roles=frozenset({Role.ADMINISTRATOR})),
    ]
    with browser(
        place, role=Role.OPERATOR, routes=[show_berth, add_berth], folders={"berths": tmp_path}, pages=pages
    ) as made:
        yield made


def test_a_hostile_name_is_shown_as_text_everywhere(it: Browser) -> None:
    text = it.get("/berths/" + quote(HOSTILE)).text
    assert "<img" not in text
    assert text.count("&lt;img src=x onerror=alert(&#39;1&#39;)&gt;") == 3  # title, attribute, heading
    assert "49" not in text.split("<h1")[1].split("</h1>")[0]


def test_a_page_speaks_the_accounts_language_and_names_its_palette(it: Browser) -> None:
    it.post("/account", {"language": "nl", "theme": "dusk"})
    text = it.get("/berths/7").text
    assert '<html lang="nl" data-obc-theme="dusk"' in text
    assert ">Ligplaats 7</h1>" in text


def test_navigation_shows_what_the_role_may_open(it: Browser) -> None:
    text = it.get("/berths/7").text
    assert '<a href="/berths" aria-current="page">Berths</a>' in text
    assert 'href="/closed"' not in text
    assert 'href="/system"' in text
    assert 'href="/accounts"' not in text


def test_changing_the_palette_leads_back_to_the_same_page(it: Browser) -> None:
    text = it.get("/berths/a%20b?sort=name").text
    assert 'name="next" value="/berths/a%20b?sort=name"' in text
    answer = it.post("/account", {"theme": "night", "next": "/berths/a%20b?sort=name"})
    assert answer.headers["location"] == "/berths/a%20b?sort=name"


def test_a_page_of_the_demonstration_says_so_at_top_bottom_and_in_the_title(it: Browser) -> None:
    text = it.get("/berths/7").text
    assert "<title>DEMONSTRATION DATA · 7" in text
    assert text.count("band-demonstration") == 2


def test_a_page_of_real_data_has_no_band(stranger: Browser) -> None:
    assert "band-demonstration" not in stranger.get("/sign-in").text


def test_a_form_of_a_page_is_accepted(it: Browser) -> None:
    it.learn_token("/berths/7")
    assert it.post("/berths", {"name": "8"}).headers["location"] == "/berths/8"


def test_priority_has_a_shape_and_a_word_and_handling_its_label(it: Browser) -> None:
    text = it.get("/berths/7").text
    assert "▲</span> Urgent" in text
    assert '<p class="handling handling-amber-strict"><strong>TLP:AMBER+STRICT</strong>' in text


def test_the_index_lists_the_pages_and_leads_to_a_map_where_there_is_one(place: Site, it: Browser) -> None:
    assert '<li><a href="/berths">Berths</a></li>' in it.get("/").text
    with browser(place, role=Role.OPERATOR, pages=[Page(title="web.name", path="/map")]) as with_map:
        assert with_map.get("/").headers["location"] == "/map"


def test_an_unknown_language_or_palette_is_refused(it: Browser) -> None:
    assert it.post("/account", {"language": "xx"}).status_code == 400
    assert it.post("/account", {"theme": "<b>"}).status_code == 400
    assert it.post("/account", {}).status_code == 303


@pytest.mark.parametrize("path", ["/map", "/incidents/1?x=/y//z", "/a:b", "/?next=http://x"])
def test_paths_of_this_node_are_local(path: str) -> None:
    assert is_local(path)


@given(st.text(max_size=60))
def test_whatever_is_local_stays_on_this_node_for_a_browser(text: str) -> None:
    from httpx import URL

    if is_local(text):
        joined = URL(f"{ORIGIN}/here").join(text)
        assert (joined.scheme, joined.host) == ("http", "port.example")


def test_a_page_cannot_send_people_away() -> None:
    with pytest.raises(AssertionError):
        see_other("https://evil.example")


@pytest.mark.parametrize(
    ("language", "expected"),
    [("nl", "30-06-2026 01:30:00"), ("fr", "30/06/2026 01:30:00"), ("de", "30.06.2026 01:30:00")],
)
def test_another_day_has_its_date_in_the_order_of_the_language(language: str, expected: str) -> None:
    moment = datetime(2026, 6, 29, 23, 30, tzinfo=UTC)
    assert local_time(moment, NOW, "Europe/Brussels", language) == expected


def test_today_is_a_clock_time_and_winter_is_an_hour_earlier() -> None:
    assert local_time(NOW, NOW, "Europe/Brussels", "en") == "14:00:05"
    winter = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    assert local_time(winter, winter, "Europe/Brussels", "en") == "13:00:00"
    assert utc(NOW) == "2026-07-01 12:00:05 Z"


@pytest.mark.parametrize(
    ("seconds", "key", "values"),
    [
        (-5, "seconds", {"n": "0"}),
        (89, "seconds", {"n": "89"}),
        (90, "minutes", {"n": "2"}),
        (840, "minutes", {"n": "14"}),
        (7500, "hours", {"n": "2", "m": "05"}),
        (200_000, "days", {"n": "2"}),
    ],
)
def test_age_is_said_in_the_unit_a_person_would_use(seconds: int, key: str, values: dict[str, str]) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == (f"web.age.{key}", values)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("nl-BE", "nl"),
        ("es, fr;q=0.5, de;q=0.8", "de"),
        ("en;q=0.1, fr;q=0.2", "fr"),
        ("de;q=0", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_browsers_first_language_of_ours_is_taken(header: str, language: str) -> None:
    assert preferred(header) == language


@given(st.text(max_size=100))
def test_any_accept_language_gives_one_of_ours(header: str) -> None:
    assert preferred(header) in {"nl", "fr", "de", "en"}


def test_a_word_without_the_language_is_said_in_english_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    words = Words({"a.b": {"en": "Hello {who}"}})
    assert words.say("nl", "a.b", who="{you}") == "Hello {you}"
    assert words.say("nl", "a.c") == "a.c"
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_the_browser_gets_the_words_of_one_prefix(stranger: Browser) -> None:
    table = stranger.get("/api/words/de.json", params={"prefix": "web.theme."}).json()
    assert table == {
        "web.theme.bright": "Helles Tageslicht",
        "web.theme.day": "Tag",
        "web.theme.dusk": "Dämmerung",
        "web.theme.night": "Nacht",
    }
    assert stranger.get("/api/words/xx.json").status_code == 404
    assert stranger.get("/api/words/nl").status_code == 404
    assert stranger.get("/api/words/nl.json", params={"prefix": "x" * 61}).status_code == 404


def test_health_is_public_and_says_little(stranger: Browser) -> None:
    assert stranger.get("/health").json() == {"status": "ok", "node": "Port of Ostend"}


def test_the_system_page_shows_what_capabilities_say_of_themselves(place: Site) -> None:
    health = {
        "journal": 12,
        "vessels": {"tracks": 3, "fresh": True, "since": NOW},
        "sources": [{"name": "ais-coast", "messages": 5}, {"name": "<b>", "late": None}],
        "quiet": {},
    }
    with browser(place, role=Role.OPERATOR, health=lambda: health) as it:
        text = it.get("/system").text
        assert it.get("/api/system").json()["health"]["journal"] == 12
    assert "<td>ais-coast</td><td>5</td>" in text
    assert "&lt;b&gt;" in text
    assert "Nothing is reported yet." in text
    assert "Nothing was refused or lost since the start." in text
