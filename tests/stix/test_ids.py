"""Ids that follow from what things are: as `stix2` derives them, and alike at every port."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from stix_kit import is_random, standard

from port2port.core.errors import BadInput, DecodeError
from port2port.stix import normal, things
from port2port.stix.ids import CONTRIBUTING, NAMESPACE, canonical, derived_id, is_derived, uuid_version

stix2 = pytest.importorskip("stix2", reason="oracle: stix2 is not installed")
OBSERVABLES = [each for each in standard() if each["type"] in CONTRIBUTING]
MORE: list[dict[str, Any]] = [
    {"type": "file", "hashes": {"SHA-256": "e" * 64, "MD5": "d" * 32}, "name": "ü/\\\u2028.txt"},
    {"type": "file", "hashes": {"SHA-512": "e" * 128, "SHA-256": "d" * 64}},
    {"type": "file", "hashes": {"SSDEEP": "3:a:b"}},
    {"type": "file", "name": "a", "extensions": {"pdf-ext": {"version": "1.7", "is_optimized": True}}},
    {"type": "software", "name": "a", "vendor": "b", "version": "\t\x7f"},
    {"type": "network-traffic", "dst_ref": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3350f07e", "protocols": ["tcp"]},
    {"type": "windows-registry-key", "key": "a", "values": [{"name": "n", "data": "qwerty", "data_type": "REG_SZ"}]},
    {"type": "user-account", "account_type": "unix", "user_id": "0"},
    {"type": "x509-certificate", "hashes": {"SHA-1": "e" * 40}, "serial_number": "0"},
]


def test_every_type_of_the_oracle_contributes_the_same() -> None:
    theirs = {
        kind: tuple(it._id_contributing_properties)
        for kind, it in stix2.v21.OBJ_MAP_OBSERVABLE.items()
        if kind in CONTRIBUTING
    }
    assert theirs == dict(CONTRIBUTING)


@pytest.mark.parametrize("found", [*OBSERVABLES, *MORE], ids=lambda found: found["type"])
def test_ids_are_those_of_stix2(found: dict[str, Any]) -> None:
    """With timestamps as `stix2` shortens them before it derives an id; RFC 8785 takes a text as it stands."""
    bare = {name: _shortened(value) for name, value in found.items() if name not in ("id", "spec_version")}
    theirs = stix2.parse(bare, version="2.1")
    ours = derived_id(bare)
    if ours is None:
        assert is_random(theirs.id)
    else:
        assert ours == theirs.id
        assert uuid_version(ours) == 5


def _shortened(value: Any) -> Any:
    return value.replace(".000Z", "Z") if isinstance(value, str) else value


@given(st.sampled_from(["url", "mutex", "domain-name"]), st.text(min_size=1))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_the_id_of_stix2(kind: str, text: str) -> None:
    name = CONTRIBUTING[kind][0]
    parsed = stix2.v21.OBJ_MAP_OBSERVABLE[kind](**{name: text})
    assert derived_id({"type": kind, name: text}) == parsed.id


@given(st.dictionaries(st.text("abcdefghij_", min_size=1), st.text(), max_size=4))
def test_the_fast_writer_writes_rfc_8785(named: dict[str, str]) -> None:
    assert canonical(named) == rfc8785.dumps(named)


def test_what_has_no_canonical_form_has_no_id() -> None:
    for number in (2**60, float("nan")):
        with pytest.raises(DecodeError):
            derived_id({"type": "autonomous-system", "number": number})
    with pytest.raises(DecodeError):
        derived_id({"type": "url", "value": "\ud800"})


@pytest.mark.parametrize(
    "alike",
    [
        [things.container("CSQU3054383"), things.container("csqu 305438-3", size_type="45R1")],
        [things.vehicle("1-ABC-123", "BE"), things.vehicle("1abc123", "be", colour="red")],
        [things.vessel(imo="IMO 9074729"), things.vessel(imo="9074729", mmsi="205123000", eni="06105312")],
        [things.vessel(eni="06105312"), things.vessel(eni="0610 5312", mmsi="205123000")],
        [
            things.uas(serial="1581F45T7229100ABCD1"),
            things.uas(serial="1581f45t7229100abcd1 ", session_id="0f2c11aa22bb"),
        ],
        [things.uas(session_id="0F2C-11AA-22BB"), things.uas(session_id="0f2c11aa22bb")],
        [things.seal("ml 0042"), things.seal("ML-0042", state="broken")],
        [things.badge("Port  of Invention", "a-1"), things.badge("port of invention", "A1", state="lost")],
    ],
    ids=lambda alike: alike[0]["type"],
)
def test_two_ports_that_see_one_thing_make_one_id(alike: list[dict[str, Any]]) -> None:
    assert alike[0]["id"] == alike[1]["id"]
    assert all(map(is_derived, alike))


def test_what_differs_in_an_identifying_property_has_another_id() -> None:
    ids = [
        things.vehicle("AB1234", "NL")["id"],
        things.vehicle("AB1234", "LU")["id"],
        things.seal("1")["id"],
        things.seal("1", "customs")["id"],
        things.badge("a", "1")["id"],
        things.badge("b", "1")["id"],
    ]
    assert len(set(ids)) == len(ids)


def test_a_container_id_is_fixed_for_ever() -> None:
    name = json.dumps({"number": "CSQU3054383"}, separators=(",", ":"))
    assert things.container("CSQU3054383")["id"] == f"shipping-container--{uuid.uuid5(NAMESPACE, name)}"
    assert things.container("CSQU3054383")["id"] == "shipping-container--76e5a962-ab81-5068-874b-f5a1b3a43b09"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: things.container("CSQU3054384"),
        lambda: things.vehicle("", "BE"),
        lambda: things.vehicle("1ABC123", "XX"),
        lambda: things.vehicle("1ABC123" * 5, "BE"),
        lambda: things.vessel(),
        lambda: things.vessel(imo="9074728"),
        lambda: things.vessel(mmsi="123456789"),
        lambda: things.uas(),
        lambda: things.uas(serial="1581F45T"),
        lambda: things.uas(serial="1581045T"),
        lambda: things.uas(serial="158IF45T7229100ABCD1"),
        lambda: things.uas(session_id="12345"),
        lambda: things.seal("!"),
        lambda: things.badge("", "1"),
        lambda: things.badge("a\x00b", "1"),
        lambda: things.badge("a", "é"),
    ],
)
def test_what_identifies_nothing_is_refused(wrong: Any) -> None:
    with pytest.raises(BadInput):
        wrong()


@given(st.sampled_from([(kind, name) for kind, names in normal.IDENTIFYING.items() for name in names]), st.text())
@settings(max_examples=300)
def test_the_usual_spelling_is_its_own_usual_spelling(place: tuple[str, str], text: str) -> None:
    normalise = normal.IDENTIFYING[place[0]][place[1]]
    try:
        usual = normalise(text)
    except BadInput:
        return
    assert normalise(usual) == usual
