"""The server, clause by clause, as a foreign program meets it."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from taxii_kit import Node, Program, indicator

MEDIA = "application/taxii+json;version=2.1"
OBJECTS = "node/collections/inbox/objects/"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000Z")


def test_a_program_finds_its_way_from_discovery_to_objects(node: Node) -> None:
    node.arrives([indicator(1)])
    siem = node.account("siem")
    found = siem.get("").json()
    assert found["api_roots"] == [found["default"]]
    root = siem.get("node/").json()
    assert root["versions"] == [MEDIA]
    assert root["max_content_length"] == 10 * 1024 * 1024
    listed = siem.get("node/collections/").json()["collections"]
    assert [each.get("alias") for each in listed] == ["all", None]
    assert listed[1]["title"] == "Port of Ghent for all members: TLP:GREEN, port security"
    for each in listed:
        assert uuid.UUID(each["id"]).version == 4
        assert siem.get(f"node/collections/{each['id']}/").json() == each
        assert siem.all_objects(each["id"]) == [indicator(1)]


def test_every_answer_is_taxii_also_an_error(node: Node) -> None:
    siem = node.account("siem", may_write=True)
    for path in ("", "node/", "node/collections/", "node/collections/all/", "node/collections/none/", "elsewhere/x"):
        answer = siem.get(path)
        assert answer.headers["Content-Type"] == MEDIA
        assert ("title" in answer.json()) or ("collections" in answer.json())
    missing = siem.get("node/collections/none/")
    assert missing.status_code == 404
    assert missing.json()["http_status"] == "404"
    assert "set-cookie" not in missing.headers


ACCEPT = {
    MEDIA: 200,
    "application/taxii+json": 200,
    "application/taxii+json; version=2.1": 200,
    "text/html, application/taxii+json;version=2.1;q=0.5": 200,
    "*/*": 200,
    "application/taxii+json;version=2.0": 406,
    "application/json": 406,
    "text/html": 406,
    "application/vnd.oasis.stix+json": 406,
}


def test_what_cannot_be_accepted_is_406(node: Node) -> None:
    with node.account("siem").client() as client:
        said = {accept: client.get("node/", headers={"Accept": accept}).status_code for accept in ACCEPT}
    assert said == ACCEPT


SENT = {MEDIA: 202, "application/taxii+json": 202, "application/json": 415, "application/stix+json": 415, "": 415}


def test_what_is_not_taxii_is_415(node: Node) -> None:
    with node.account("feed", may_write=True).client() as client:
        said = {
            media: client.post(OBJECTS, content=b'{"objects": []}', headers={"Content-Type": media}).status_code
            for media in SENT
        }
    assert said == SENT


def test_a_body_that_is_too_large_is_413(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    assert feed.post_bytes(b" " * (10 * 1024 * 1024 + 1)).status_code == 413
    assert feed.all_objects("inbox") == []


def test_what_is_handed_in_can_be_read_again(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    answer = feed.post([indicator(1), indicator(2)])
    assert answer.status_code == 202, answer.text
    status = answer.json()
    assert (status["status"], status["total_count"], status["success_count"]) == ("complete", 2, 2)
    assert feed.get(f"node/status/{status['id']}/").json() == status
    assert feed.all_objects("inbox", limit=1) == [indicator(1), indicator(2)]


def test_a_status_belongs_to_who_handed_in(node: Node) -> None:
    feed, other = node.account("feed", may_write=True), node.account("other", may_write=True)
    status = feed.post([indicator(1)]).json()
    assert other.get(f"node/status/{status['id']}/").status_code == 404
    assert other.get(f"node/status/{uuid.uuid4()}/").status_code == 404


def test_an_inbox_shows_each_program_its_own_only(node: Node) -> None:
    feed, other = node.account("feed", may_write=True), node.account("other", may_write=True)
    feed.post([indicator(1)])
    assert other.all_objects("inbox") == []
    assert feed.all_objects("all") == []
    of_feed = feed.get("node/collections/inbox/").json()["id"]
    assert other.get(f"node/collections/{of_feed}/").status_code == 404


def test_what_is_handed_in_twice_stands_there_once(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(1)])
    again = feed.post([dict(reversed(indicator(1).items()))]).json()
    assert again["success_count"] == 1
    assert feed.all_objects("inbox", **{"match[version]": "all"}) == [indicator(1)]


def test_a_version_that_was_there_with_other_content_is_a_failure(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(1)])
    status = feed.post([indicator(1, name="Another"), indicator(2)]).json()
    assert (status["success_count"], status["failure_count"]) == (1, 1)
    assert status["failures"][0]["id"] == indicator(1)["id"]
    assert feed.all_objects("inbox") == [indicator(1), indicator(2)]


def test_a_poison_object_changes_nothing_for_the_others(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    good = indicator(1)
    poison: list[Any] = [
        *(7, None, "x", [], {}, {"type": "indicator"}),
        {**indicator(2), "id": "malware--" + indicator(2)["id"][11:]},
        {**indicator(3), "modified": "yesterday"},
        {**indicator(4), "modified": 5},
        {**indicator(5), "spec_version": "2.0"},
        {**indicator(6), "pattern": "[["},
        {**indicator(7), "valid_from": None},
        {**indicator(8), "name": "a" * 2_000_000},
    ]
    status = feed.post([*poison, good]).json()
    assert (status["success_count"], status["failure_count"]) == (1, len(poison))
    assert len(status["failures"]) == len(poison)
    assert all(each["id"] and each["message"] and each["version"] for each in status["failures"])
    assert feed.all_objects("inbox") == [good]
    assert node.site.counters.get("sharing.refused.taxii-object") == len(poison)


def test_even_what_is_no_json_is_one_failure(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    deep = b"[" * 5_000 + b"]" * 5_000
    good = httpx.Request("POST", "http://x", json=indicator(1)).content
    body = (
        b'{"objects": [' + b", ".join([good, b'{"type": nonsense}', b'{"a": ' + deep + b"}", b'{"b": 1e999}']) + b"]}"
    )
    status = feed.post_bytes(body).json()
    assert (status["success_count"], status["failure_count"]) == (1, 3)
    assert feed.all_objects("inbox") == [indicator(1)]


def test_a_bundle_is_taken_as_an_envelope(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    whole = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [indicator(1)]}
    assert feed.post_bytes(json.dumps(whole).encode()).json()["success_count"] == 1
    broken = json.dumps({**whole, "objects": [indicator(2), 5]}).replace(" 5]", " nonsense]")
    status = feed.post_bytes(broken.encode()).json()
    assert (status["success_count"], status["failure_count"]) == (1, 1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=300) | st.text(max_size=100).map(lambda text: b'{"objects": [' + text.encode() + b"]}"))
def test_any_bytes_are_taken_in_or_refused(node: Node, body: bytes) -> None:
    feed = _feed(node)
    answer = feed.post_bytes(body)
    assert answer.status_code in (202, 400), answer.text
    if answer.status_code == 202:
        assert answer.json()["success_count"] == 0


def _feed(node: Node) -> Program:
    """One account for all examples."""
    if not node.programs:
        node.programs.append(node.account("feed", may_write=True))
    return node.programs[0]


WITHOUT_MEANING: list[dict[str, Any]] = [
    *({"limit": each} for each in ("0", "-1", "many", "1.5", "", ["1", "2"])),
    *({"added_after": each} for each in ("yesterday", "2026-13-01T00:00:00Z", "2026-01-01")),
    *({"match[version]": each} for each in ("newest", "")),
    *({"match[id]": each} for each in ("x y", ",".join(f"indicator--{uuid.UUID(int=n)}" for n in range(101)))),
    {"match[type]": "Indicator!"},
    {"match[spec_version]": "two"},
    {"match[name]": "x"},
    *({"next": each} for each in ("abc", "", "k" * 9000, "gA", "mAAAAAAAAAAA")),
]


def test_a_filter_without_meaning_is_400(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(1)])
    for query in WITHOUT_MEANING:
        answer = feed.get(OBJECTS, **query)
        assert answer.status_code == 400, (query, answer.text)
        assert answer.json()["title"]


def test_matches_narrow_and_alternatives_widen(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    scope = {"type": "domain-name", "spec_version": "2.1", "value": "example.com",
             "id": "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"}  # fmt: skip
    versions = [indicator(1), indicator(1, "2026-03-01T00:00:00.000Z"), indicator(1, "2026-02-15T00:00:00.000Z")]
    status = feed.post([*versions, indicator(2), scope]).json()
    assert status["failure_count"] == 0, status

    def read(**query: str) -> list[dict[str, Any]]:
        return feed.all_objects("inbox", **query)

    assert read() == [versions[1], indicator(2), scope]
    assert read(**{"match[version]": "all"}) == [*versions, indicator(2), scope]
    assert read(**{"match[version]": "first"}) == [versions[0], indicator(2), scope]
    assert read(**{"match[version]": "first,last"}) == [*versions[:2], indicator(2), scope]
    assert read(**{"match[version]": "2026-02-15T00:00:00Z"}) == [versions[2]]
    assert read(**{"match[version]": "2026-02-15T00:00:00Z,last"}) == [*versions[1:], indicator(2), scope]
    assert read(**{"match[id]": f"{indicator(2)['id']},{scope['id']}"}) == [indicator(2), scope]
    assert read(**{"match[type]": "domain-name"}) == [scope]
    assert read(**{"match[type]": "domain-name,indicator", "match[id]": indicator(2)["id"]}) == [indicator(2)]
    assert read(**{"match[spec_version]": "2.1"}) == read()
    assert read(**{"match[spec_version]": "2.0"}) == []
    assert read(added_after="2199-01-01T00:00:00Z") == []


def test_the_manifest_says_what_the_objects_are(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(1), indicator(2), indicator(1, "2026-03-01T00:00:00.000Z")])
    entries = list(feed.pages("node/collections/inbox/manifest/", limit=1, **{"match[version]": "all"}))
    assert [(each["id"], each["version"]) for each in entries] == [
        (indicator(1)["id"], "2026-02-01T00:00:00.000Z"),
        (indicator(2)["id"], "2026-02-01T00:00:00.000Z"),
        (indicator(1)["id"], "2026-03-01T00:00:00.000Z"),
    ]
    assert all(each["media_type"] == "application/stix+json;version=2.1" for each in entries)
    dates = [each["date_added"] for each in entries]
    assert all(DATE.fullmatch(each) for each in dates)
    assert sorted(set(dates)) == dates
    page = feed.get(OBJECTS, **{"match[version]": "all"})
    assert page.headers["X-TAXII-Date-Added-First"] == dates[0]
    assert page.headers["X-TAXII-Date-Added-Last"] == dates[-1]


def test_one_object_has_versions(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    newer = indicator(1, "2026-03-01T00:00:00.000Z")
    feed.post([indicator(1), newer])
    of = OBJECTS + indicator(1)["id"] + "/"
    assert feed.get(of).json() == {"more": False, "objects": [newer]}
    assert feed.get(of, **{"match[version]": "all"}).json()["objects"] == [indicator(1), newer]
    versions = feed.get(of + "versions/")
    assert versions.json() == {"more": False, "versions": [indicator(1)["modified"], newer["modified"]]}
    assert versions.headers["X-TAXII-Date-Added-Last"] > versions.headers["X-TAXII-Date-Added-First"]
    assert list(feed.pages(of + "versions/", limit=1)) == versions.json()["versions"]
    assert feed.get(of + "versions/", **{"match[version]": "all"}).status_code == 400
    assert feed.get(of, **{"match[id]": indicator(1)["id"]}).status_code == 400
    assert feed.get(OBJECTS + indicator(2)["id"] + "/").status_code == 404
    assert feed.get(OBJECTS + indicator(2)["id"] + "/versions/").status_code == 404


def test_an_empty_page_is_an_empty_object_without_dates(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    for path in (OBJECTS, "node/collections/inbox/manifest/", "node/collections/all/objects/"):
        answer = feed.get(path)
        assert answer.status_code == 200
        assert answer.json() == {}
        assert "X-TAXII-Date-Added-First" not in answer.headers


def test_what_may_not_be_written_is_403(node: Node) -> None:
    node.arrives([indicator(1)])
    reader, writer = node.account("reader"), node.account("writer", may_read=False, may_write=True)
    lane = reader.get("node/collections/").json()["collections"][1]["id"]
    for name in ("all", lane):
        assert reader.post([indicator(2)], f"node/collections/{name}/objects/").status_code == 403
    assert reader.post([indicator(2)]).status_code == 404
    assert writer.post([indicator(2)]).status_code == 202
    assert writer.get(OBJECTS).status_code == 403
    assert [each["alias"] for each in writer.get("node/collections/").json()["collections"]] == ["inbox"]


def test_nothing_is_deleted_from_outside(node: Node) -> None:
    node.arrives([indicator(1)])
    feed = node.account("feed", may_write=True)
    feed.post([indicator(2)])
    with feed.client() as client:
        assert client.delete(OBJECTS + indicator(2)["id"] + "/").status_code == 405
        assert client.delete(f"node/collections/all/objects/{indicator(1)['id']}/").status_code == 403
        assert client.put("node/collections/").status_code in (404, 405)
    assert feed.all_objects("inbox") == [indicator(2)]


def test_an_account_without_anything_gets_an_empty_list(node: Node) -> None:
    assert node.account("siem").get("node/collections/").json()["collections"][0]["alias"] == "all"
