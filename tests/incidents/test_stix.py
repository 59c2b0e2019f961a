"""An incident as STIX 2.1, and back: a law, and hostile bytes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.alert import Priority
from port2port.core.errors import BadInput, DecodeError
from port2port.core.handling import (
    Handling,
    LegalBasis,
    Pap,
    PersonalData,
    Purpose,
    Tlp,
    all_members,
    named_nodes,
    sharing_group,
)
from port2port.core.party import Compartment, Party
from port2port.core.place import Position
from port2port.incidents.limits import (
    MAX_BUNDLE_BYTES,
    MAX_NODES,
    MAX_PLACE_CHARS,
    MAX_READERS,
    MAX_SHARED_NOTES,
    MAX_TEXT_CHARS,
    MAX_TITLE_CHARS,
)
from port2port.incidents.model import Cause, Kind, Place, SharedNote, Status
from port2port.incidents.stix import (
    INCIDENT_CORE,
    PAP_IDS,
    PORT2PORT,
    TLP_IDS,
    IncidentReport,
    read_bundle,
    write_bundle,
)

SENDER = Party(node_id="a" * 64, name="Port of Ostend", short_name="Ostend", compartment=Compartment.A)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
)
printable = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
node_ids = st.text("0123456789abcdef", min_size=64, max_size=64)
audiences = st.one_of(
    st.just(all_members()),
    node_ids.map(sharing_group),
    st.lists(node_ids, max_size=4).map(lambda ids: named_nodes(*ids)),
)


def lines(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(printable, min_size=least, max_size=most)


def paragraphs(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(printable | st.just("\n"), min_size=least, max_size=most)


handlings = st.builds(
    Handling,
    origin=st.just(SENDER.node_id),
    tlp=st.sampled_from(Tlp),
    audience=audiences,
    compartment=st.sampled_from([Compartment.A, Compartment.B]),
    legal_basis=st.sampled_from(LegalBasis),
    purpose=st.sampled_from(Purpose),
    pap=st.sampled_from(Pap),
    personal_data=st.sampled_from(PersonalData),
    retain_until=moments,
    agreement_id=lines(20),
    readers=st.frozensets(lines(20), max_size=3),
)
positions = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))
reports = st.builds(
    IncidentReport,
    incident_id=st.uuids().map(str),
    reference=lines(40, 1),
    version=st.integers(1, 2**31),
    kind=st.sampled_from(Kind),
    title=lines(MAX_TITLE_CHARS, 1),
    description=paragraphs(MAX_TEXT_CHARS),
    place=st.builds(Place, name=lines(MAX_PLACE_CHARS), position=st.none() | positions),
    observed_at=moments,
    reported_at=moments,
    changed_at=moments,
    status=st.sampled_from(Status),
    priority=st.sampled_from(Priority),
    cause=st.none() | st.sampled_from(Cause),
    notes=st.lists(st.builds(SharedNote, at=moments, text=paragraphs(200, 1)), max_size=MAX_SHARED_NOTES).map(tuple),
    handling=handlings,
    origin_name=lines(40, 1),
)


@settings(max_examples=60, deadline=None)
@given(reports)
def test_what_is_written_is_read_back(told: IncidentReport) -> None:
    assert read_bundle(write_bundle(told, SENDER)) == told


@settings(max_examples=15, deadline=None)
@given(reports)
def test_the_same_version_is_the_same_bytes(told: IncidentReport) -> None:
    assert write_bundle(told, SENDER) == write_bundle(told, SENDER)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=500) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        read_bundle(body)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_bundle_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(write_bundle(example(), SENDER))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(DecodeError):
        assert read_bundle(bytes(body)).reference


def example(**wishes: Any) -> IncidentReport:
    fields: dict[str, Any] = {
        "incident_id": "3e3f4c5e-8d7b-4b7a-9f5d-0d8c6f3b2a11",
        "reference": "OST-2026-0007",
        "version": 1,
        "kind": Kind.VESSEL_ADRIFT,
        "title": "Tanker adrift off Ostend",
        "description": "Across the wind farm's edge.",
        "place": Place(name="Off Ostend", position=Position(51.3, 2.7)),
        "observed_at": NOW,
        "reported_at": NOW,
        "changed_at": NOW,
        "status": Status.ASSIGNED,
        "priority": Priority.HIGH,
        "cause": None,
        "notes": (SharedNote(at=NOW, text="Tug on its way"),),
        "handling": Handling(
            origin=SENDER.node_id,
            tlp=Tlp.AMBER_STRICT,
            pap=Pap.AMBER,
            audience=sharing_group("coast"),
            compartment=Compartment.A,
            legal_basis=LegalBasis.ISPS_CODE,
            purpose=Purpose.PORT_SECURITY,
            personal_data=PersonalData.NONE,
            retain_until=NOW + timedelta(days=365),
            agreement_id="cooperation",
        ),
        "origin_name": "Port of Ostend",
    }
    return IncidentReport(**{**fields, **wishes})


def changed(where: str, change: Any) -> bytes:
    """The example with one object of type `where` changed."""
    bundle = json.loads(write_bundle(example(), SENDER))
    for each in bundle["objects"]:
        if each["type"] == where:
            change(each)
    return json.dumps(bundle).encode()


def test_the_bundle_carries_the_official_markings_and_both_extensions() -> None:
    written = json.loads(write_bundle(example(), SENDER))["objects"]
    objects, markings = {each["type"]: each for each in written}, [TLP_IDS[Tlp.AMBER_STRICT], PAP_IDS[Pap.AMBER]]
    assert [each["id"] for each in written if each["type"] == "marking-definition"] == markings
    assert objects["incident"]["object_marking_refs"] == markings
    core = objects["incident"]["extensions"][INCIDENT_CORE]
    assert (core["extension_type"], core["investigation_status"]) == ("property-extension", "open")
    assert objects["incident"]["extensions"][PORT2PORT]["handling"]["tlp"] == "TLP:AMBER+STRICT"
    assert objects["incident"]["extensions"][PORT2PORT]["handling"]["pap"] == "PAP:AMBER"
    assert set(objects) == {
        "identity", "extension-definition", "marking-definition", "incident", "location", "relationship", "note",
    }  # fmt: skip


def test_objects_of_unknown_types_are_passed_by() -> None:
    bundle = json.loads(write_bundle(example(), SENDER))
    bundle["objects"].append({"type": "threat-actor", "name": 7})
    assert read_bundle(json.dumps(bundle).encode()) == example()


def test_a_label_without_pap_allows_nothing_that_shows() -> None:
    def without(incident: Any) -> None:
        incident["object_marking_refs"] = incident["object_marking_refs"][:1]
        del incident["extensions"][PORT2PORT]["handling"]["pap"]

    assert read_bundle(changed("incident", without)).handling.pap is Pap.RED


def test_incident_core_is_never_required() -> None:
    def without(incident: Any) -> None:
        del incident["extensions"][INCIDENT_CORE]

    assert read_bundle(changed("incident", without)) == example()


@pytest.mark.parametrize(
    ("where", "change", "reason"),
    [
        ("incident", lambda it: it.update(id="incident--not-a-uuid"), "bad-id"),
        ("incident", lambda it: it.update(object_marking_refs=[TLP_IDS[Tlp.GREEN]]), "two-colours"),
        ("incident", lambda it: it["object_marking_refs"].append(PAP_IDS[Pap.CLEAR]), "bad-bundle"),
        ("incident", lambda it: it["object_marking_refs"].__setitem__(1, PAP_IDS[Pap.CLEAR]), "two-colours"),
        ("incident", lambda it: it["object_marking_refs"].pop(0), "two-colours"),
        ("incident", lambda it: it.update(object_marking_refs=[]), "bad-bundle"),
        ("incident", lambda it: it.update(name="x" * (MAX_TITLE_CHARS + 1)), "bad-bundle"),
        ("incident", lambda it: it.update(name=""), "bad-bundle"),
        ("incident", lambda it: it.update(name="two\nlines"), "control-characters"),
        ("incident", lambda it: it.update(name="turned \u202e around"), "control-characters"),
        ("incident", lambda it: it.update(description="x\x00y"), "control-characters"),
        ("incident", lambda it: it.update(created="2026-03-01T12:00:00"), "bad-bundle"),
        ("incident", lambda it: it.update(created="0001-01-01T00:00:00+14:00"), "bad-bundle"),
        ("incident", lambda it: it.update(created_by_ref="identity--another"), "not-one-identity"),
        ("incident", lambda it: it["extensions"].pop(PORT2PORT), "bad-bundle"),
        ("incident", lambda it: it["extensions"][PORT2PORT].update(priority=5), "bad-bundle"),
        ("incident", lambda it: it["extensions"][PORT2PORT].update(version=0), "bad-bundle"),
        ("incident", lambda it: it["extensions"][PORT2PORT].update(surprise=1), "bad-bundle"),
        (
            "incident",
            lambda it: it["extensions"][PORT2PORT]["handling"].update(readers=[str(n) for n in range(MAX_READERS + 1)]),
            "bad-label",
        ),
        (
            "incident",
            lambda it: it["extensions"][PORT2PORT]["handling"]["audience"].update(
                nodes=[str(n) for n in range(MAX_NODES + 1)]
            ),
            "bad-label",
        ),
        (
            "incident",
            lambda it: it["extensions"][PORT2PORT]["handling"].update(retain_until="2026-03-01T12:00:00"),
            "bad-label",
        ),
        ("location", lambda it: it.update(latitude=91), "bad-bundle"),
        ("note", lambda it: it.update(content="x" * (MAX_TEXT_CHARS + 1)), "bad-bundle"),
    ],
)
def test_what_contradicts_itself_or_a_limit_is_refused(where: str, change: Any, reason: str) -> None:
    with pytest.raises(DecodeError) as refused:
        read_bundle(changed(where, change))
    assert refused.value.reason == reason


def test_two_incidents_in_one_bundle_are_refused() -> None:
    bundle = json.loads(write_bundle(example(), SENDER))
    bundle["objects"] *= 2
    with pytest.raises(DecodeError) as refused:
        read_bundle(json.dumps(bundle).encode())
    assert refused.value.reason == "not-one-incident"


def test_more_notes_than_may_go_along_are_refused() -> None:
    many = tuple(SharedNote(at=NOW, text=str(n)) for n in range(MAX_SHARED_NOTES + 1))
    with pytest.raises(DecodeError) as refused:
        read_bundle(write_bundle(example(notes=many), SENDER))
    assert refused.value.reason == "too-many-notes"


def test_the_longest_texts_still_travel() -> None:
    """Four bytes a character everywhere: the envelope around the bundle still has room below 128 KiB."""
    text = "\N{ANCHOR}\N{PILE OF POO}" * (MAX_TEXT_CHARS // 2)
    longest = example(
        title="\N{PILE OF POO}" * MAX_TITLE_CHARS,
        description=text,
        notes=tuple(SharedNote(at=NOW, text=text[:-1] + str(n)) for n in range(MAX_SHARED_NOTES)),
    )
    assert len(write_bundle(longest, SENDER)) < MAX_BUNDLE_BYTES - 24 * 1024


def test_what_is_too_large_to_travel_is_said_to_the_person() -> None:
    many = tuple(SharedNote(at=NOW, text="\N{PILE OF POO}" * MAX_TEXT_CHARS) for _ in range(20))
    with pytest.raises(BadInput, match="too-large"):
        write_bundle(example(notes=many), SENDER)
