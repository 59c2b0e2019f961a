"""MISP's own libraries as judges: PyMISP reads what we write, misp-stix says the same of it as we do.

Runs where misp-stix is installed: tools/misp_oracle. Where the two differ, it is named here with the reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pymisp
import pytest
from hypothesis import given, settings
from misp_kit import AT, AUTHOR, ORGANISATION, T0, incident, indicator, observable, versioned
from misp_stix_converter import MISPtoSTIX21Parser
from pymisp import MISPEvent, MISPObject
from strategies import bundles

from port2port.core.handling import Tlp
from port2port.sharing.misp import tags
from port2port.sharing.misp.core_format import Event, decode_event, encode_event
from port2port.sharing.misp.directory import digests, manifest_entry
from port2port.sharing.misp.from_misp import objects_of
from port2port.sharing.misp.headings import Heading
from port2port.sharing.misp.templates import INCIDENT, LOCATION, OWN, TEMPLATES, UAS, VEHICLE, VESSEL
from port2port.sharing.misp.to_misp import event_of

HEADING = Heading(
    uuid="2f6b7a1e-5a0a-5a0e-9b55-000000000001", organisation="Port of Ostend", organisation_uuid=AUTHOR, at=AT
)
TEMPLATES_OF_MISP = Path(pymisp.__file__).parent / "data" / "misp-objects" / "objects"
OTHER_WORDS = {
    "ip-dst": "misp-stix writes an address to look for as the destination of network traffic; STIX has a pattern for "
    "the address itself, which finds it in either direction",
    "email": "misp-stix writes email-addr:value as we do",
    "stix2-pattern": "misp-stix knows such patterns inside an object of that name only, and keeps the attribute as its "
    "own type x-misp-attribute",
}
"""MISP type -> how misp-stix's pattern differs from ours, or why it has none."""
EXTRA = {
    VESSEL.name: {"ENI-number", "flag", "length", "beam"},
    VEHICLE.name: {"country", "adr-un-number"},
    UAS.name: {"session-id", "uas-class", "rid-standard-profile"},
    LOCATION.name: {"description", "kind", "un-locode", "facility-number", "security-level"},
    INCIDENT.name: {"reference", "kind", "status", "priority", "cause", "observed-at", "place", "method"},
}
"""Relations that we add to a template of MISP. PyMISP says so in its log; MISP keeps them."""


def read_by_pymisp(event: Event) -> MISPEvent:
    found = MISPEvent()
    found.from_json(encode_event(event).decode())
    return found


@given(bundles())
@settings(max_examples=60, deadline=None)
def test_pymisp_reads_every_event_that_we_write(objects: list[dict[str, Any]]) -> None:
    event = event_of(objects, HEADING).event
    found = read_by_pymisp(event)
    assert found.uuid == str(event.uuid)
    assert sorted(each.uuid for each in found.objects) == sorted(str(each.uuid) for each in event.objects)
    written = {str(each.uuid): each for each in event.all_attributes()}
    parts = [*found.attributes, *(part for each in found.objects for part in each.attributes)]
    assert {part.uuid for part in parts} == set(written)
    for part in parts:
        ours = written[part.uuid]
        assert (part.type, part.category, part.to_ids) == (ours.type, ours.category, ours.to_ids)


@given(bundles())
@settings(max_examples=30, deadline=None)
def test_what_pymisp_writes_of_our_event_reads_as_the_same_objects(objects: list[dict[str, Any]]) -> None:
    event = event_of(objects, HEADING).event
    again = decode_event(read_by_pymisp(event).to_json().join(['{"Event":', "}"]).encode())
    ours, theirs = objects_of(event), objects_of(again)
    assert sorted(each["id"] for each in ours.objects) == sorted(each["id"] for each in theirs.objects)
    assert (ours.tlp, ours.pap, sorted(ours.tags)) == (theirs.tlp, theirs.pap, sorted(theirs.tags))


@given(bundles())
@settings(max_examples=30, deadline=None)
def test_manifest_and_hashes_are_those_of_pymisp(objects: list[dict[str, Any]]) -> None:
    event = event_of(objects, HEADING).event
    found = read_by_pymisp(event)
    theirs = found.to_feed(with_meta=True)["Event"]["_manifest"][str(event.uuid)]
    ours = manifest_entry(event)
    assert {key: str(ours[key]) for key in ("info", "date", "analysis", "threat_level_id", "timestamp")} == {
        key: str(theirs[key]) for key in ("info", "date", "analysis", "threat_level_id", "timestamp")
    }
    assert [each["name"] for each in ours["Tag"]] == [each["name"] for each in theirs["Tag"]]
    parts = [*found.attributes, *(part for each in found.objects for part in each.attributes)]
    for part in parts:  # PyMISP hashes moments in a form of its own, and deleted attributes too
        if part.type != "datetime" and not getattr(part, "deleted", False):
            assert set(part.hash_values("md5")) <= set(digests(event)), part.type


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.name)
def test_our_templates_are_those_of_misp_objects(template: Any) -> None:
    if template in OWN:
        assert not (TEMPLATES_OF_MISP / template.name).exists(), "MISP has one by now: take it"
        return
    theirs = json.loads((TEMPLATES_OF_MISP / template.name / "definition.json").read_text())
    assert (template.uuid, template.version, template.meta_category) == (
        theirs["uuid"],
        theirs["version"],
        theirs["meta-category"],
    )
    known = theirs["attributes"]
    assert {each.name for each in template.relations} - known.keys() == EXTRA.get(template.name, set())
    for each in template.relations:
        if each.name in known:
            assert each.type == known[each.name]["misp-attribute"], each.name


@pytest.mark.parametrize("template", OWN, ids=lambda each: each.name)
def test_the_definitions_that_we_publish_follow_the_schema_of_misp_objects(template: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((TEMPLATES_OF_MISP.parent / "schema_objects.json").read_text())
    path = Path(__file__).parents[3] / "docs" / "reference" / "misp" / template.name / "definition.json"
    jsonschema.validate(json.loads(path.read_text()), schema)
    made = MISPObject(template.name, misp_objects_path_custom=str(path.parents[1]), strict=True)
    made.add_attribute("number", "MSCU6639870")
    assert (made.template_uuid, int(made.template_version)) == (template.uuid, template.version)


def converted(event: Event) -> list[dict[str, Any]]:
    """What misp-stix makes of our event."""
    parser = MISPtoSTIX21Parser()
    parser.parse_misp_event(read_by_pymisp(event))
    return [json.loads(each.serialize()) for each in parser.bundle.objects]


STANDARD = {
    "ip-dst": ("[ipv4-addr:value = '198.51.100.7']", ["198.51.100.7"]),
    "domain": ("[domain-name:value = 'bad.example']", ["bad.example"]),
    "domain|ip": (
        "[domain-name:value = 'bad.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']",
        ["bad.example", "198.51.100.7"],
    ),
    "url": ("[url:value = 'https://bad.example/x']", ["https://bad.example/x"]),
    "email": ("[email-addr:value = 'a@bad.example']", ["a@bad.example"]),
    "filename": ("[file:name = 'x.exe']", ["x.exe"]),
    "md5": (f"[file:hashes.MD5 = '{'a' * 32}']", ["a" * 32]),
    "sha1": (f"[file:hashes.'SHA-1' = '{'b' * 40}']", ["b" * 40]),
    "sha256": (f"[file:hashes.'SHA-256' = '{'c' * 64}']", ["c" * 64]),
    "sha512": (f"[file:hashes.'SHA-512' = '{'d' * 128}']", ["d" * 128]),
}


@pytest.mark.parametrize("misp_type", STANDARD)
def test_misp_stix_looks_for_the_same_value(misp_type: str) -> None:
    pattern, values = STANDARD[misp_type]
    event = event_of([ORGANISATION, indicator(1, pattern)], HEADING).event
    assert [each.type for each in event.attributes] == [misp_type]
    (theirs,) = [each["pattern"] for each in converted(event) if each["type"] == "indicator"]
    for value in values:
        assert f"= '{value}'" in theirs
    if misp_type != "ip-dst":
        assert theirs == pattern
    else:
        assert misp_type in OTHER_WORDS
        assert theirs.startswith("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = ")


def test_misp_stix_looks_for_the_same_file() -> None:
    pattern = f"[file:name = 'x.exe' AND file:hashes.MD5 = '{'a' * 32}' AND file:hashes.'SHA-256' = '{'c' * 64}']"
    event = event_of([ORGANISATION, indicator(1, pattern)], HEADING).event
    (theirs,) = [each["pattern"] for each in converted(event) if each["type"] == "indicator"]
    said = theirs.strip("[]").replace("(", "").replace(")", "").split(" AND ")
    assert sorted(said) == sorted(pattern.strip("[]").split(" AND "))


def test_a_pattern_of_several_steps_is_kept_by_misp_stix_as_a_type_of_its_own() -> None:
    event = event_of([ORGANISATION, indicator(1, "[url:value = 'x'] FOLLOWEDBY [url:value = 'y']")], HEADING).event
    kinds = {each["type"] for each in converted(event)}
    assert "stix2-pattern" in OTHER_WORDS
    assert "x-misp-attribute" in kinds


@pytest.mark.parametrize("tlp", list(Tlp))
def test_misp_stix_gives_our_tag_the_official_marking(tlp: Tlp) -> None:
    event = event_of([ORGANISATION, tags.marking(tlp), indicator(1, "[url:value = 'x:y']", tlp)], HEADING).event
    refs = {ref for each in converted(event) for ref in each.get("object_marking_refs", ())}
    assert tags.read_markings(refs)[0] is tlp


def test_our_place_is_their_place() -> None:
    place = versioned("location", 1, name="Quay 3", latitude=51.23, longitude=2.92)
    (theirs,) = [
        each for each in converted(event_of([ORGANISATION, place], HEADING).event) if each["type"] == "location"
    ]
    assert (theirs["latitude"], theirs["longitude"]) == (51.23, 2.92)


def test_our_physical_things_are_kept_by_misp_stix_as_objects_of_their_own() -> None:
    """misp-stix has no type for them: it keeps name and values, none is lost."""
    things = [
        observable("shipping-container", number="MSCU6639870"),
        observable("vessel", imo="9074729", mmsi="205344990", name="MV EXAMPLE"),
        observable("uas", serial="1581F45T7229100ABCD1"),
    ]
    theirs = json.dumps(converted(event_of([ORGANISATION, incident(), *things], HEADING).event))
    for value in ("MSCU6639870", "9074729", "205344990", "MV EXAMPLE", "1581F45T7229100ABCD1"):
        assert value in theirs


def test_an_incident_is_an_incident_to_both() -> None:
    (theirs,) = [
        each
        for each in converted(event_of([ORGANISATION, incident(1, description="Two men")], HEADING).event)
        if each["type"] == "incident" or each.get("x_misp_name") == "incident"
    ]
    assert "Seal broken" in json.dumps(theirs)
    assert T0[:10] == "2026-03-01"
