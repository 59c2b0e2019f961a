"""Clients that come back: by `next`, by the exact stamp, by a stamp cut to milliseconds. None may miss anything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from taxii_kit import Node, Program, indicator

OBJECTS = "node/collections/inbox/objects/"
COUNT, PAGE = 2_000, 100
MAX_ROUNDS = 3 * COUNT // PAGE


def by_next(program: Program, path: str) -> list[str]:
    return [each["id"] for each in program.pages(path, limit=PAGE)]


def by_exact_stamp(program: Program, path: str) -> list[str]:
    return _by_stamp(program, path, lambda stamp: stamp)


def by_stamp_cut_to_milliseconds(program: Program, path: str) -> list[str]:
    """As OpenCTI does (opencti #10090)."""
    return _by_stamp(program, path, lambda stamp: stamp[:23] + "Z")


def _by_stamp(program: Program, path: str, told: Callable[[str], str]) -> list[str]:
    query: dict[str, str] = {}
    found: list[str] = []
    for _ in range(MAX_ROUNDS):
        answer = program.get(path, limit=PAGE, **query)
        objects = answer.json().get("objects", [])
        if not objects:
            return found
        found.extend(each["id"] for each in objects)
        query = {"added_after": told(answer.headers["X-TAXII-Date-Added-Last"])}
    raise AssertionError("it goes in circles")


CLIENTS = [by_next, by_exact_stamp, by_stamp_cut_to_milliseconds]


@pytest.mark.parametrize("client", CLIENTS)
def test_every_kind_of_client_gets_all_of_two_bulks_though_the_clock_jumps_back(
    node: Node, client: Callable[[Program, str], list[str]]
) -> None:
    feed = node.account("feed", may_write=True)
    for shift, start in ((timedelta(), 0), (timedelta(seconds=-30), COUNT // 2)):
        node.clock.shift = shift
        feed.post([indicator(number) for number in range(start, start + COUNT // 2)])
    expected = [indicator(number)["id"] for number in range(COUNT)]
    assert client(feed, OBJECTS) == expected


@pytest.mark.parametrize("client", CLIENTS)
def test_the_collection_of_everything_is_as_safe(node: Node, client: Callable[[Program, str], list[str]]) -> None:
    labels = [node.label(), node.label(agreement_id="agreement-1", personal_data="staff")]
    for number in range(300):
        node.arrives([indicator(number)], labels[number % 2])
    assert sorted(client(node.account("siem"), "node/collections/all/objects/")) == sorted(
        indicator(number)["id"] for number in range(300)
    )


def test_what_is_added_while_a_client_pages_is_seen(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(number) for number in range(10)])
    pages = feed.pages(OBJECTS, limit=3)
    seen = [next(pages)["id"] for _ in range(4)]
    feed.post([indicator(number) for number in range(10, 15)])
    seen += [each["id"] for each in pages]
    assert seen == [indicator(number)["id"] for number in range(15)]


def test_next_keeps_the_filters_of_the_first_page(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post(
        [each for number in range(6) for each in (indicator(number), indicator(number, "2026-04-01T00:00:00.000Z"))]
    )
    first = feed.get(OBJECTS, limit=2, **{"match[version]": "first", "match[type]": "indicator"}).json()
    rest, token = list(first["objects"]), first["next"]
    while token:
        page = feed.get(OBJECTS, next=token).json()
        assert len(page["objects"]) <= 2
        rest, token = rest + page["objects"], page.get("next")
    assert rest == [indicator(number) for number in range(6)]


def test_next_belongs_to_its_collection_and_survives_the_server(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(number) for number in range(4)])
    node.arrives([indicator(number) for number in range(4)])
    token = feed.get(OBJECTS, limit=2).json()["next"]
    assert feed.get("node/collections/all/objects/", next=token).status_code == 400
    twice = [feed.get(OBJECTS, next=token).content for _ in range(2)]
    assert twice[0] == twice[1]


def test_many_hand_in_at_once_and_every_stamp_is_its_own(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    threads = [
        threading.Thread(target=feed.post, args=([indicator(100 * one + each) for each in range(50)],))
        for one in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    dates = [each["date_added"] for each in feed.pages("node/collections/inbox/manifest/", limit=70)]
    assert len(dates) == len(set(dates)) == 300
    assert dates == sorted(dates)
    assert all(each.endswith("000Z") for each in dates)
