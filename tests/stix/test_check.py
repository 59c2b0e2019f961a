"""Is this STIX 2.1? Every rule by an object that breaks it alone."""

from __future__ import annotations

import copy
import gzip
from pathlib import Path
from typing import Any

import pytest
from stix_kit import AUTHOR, STAMP, emitted, named, standard

from port2port.stix.bundle import write_bundle, write_object
from port2port.stix.check import check, check_bundle, check_bytes
from port2port.stix.extension import EXTENSION_ID
from port2port.stix.ids import OURS
from port2port.stix.limits import MAX_DEPTH, MAX_PROBLEMS, MAX_SENTENCE_CHARS
from port2port.stix.reading import read_bundle
from port2port.stix.rules import of_type
from port2port.stix.types import SCO_TYPES, STANDARD_TYPES

EVERY = {each["type"]: each for each in standard()}
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"


def but(kind: str, **wishes: Any) -> dict[str, Any]:
    """The example of a type with properties changed, or taken away by `...`."""
    changed = {**copy.deepcopy(EVERY[kind]), **wishes}
    return {name: value for name, value in changed.items() if value is not ...}


def test_the_examples_are_of_every_type() -> None:
    assert set(EVERY) == STANDARD_TYPES


@pytest.mark.parametrize("found", standard(), ids=lambda found: found["type"])
def test_an_object_of_every_type_of_the_standard_is_valid(found: dict[str, Any]) -> None:
    assert check(found) == ()


@pytest.mark.parametrize("found", emitted(), ids=lambda found: found["type"])
def test_whatever_we_build_is_valid(found: dict[str, Any]) -> None:
    assert check(found) == ()
    assert check_bytes(write_object(found)) == ()


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("2-null", but("identity", x_empty=None)),
    ("2-null", but("identity", x_empty={"deep": [1, None]})),
    ("2.9-contributing", but("user-account", user_id=..., account_login=..., display_name="A")),
    ("2.9-prefix", {**EVERY["identity"], "type": "x-invented"}),
    ("2.10-range", but("identity", x_large=2**53)),
    ("2.10-range", but("identity", x_large=[{"y": -(2**53)}])),
    ("2.12-empty", but("identity", x_empty={"list": []})),
    ("2.17-calendar", but("campaign", first_seen="2025-02-29T00:00:00Z", last_seen=...)),
    ("2.17-calendar", but("identity", created="2026-04-31T00:00:00.000Z", modified="2026-05-01T00:00:00.000Z")),
    ("3.2-language", but("identity", lang="nederlands?")),
    ("3.2-millisecond", but("identity", created="2026-11-25T08:30:00.0000Z")),
    ("3.2-order", but("identity", modified="2026-11-25T08:29:59.999Z")),
    ("3.2-reference", but("identity", created_by_ref=named("incident"))),
    ("3.2-reference", but("domain-name", object_marking_refs=[GREEN, AUTHOR])),
    ("3.2-type", but("identity", type=5)),
    ("3.2-type", but("identity", type=...)),
    ("3.2-version", but("identity", spec_version="2.0")),
    ("4-reference", but("malware", sample_refs=[named("file"), named("identity")])),
    ("schema", but("malware-analysis", sample_ref=AUTHOR)),
    ("4.2.1-order", but("campaign", last_seen="2026-11-25T08:29:00Z")),
    ("4.8.1-order", but("infrastructure", last_seen="2026-11-25T08:29:00Z")),
    ("4.9.1-order", but("intrusion-set", last_seen="2026-11-25T08:29:00Z")),
    ("4.11.1-order", but("malware", last_seen="2026-11-25T08:29:00Z")),
    ("4.17.1-order", but("threat-actor", last_seen="2026-11-25T08:29:00Z")),
    ("4.14.1-order", but("observed-data", last_observed="2026-11-25T08:29:00Z")),
    ("5.2.1-order", but("sighting", last_seen="2026-11-25T08:29:00Z")),
    ("4.7.1-order", but("indicator", valid_until=STAMP)),
    ("4.7.1-pattern", but("indicator", pattern="[ipv4-addr:value = ]")),
    (
        "4.14.1-container",
        but("observed-data", object_refs=..., objects={"0": {**EVERY["directory"], "contains_refs": ["1"]}}),
    ),
    ("4.14.1-objects", but("observed-data", object_refs=[AUTHOR])),
    ("5.1.2-order", but("relationship", stop_time=STAMP)),
    ("5.2.1-reference", but("sighting", sighting_of_ref=named("ipv4-addr"))),
    ("6-reference", but("network-traffic", src_ref=AUTHOR)),
    ("6-reference", but("file", extensions={"archive-ext": {"contains_refs": [AUTHOR]}})),
    ("schema", but("email-message", is_multipart=True)),
    ("6.12.1-order", but("network-traffic", end="2026-11-25T08:29:00Z")),
    ("6.13-random", but("process", id="process--28bb3599-77cd-5a82-a950-b5bc3350f07e")),
    ("6.14.1-cpe", but("software", cpe="cpe:2.3:a:b:c:*:*:*:*:*:*:*:*:d")),
    ("schema", but("software", languages=["english"])),
    ("7.1.1-contents", but("language-content", contents={"double_dutch": {"name": "x"}})),
    ("7.2.1-circle", but("marking-definition", object_marking_refs=[EVERY["marking-definition"]["id"]])),
    ("7.2.3-one", but("identity", granular_markings=[{"selectors": ["name"]}])),
    ("7.2.3-one", but("identity", granular_markings=[{"selectors": ["name"], "lang": "en", "marking_ref": GREEN}])),
    ("7.2.3-selector", but("identity", granular_markings=[{"selectors": ["labels.[0]"], "lang": "en"}])),
    ("7.3.1-author", but("extension-definition", created_by_ref=...)),
    ("7.3.1-version", but("extension-definition", version="1.02")),
    ("limit", but("identity", x_deep=eval("[" * (MAX_DEPTH + 1) + "1" + "]" * (MAX_DEPTH + 1)))),
    ("port2port-place", but("identity", extensions={EXTENSION_ID: {"extension_type": "property-extension"}})),
    ("schema", but("identity", name=...)),
    ("schema", but("identity", id=named("incident"))),
    ("schema", but("location", extensions={EXTENSION_ID: {"extension_type": "property-extension", "kind": "moon"}})),
    ("schema", but("file", hashes={"SHA-256": "12"})),
    ("schema", but("extension-definition", extension_properties=["name"])),
]


@pytest.mark.parametrize(("rule", "found"), BROKEN, ids=[f"{rule}-{found.get('type')}" for rule, found in BROKEN])
def test_a_broken_rule_is_named(rule: str, found: dict[str, Any]) -> None:
    assert rule in {each.rule for each in check(found)}


def test_every_rule_has_an_object_that_breaks_it() -> None:
    kinds = [*STANDARD_TYPES, *OURS, ""]
    asked = {must.rule for kind in kinds for must in of_type(kind, kind in SCO_TYPES or kind in OURS)}
    assert asked <= {rule for rule, _ in BROKEN}


def test_a_container_whose_check_digit_is_wrong_is_not_in_its_usual_spelling() -> None:
    box = next(each for each in emitted() if each["type"] == "shipping-container")
    assert {each.rule for each in check({**box, "number": "CSQU3054384"})} == {"port2port-normal", "port2port-id"}
    assert {each.rule for each in check({**box, "id": named("shipping-container")})} == {"port2port-id"}


def test_a_granular_marking_by_language_alone_is_valid() -> None:
    assert check(but("identity", granular_markings=[{"selectors": ["name"], "lang": "nl-BE"}])) == ()


def test_a_large_float_and_the_largest_integers_are_valid() -> None:
    assert check(but("identity", x_float=1e300, x_large=2**53 - 1, x_small=-(2**53) + 1)) == ()


def test_equal_moments_with_different_decimals_are_equal() -> None:
    assert check(but("campaign", first_seen="2026-01-01T00:00:00.0Z", last_seen="2026-01-01T00:00:00Z")) == ()
    assert check(but("campaign", first_seen="2026-01-01T00:00:00.1Z", last_seen="2026-01-01T00:00:00.09Z")) != ()


def test_an_unknown_type_is_held_against_the_common_properties() -> None:
    assert check({**EVERY["identity"], "type": "x-invented", "id": named("x-invented")}) == ()
    assert check({"type": "x-seen", "id": named("x-seen"), "value": "1"}) == ()
    assert {each.rule for each in check({"type": "x-seen", "id": "5"})} == {"schema"}


def test_a_type_of_somebody_else_that_is_called_like_ours_is_a_stranger() -> None:
    theirs = {"type": "vessel", "id": named("vessel"), "hull": "7"}
    assert check(theirs) == ()
    assert check({**theirs, "extensions": {named("extension-definition"): {"extension_type": "new-sco"}}}) == ()
    assert check({**theirs, "extensions": {EXTENSION_ID: {"extension_type": "new-sco"}}}) != ()


def test_a_problem_is_safe_to_print() -> None:
    (told,) = check(but("identity", x_own={"\x1b[31m\u202e\nred": []}))
    assert str(told).isprintable()


def test_no_value_stands_in_a_sentence_and_there_are_not_too_many() -> None:
    found = but("identity", name=5, labels=["secret", *range(100)], external_references=[{}] * 50)
    problems = check(found)
    assert 0 < len(problems) <= MAX_PROBLEMS
    assert all(len(each.sentence) <= MAX_SENTENCE_CHARS and "secret" not in str(each) for each in problems)
    assert problems[0].path


def test_attack_for_industrial_systems_is_kept_whole_and_its_empty_lists_are_found(shared: Path) -> None:
    body = gzip.decompress((shared / "data/sharing/ics-attack-18.1.json.gz").read_bytes())
    bundle = read_bundle(body)
    assert len(bundle.items) == 1_826
    answers = check_bundle(bundle)
    wrong = {(each.rule, each.path.rpartition(".")[2]) for answer in answers for each in answer}
    assert wrong == {("2.12-empty", "related_asset_sectors")}
    assert sum(map(bool, answers)) == 4
    again = read_bundle(write_bundle(bundle.id.removeprefix("bundle--"), [item.content or {} for item in bundle.items]))
    assert again.id == bundle.id
    assert [item.content for item in again.items] == [item.content for item in bundle.items]
    assert all(item.raw in body for item in bundle.items[:100])
