"""From the journal to the collections: noted down at once, brought when somebody may read."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from taxii_kit import OTHER_ID, Node, bundle, indicator

from port2port.core.errors import BadInput
from port2port.core.exchange import ObjectErased
from port2port.sharing.taxii import filters, tables
from port2port.sharing.taxii.filters import Filters
from port2port.sharing.taxii.revoked import version_of
from port2port.sharing.taxii.times import stix_time, taxii_time, us_of
from port2port.stix.check import check


def _waiting(node: Node) -> int:
    with node.site.store.reading() as view:
        return len(tables.waiting(view, 10_000))


def test_without_a_program_that_reads_bundles_only_wait(node: Node) -> None:
    for number in range(3):
        node.arrives([indicator(number)])
    node.account("feed", may_read=False, may_write=True)
    assert _waiting(node) == 3
    assert node.account("siem").all_objects() == [indicator(number) for number in range(3)]
    assert _waiting(node) == 0


def test_what_is_erased_while_it_waits_is_brought_nowhere(node: Node) -> None:
    here = node.arrives([indicator(1)])
    node.arrives([indicator(2)])
    with node.site.store.transaction() as tx:
        tx.append(
            ObjectErased(
                at=node.clock(), object_kind="incident", object_id=here, version=1, origin=OTHER_ID, reason="court"
            )
        )
    node.catch_up()
    assert node.account("siem").all_objects() == [indicator(2)]


def test_the_task_brings_what_arrives_while_it_runs(node: Node) -> None:
    siem = node.account("siem")

    async def run() -> list[Any]:
        task = asyncio.create_task(node.taxii.feeder.run())
        try:
            async with asyncio.timeout(20):
                await asyncio.to_thread(node.arrives, [indicator(1)], None, "", 1, feed=False)
                while not (found := await asyncio.to_thread(siem.all_objects)):  # noqa: ASYNC110 - it sees no event
                    await asyncio.sleep(0.02)
                return found
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert asyncio.run(run()) == [indicator(1)]


def test_a_bundle_with_poison_in_it_brings_the_rest(node: Node) -> None:
    siem = node.account("siem")
    node.arrives([{"type": "poison"}, indicator(1), 5])
    node.arrives([{"type": "poison"}])
    assert siem.all_objects() == [indicator(1)]
    assert node.site.counters.get("sharing.refused.taxii-object") == 3
    assert len(siem.get("node/collections/").json()["collections"]) == 2


def test_objects_of_ours_come_with_their_retention_date(node: Node) -> None:
    me = node.site.party.node_id
    node.offers([indicator(1)], node.label(me, retain_until=node.clock() + timedelta(days=3)))
    siem = node.account("siem")
    assert siem.all_objects() == [indicator(1)]
    node.clock.shift = timedelta(days=4)
    assert siem.all_objects() == []


def test_bytes_are_served_as_they_were_signed(node: Node) -> None:
    """No re-writing: order of names, spaces and escapes stay."""
    siem = node.account("siem")
    node.arrives([indicator(1, name="caf\u00e9 \u2192"), indicator(2)])
    content = siem.get("node/collections/all/objects/").content
    inner = bundle([indicator(1, name="caf\u00e9 \u2192")]).partition(b'"objects": [')[2].removesuffix(b"]}")
    assert inner in content


# pure parts

_QUESTIONS = st.builds(
    Filters,
    added_after_us=st.integers(-1, 2**60),
    ids=st.lists(st.uuids().map(lambda each: f"indicator--{each}"), max_size=3).map(tuple),
    types=st.lists(st.sampled_from(["indicator", "malware"]), max_size=2).map(tuple),
    words=st.frozensets(st.sampled_from(["first", "last", "all"])),
    versions_us=st.lists(st.integers(0, 2**60), max_size=3).map(tuple),
    spec_versions=st.lists(st.sampled_from(["2.0", "2.1"]), max_size=2).map(tuple),
    limit=st.integers(1, 10_000),
)


@given(asked=_QUESTIONS, collection=st.integers(1, 99), after_ms=st.integers(0, 2**50))
def test_next_holds_the_whole_question(asked: Filters, collection: int, after_ms: int) -> None:
    token = filters.next_of(asked, collection, after_ms)
    told = filters.read({"next": [token], "match[type]": ["malware"]}, frozenset({"match[type]"}), collection)
    assert told == replace(asked, after_ms=after_ms)


@given(token=st.text(max_size=60) | st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode()))
def test_any_next_is_understood_or_refused(token: str) -> None:
    try:
        told = filters.read({"next": [token]}, frozenset(), 1)
    except BadInput:
        return
    assert 1 <= told.limit <= 10_000


@given(us=st.integers(0, 4_102_444_800_000_000))
def test_times_are_read_as_they_are_written(us: int) -> None:
    assert us_of(taxii_time(us)) == us
    assert us_of(stix_time(us)) == us


KINDS = (
    *("attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident", "indicator"),
    *("infrastructure", "intrusion-set", "location", "malware", "malware-analysis", "note", "observed-data"),
    *("opinion", "report", "threat-actor", "tool", "vulnerability", "relationship", "sighting"),
)


def test_every_kind_of_revoked_version_is_valid_stix() -> None:
    for kind in KINDS:
        made = version_of(f"{kind}--00000000-0000-4000-8000-000000000001", 1_767_225_600_000_000)
        assert made is not None
        found = msgspec.json.decode(made.raw)
        assert [each for each in check(found) if "object_refs" not in each.path and "ref" not in each.path] == [], kind
    assert version_of("ipv4-addr--00000000-0000-4000-8000-000000000001", 1) is None
    assert version_of("marking-definition--00000000-0000-4000-8000-000000000001", 1) is None
