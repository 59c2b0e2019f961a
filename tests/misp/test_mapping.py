"""STIX to MISP and back: what we can express comes back equal, whatever else there is is left out by name."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from misp_kit import AT, AUTHOR, ORGANISATION, T0, incident, indicator, observable, versioned
from strategies import bundles

from port2port.core.errors import DecodeError
from port2port.core.handling import Pap, Tlp
from port2port.sharing.misp import patterns, tags
from port2port.sharing.misp.core_format import Event, decode_event, encode_event
from port2port.sharing.misp.from_misp import objects_of
from port2port.sharing.misp.gathering import Read
from port2port.sharing.misp.headings import FORMER_ID, Heading
from port2port.sharing.misp.ids import event_uuid
from port2port.sharing.misp.manifests import decode_manifest
from port2port.sharing.misp.templates import OWN, TEMPLATES
from port2port.sharing.misp.to_misp import Written, event_of
from port2port.stix.check import check

HEADING = Heading(uuid=event_uuid("a" * 64, "one"), organisation="Port of Ostend", organisation_uuid=AUTHOR, at=AT)


def write(*objects: dict[str, Any]) -> Written:
    return event_of([ORGANISATION, *objects], HEADING)


def through(event: Event) -> Read:
    """Read what another MISP would read: the bytes."""
    return objects_of(decode_event(encode_event(event)))


def by_id(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in objects}


@given(bundles())
@settings(max_examples=100, deadline=None)
def test_what_we_can_express_comes_back_equal(objects: list[dict[str, Any]]) -> None:
    written = event_of(objects, HEADING)
    read = through(written.event)
    assert written.left_out == []
    assert read.left_out == []
    assert by_id(read.objects) == by_id(objects)


@given(bundles())
@settings(max_examples=50, deadline=None)
def test_the_same_objects_are_the_same_bytes(objects: list[dict[str, Any]]) -> None:
    first = encode_event(event_of(objects, HEADING).event)
    assert encode_event(event_of(objects, HEADING).event) == first


@given(bundles())
@settings(max_examples=50, deadline=None)
def test_no_uuid_is_used_twice_in_an_event_or_in_two_events(objects: list[dict[str, Any]]) -> None:
    seen: list[str] = []
    for number in ("one", "two"):
        heading = Heading(
            uuid=event_uuid("a" * 64, number), organisation="Port of Ostend", organisation_uuid=AUTHOR, at=AT
        )
        event = event_of(objects, heading).event
        seen += [str(each.uuid) for each in [event, *event.all_attributes(), *event.objects]]
        seen += [str(each.uuid) for found in event.objects for each in found.references]
    assert len(seen) == len(set(seen))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_refused(data: bytes) -> None:
    for decode in (decode_event, decode_manifest):
        with suppress(DecodeError):
            decode(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@st.composite
def strange_events(draw: st.DrawFn) -> bytes:
    """An event that its author did not mean well, or not at all: any type, any value."""
    kinds = [*patterns._PATHS, *patterns.LANGUAGES.values(), "domain|ip", "filename|md5", "comment", "AS", "text"]
    names = [each.name for each in TEMPLATES] + ["ais-observation", "drone-rid-observation", "unheard-of"]
    relations = [each.name for template in TEMPLATES for each in template.relations]
    uuids = st.uuids().map(str)

    def attribute(relation: bool) -> dict[str, Any]:
        made = {
            "uuid": draw(uuids),
            "type": draw(st.sampled_from(kinds)),
            "category": "Other",
            "value": draw(
                st.text(max_size=30) | st.sampled_from(["nan", "1e999", "0", "a|b", "1.2.3.4", "MSCU6639870"])
            ),
            "to_ids": draw(st.booleans()),
            "comment": draw(st.text(max_size=30)),
            "timestamp": draw(st.integers(0, 2**37) | st.just(1_770_000_000)),
            "first_seen": draw(st.none() | st.text(max_size=20) | st.just("2026-03-01T12:00:00+00:00")),
            "deleted": draw(st.booleans()),
        }
        return made | ({"object_relation": draw(st.sampled_from(relations))} if relation else {})

    objects = [
        {
            "uuid": draw(uuids),
            "name": draw(st.sampled_from(names)),
            "timestamp": draw(st.sampled_from([0, 1_770_000_000, 2**37])),
            "Attribute": [attribute(True) for _ in range(draw(st.integers(0, 4)))],
        }
        for _ in range(draw(st.integers(0, 3)))
    ]
    content = {
        "uuid": draw(uuids),
        "info": draw(st.text(max_size=20)),
        "date": "2026-02-01",
        "timestamp": draw(st.sampled_from([0, 1_770_000_000, 2**37])),
        "Orgc": {"name": draw(st.text(max_size=20)), "uuid": draw(uuids)},
        "Tag": [{"name": draw(st.sampled_from(["tlp:red", "tlp:white", "TLP:AMBER", "x"]) | st.text(max_size=10))}],
        "Attribute": [attribute(False) for _ in range(draw(st.integers(0, 4)))],
        "Object": objects,
        "Galaxy": draw(json_values),
    }
    return json.dumps({"Event": content}).encode()


@given(strange_events())
@settings(max_examples=200, deadline=None)
def test_whatever_an_event_says_what_comes_out_is_stix(data: bytes) -> None:
    try:
        event = decode_event(data)
    except DecodeError:
        return
    read = objects_of(event)
    for each in read.objects:
        assert check(each) == (), each
    ids = [each["id"] for each in read.objects]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("tlp", list(Tlp))
def test_every_colour_of_tlp_2_is_a_tag_and_comes_back(tlp: Tlp) -> None:
    written = write(tags.marking(tlp), incident(1, tlp))
    assert [each.name for each in written.event.tags] == [tlp.value.lower()]
    assert through(written.event).tlp is tlp


@pytest.mark.parametrize(
    ("names", "tlp"),
    [
        (["tlp:green", "tlp:red"], Tlp.RED),
        (["tlp:amber+strict", "tlp:amber"], Tlp.AMBER_STRICT),
        (["tlp:white"], Tlp.CLEAR),
        (["TLP:Amber"], Tlp.AMBER),
        (["tlp:ex:chr"], None),
        ([], None),
    ],
)
def test_of_two_colours_the_stricter_counts_and_none_is_none(names: list[str], tlp: Tlp | None) -> None:
    assert tags.read_tags(names)[0] is tlp


def test_tags_that_we_do_not_know_are_kept_as_they_are_written() -> None:
    names = ["tlp:green", 'admiralty-scale:source-reliability="b"', "PAP:RED", "Ünknown  Tag"]
    _, pap, others = tags.read_tags(names)
    assert (pap, others) == (Pap.RED, ['admiralty-scale:source-reliability="b"', "Ünknown  Tag"])


def test_a_thing_that_was_merely_seen_is_nothing_to_alarm_on() -> None:
    event = write(
        incident(), observable("domain-name", value="fine.example"), observable("vessel", imo="9074729")
    ).event
    assert not any(each.to_ids for each in event.all_attributes())


def test_an_indicator_for_a_container_is_an_object_of_our_own_template() -> None:
    event = write(indicator(1, "[shipping-container:number = 'MSCU6639870']")).event
    (found,) = event.objects
    assert (found.name, found.template_uuid) == ("shipping-container", OWN[0].uuid)
    assert [(each.object_relation, each.value, each.to_ids) for each in found.attributes] == [
        ("number", "MSCU6639870", True)
    ]


def test_a_pattern_that_misp_has_no_words_for_travels_word_for_word() -> None:
    pattern = "[file:size > 10] FOLLOWEDBY [url:value = 'x']"
    (found,) = write(indicator(1, pattern)).event.attributes
    assert (found.type, found.value) == ("stix2-pattern", pattern)


@pytest.mark.parametrize("value", [" bad.example", "bad.example\t", " ", "bad.example\0"])
def test_a_value_that_misp_would_trim_travels_inside_its_pattern(value: str) -> None:
    pattern = f"[domain-name:value = '{value}']"
    (found,) = write(indicator(1, pattern)).event.attributes
    assert (found.type, found.value) == ("stix2-pattern", pattern)


def test_what_has_no_words_in_misp_is_named() -> None:
    malware = versioned("malware", 1, name="x", is_family=False)
    dangling = versioned(
        "relationship", 1, relationship_type="uses", source_ref=malware["id"], target_ref=malware["id"]
    )
    assert write(incident(), malware, dangling).left_out == [malware["id"], dangling["id"]]


def test_a_property_that_has_no_place_in_misp_is_named() -> None:
    found = indicator(1, "[url:value = 'x:y']", confidence=80)
    vessel = observable("vessel", imo="9074729", x_colour="red")
    assert write(incident(), found, vessel).left_out == [f"{found['id']} confidence", f"{vessel['id']} x_colour"]


def event_with(**changes: Any) -> Event:
    content = {
        "uuid": "0f3ad3b8-6a9b-4d5c-9a53-1f0e4f5f0001",
        "info": "Somebody's event",
        "date": "2026-02-01",
        "timestamp": "1770000000",
        "Orgc": {"name": "Some CERT", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"},
    }
    return decode_event(json.dumps({"Event": content | changes}).encode())


def attribute(kind: str, value: str, **changes: Any) -> dict[str, Any]:
    made = {"uuid": "0f3ad3b8-6a9b-4d5c-9a53-1f0e4f5f0002", "type": kind, "category": "Other", "value": value}
    return made | {"timestamp": "1770000000", "to_ids": True, **changes}


@pytest.mark.parametrize(
    ("kind", "value", "pattern"),
    [
        ("ip-src", "192.0.2.1", "[ipv4-addr:value = '192.0.2.1']"),
        ("ip-dst", "2001:db8::1", "[ipv6-addr:value = '2001:db8::1']"),
        ("hostname", "a.example", "[domain-name:value = 'a.example']"),
        ("email-src", "a@b.example", "[email-addr:value = 'a@b.example']"),
        (
            "domain|ip",
            "a.example|192.0.2.1",
            "[domain-name:value = 'a.example' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
        ),
        ("filename|sha1", f"x.exe|{'a' * 40}", f"[file:name = 'x.exe' AND file:hashes.'SHA-1' = '{'a' * 40}']"),
        ("sha512", "c" * 128, f"[file:hashes.'SHA-512' = '{'c' * 128}']"),
    ],
)
def test_an_attribute_to_look_for_is_an_indicator(kind: str, value: str, pattern: str) -> None:
    read = objects_of(event_with(Attribute=[attribute(kind, value)]))
    assert [each["pattern"] for each in read.objects if each["type"] == "indicator"] == [pattern]
    assert read.left_out == []


@pytest.mark.parametrize(("kind", "value"), [("ip-dst", "nowhere"), ("domain|ip", "a.example"), ("btc", "1A1zP1")])
def test_what_we_cannot_read_is_named_and_holds_up_nobody(kind: str, value: str) -> None:
    fine = attribute("domain", "a.example", uuid="0f3ad3b8-6a9b-4d5c-9a53-1f0e4f5f0003")
    read = objects_of(event_with(Attribute=[attribute(kind, value), fine]))
    assert read.left_out == [f"{kind} 0f3ad3b8-6a9b-4d5c-9a53-1f0e4f5f0002"]
    assert len([each for each in read.objects if each["type"] == "indicator"]) == 1


def test_an_event_without_a_colour_is_unmarked() -> None:
    read = objects_of(event_with(Attribute=[attribute("domain", "a.example")]))
    assert read.tlp is None
    assert not any("object_marking_refs" in each for each in read.objects)


def test_a_drone_of_another_template_is_a_drone() -> None:
    part = {"object_relation": "uas-id", "to_ids": False}
    found = {
        "uuid": "0f3ad3b8-6a9b-4d5c-9a53-1f0e4f5f0009",
        "name": "drone-rid-observation",
        "Attribute": [attribute("text", "1581f45t7229100abcd1", **part)],
    }
    read = objects_of(event_with(Object=[found]))
    assert [each["serial"] for each in read.objects if each["type"] == "uas"] == ["1581F45T7229100ABCD1"]


def test_a_change_made_in_misp_is_a_newer_version_of_the_same_object() -> None:
    event = write(incident(), indicator(1, "[domain-name:value = 'a.example']")).event
    event.attributes[0].timestamp += 86_400
    found = next(each for each in through(event).objects if each["type"] == "indicator")
    assert (found["created"], found["modified"]) == (T0, "2026-03-02T12:00:00.000Z")
    assert found["id"] == indicator(1, "[a:b = 'c']")["id"]


def test_an_incident_written_before_our_extension_of_today_is_read_all_the_same() -> None:
    old = {FORMER_ID: {"extension_type": "property-extension", "reference": "OST-1", "priority": 1}}
    event = write(incident(extensions=old)).event
    assert event.threat_level_id == 1
    assert "OST-1" in [each.value for each in event.all_attributes()]


def test_the_templates_of_our_own_are_published_as_they_are_used() -> None:
    folder = Path(__file__).parents[2] / "docs" / "reference" / "misp"
    for template in OWN:
        published = json.loads((folder / template.name / "definition.json").read_text())
        assert (published["name"], published["uuid"], published["version"]) == (
            template.name,
            template.uuid,
            template.version,
        )
        assert published["meta-category"] == template.meta_category
        assert {name: each["misp-attribute"] for name, each in published["attributes"].items()} == {
            each.name: each.type for each in template.relations
        }
        assert set(published["required"]) == {each.name for each in template.relations if each.contributes}


def test_the_reference_page_names_every_template_and_relation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "misp.md").read_text("utf-8")
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| `")}
    for template in TEMPLATES:
        row = rows[f"`{template.stix}`"]
        missing = [each.name for each in template.relations if f"`{each.name}`" not in row]
        assert (f"`{template.name}`" in row, missing) == (True, [])
