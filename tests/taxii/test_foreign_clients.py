"""Programs that others wrote read from us: taxii2-client and cytaxii2."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cytaxii2.cytaxii2 import cytaxii2
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages
from taxii_kit import Node, Program, indicator

BATCH = 500


@pytest.fixture
def feed(node: Node) -> Program:
    return node.account("feed", may_write=True)


def _collection(program: Program, name: str = "inbox") -> Collection:
    found = program.get(f"node/collections/{name}/").json()["id"]
    return Collection(f"{program.url}node/collections/{found}/", user=program.name, password=program.password)


@pytest.fixture
def inbox(feed: Program) -> Iterator[Collection]:
    with _collection(feed) as collection:
        yield collection


def test_taxii2client_finds_the_root_and_its_collections(node: Node) -> None:
    node.arrives([indicator(1)])
    siem = node.account("siem")
    with Server(siem.url, user=siem.name, password=siem.password) as server:
        root: ApiRoot = server.default
        assert root.title == node.site.party.name
        assert [each.can_read for each in root.collections] == [True, True]
        assert root.collections[1].get_objects()["objects"] == [indicator(1)]


def test_taxii2client_hands_in_and_asks_for_the_status(inbox: Collection) -> None:
    status = inbox.add_objects({"objects": [indicator(1), {"type": "poison"}]})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 1)
    status.refresh()
    assert status.failures[0]["message"]
    assert inbox.get_object(indicator(1)["id"])["objects"] == [indicator(1)]
    assert inbox.object_versions(indicator(1)["id"])["versions"] == [indicator(1)["modified"]]
    assert inbox.get_manifest()["objects"][0]["id"] == indicator(1)["id"]


def test_taxii2client_pages_through_objects_and_manifest(inbox: Collection) -> None:
    inbox.add_objects({"objects": [indicator(number) for number in range(25)]})
    for what in (inbox.get_objects, inbox.get_manifest):
        pages = list(as_pages(what, per_request=10))
        assert [len(each["objects"]) for each in pages] == [10, 10, 5]


def test_cytaxii2_reads_and_hands_in(feed: Program) -> None:
    client = cytaxii2(discovery_url=feed.url, username=feed.name, password=feed.password)
    assert client.discovery_request()["status_code"] == 200
    assert client.root_discovery()["status"]
    listed = client.collection_request()["response"]["collections"]
    inbox = next(each["id"] for each in listed if each["can_write"])
    handed = client.inbox_request(
        collection_id=inbox, stix_bundle=json.dumps({"objects": [indicator(1), indicator(2)]})
    )
    assert handed["status_code"] == 202, handed
    assert handed["response"]["success_count"] == 2
    first = client.poll_request(collection_id=inbox, limit=1)["response"]
    assert first["objects"] == [indicator(1)]
    assert client.poll_request(collection_id=inbox, limit=1, next=first["next"])["response"]["objects"] == [
        indicator(2)
    ]


def test_attack_for_industrial_control_systems_is_served_complete(node: Node, feed: Program, shared: Path) -> None:
    content = json.loads(gzip.decompress((shared / "data/sharing/ics-attack-18.1.json.gz").read_bytes()))
    objects = [each for each in content["objects"] if each.get("spec_version", "2.1") == "2.1"]
    assert len(objects) > 1_000
    with _collection(feed) as inbox:
        for at in range(0, len(objects), BATCH):
            status = inbox.add_objects({"objects": objects[at : at + BATCH]})
            assert status.failure_count == 0, status.failures[:3]
    node.arrives(objects)
    for name in ("inbox", "all"):
        with _collection(feed, name) as collection:
            pages = as_pages(collection.get_objects, per_request=700)
            assert _by_id(each for page in pages for each in page["objects"]) == _by_id(objects)


def _by_id(objects: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in objects:
        assert each["id"] not in found, "an object came twice"
        found[each["id"]] = each
    return found
