"""Our verdict beside that of `stix2-validator` 3.2.0 (its errors, not its advice), and `stix2` 3.0.2 on what we build.

Several hundred objects: every example, and every example with one thing changed. Where the two differ, the difference
has a name and a reason here; one that has none fails.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stix2 import properties as props
from stix_kit import AUTHOR, STAMP, emitted, named, standard
from test_check import BROKEN

from port2port.stix import schemas, things
from port2port.stix.bundle import write_bundle
from port2port.stix.check import check
from port2port.stix.extension import EXTENSION_ID
from port2port.stix.ids import OURS, contributing
from port2port.stix.reading import Object

validator = pytest.importorskip("stix2validator", reason="oracle: stix2-validator is not installed")
stix2 = pytest.importorskip("stix2", reason="oracle: stix2 is not installed")

EARLY, LATE = "2001-01-01T00:00:00.000Z", "2031-01-01T00:00:00.000Z"


def mutants(found: Object) -> Iterator[tuple[str, Object]]:
    """The object with one thing changed, and what was changed."""
    for name, value in found.items():
        if name != "type":
            yield f"without {name}", {key: each for key, each in found.items() if key != name}
        for word, other in _others(name, value):
            yield f"{name} {word}", {**copy.deepcopy(found), name: other}
    if found["type"] in TRIED_WITH_MORE:
        for word, more in MORE.items():
            yield f"with {word}", {**found, **more}


TLP = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"


def _others(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if name == "type":
        return
    yield "is a number" if not isinstance(value, int) else "is a text", "5" if isinstance(value, int) else 5
    if name.endswith("_ref"):
        yield "points at a bundle", named("bundle")
        yield "is no id", "nobody"
    elif name.endswith("_refs"):
        yield "points at a bundle", [named("bundle")]
        yield "is empty", []
    elif value in (STAMP, "2026-11-25T09:30:00.000Z"):
        yield "is early", EARLY
        yield "is late", LATE
        yield "is 30 February", "2026-02-30T00:00:00.000Z"
        yield "has no zone", "2026-11-25T08:30:00.000"
        yield "has no decimals", "2026-11-25T08:30:00Z"
        yield "has six decimals", "2026-11-25T08:30:00.000000Z"
    elif name == "id":
        yield "is of another type", named("identity")
        yield "is no UUID", f"{value.partition('--')[0]}--1"
        yield "is a UUIDv5", f"{value.partition('--')[0]}--28bb3599-77cd-5a82-a950-b5bc3350f07e"
        yield "is a UUIDv4", f"{value.partition('--')[0]}--28bb3599-77cd-4a82-a950-b5bc3350f07e"
    elif isinstance(value, str):
        yield "is empty", ""
        yield "is strange", "\u2028 ☃"
    elif isinstance(value, list):
        yield "is empty", []
        yield "holds a number", [5]
    elif isinstance(value, int):
        yield "is negative", -1
        yield "is huge", 2**31


TRIED_WITH_MORE = ("attack-pattern", "relationship", "language-content", "marking-definition", "ipv4-addr", "process")
"""One of each kind: what holds of one holds of all."""
MORE: dict[str, Object] = {
    "a property of its own": {"x_own": "1"},
    "an empty list": {"x_own": []},
    "null": {"x_own": None},
    "an empty list deep down": {"x_own": {"abc": []}},
    "a large integer": {"x_own": 2**53},
    "a name in capitals": {"X_OWN": "1"},
    "a reserved name": {"severity": "high"},
    "a marking by an identity": {"object_marking_refs": [AUTHOR]},
    "a selector to nothing": {"granular_markings": [{"selectors": ["nothing"], "marking_ref": TLP}]},
    "a selector": {"granular_markings": [{"selectors": ["id"], "marking_ref": TLP}]},
    "a selector by language": {"granular_markings": [{"selectors": ["id"], "lang": "en"}]},
    "a language that is none": {"lang": "no language"},
    "a language that is rare": {"lang": "vls-BE"},
}
OPTIONS = validator.ValidationOptions(version="2.1")


def their_verdict(found: Object) -> bool | None:
    """Whether it is valid; None when the validator itself fell over."""
    try:
        return bool(validator.validate_instance(copy.deepcopy(found), OPTIONS).is_valid)
    except Exception:  # whatever it raises on hostile input
        return None


Rules = set[str]
DIFFERENCES: dict[str, Callable[[Object, Rules, bool | None], bool]] = {
    "it raises on what a schema refuses": lambda found, ours, theirs: theirs is None and bool(ours),
    "moments are compared as texts there: .000Z, .000000Z and Z are not equal": (
        lambda found, ours, theirs: (
            (not ours and _decimals_differ(found)) or (bool(ours) and all(rule.endswith("-order") for rule in ours))
        )
    ),
    "a granular marking by language alone is valid, its schema asks for marking_ref (7.2.3)": (
        lambda found, ours, theirs: not ours and "lang" in found.get("granular_markings", [{}])[0]
    ),
    "a language is a tag of RFC 5646, not one of its list": (
        lambda found, ours, theirs: not ours and "lang" in found and "created" in found
    ),
    "lang is no property of cyber-observables, so it is anybody's own": (
        lambda found, ours, theirs: not ours and "lang" in found and "created" not in found
    ),
    "it looks at values on the first level only, and at markings not at all": (
        lambda found, ours, theirs: ours <= {"2.12-empty", "2.10-range", "2-null", "limit"}
    ),
    "it does not ask what markings and authors are": lambda found, ours, theirs: ours == {"3.2-reference"},
    "it takes more than three decimals, and none in a marking's `created`": (
        lambda found, ours, theirs: ours == {"3.2-millisecond"}
    ),
    "it follows references only inside the deprecated `objects`": (
        lambda found, ours, theirs: ours <= {"4-reference", "6-reference", "4.14.1-objects", "5.2.1-reference"}
    ),
    "it reads no versions and authors of extension definitions": (
        lambda found, ours, theirs: ours <= {"7.3.1-author", "7.3.1-version"}
    ),
    "it judges objects of STIX 2.0 by STIX 2.0": lambda found, ours, theirs: ours == {"3.2-version"},
    "a marking is either by language or by reference": lambda found, ours, theirs: ours == {"7.2.3-one"},
    "it knows nothing of our extension": (
        lambda found, ours, theirs: "extensions" in found and EXTENSION_ID in found["extensions"]
    ),
    "it does not hold an unknown type against the id": lambda found, ours, theirs: ours == {"2.9-prefix"},
}


def _decimals_differ(found: Object) -> bool:
    """Whether timestamps of the object have different numbers of decimals."""
    stamps = [value for value in found.values() if isinstance(value, str) and value.endswith("Z") and "T" in value]
    return len(set(map(len, stamps))) > 1


def test_our_verdict_is_that_of_the_validator() -> None:
    seen: Counter[str] = Counter()
    unnamed = []
    for change, found in _compared():
        ours, theirs = {each.rule for each in check(found)}, their_verdict(found)
        seen["compared"] += 1
        if theirs is None or (not ours) != theirs:
            names = [name for name, is_it in DIFFERENCES.items() if is_it(found, ours, theirs)]
            seen.update(names[:1])
            unnamed += [] if names else [(found.get("type"), change, sorted(ours), theirs)]
    assert not unnamed
    assert seen["compared"] > 1_000
    assert set(seen) == {"compared", *DIFFERENCES}, "a difference that no longer occurs"


def _compared() -> Iterator[tuple[str, Object]]:
    for found in standard():
        yield "as it is", found
        yield from mutants(found)
    yield from BROKEN
    for found in emitted():
        yield "as we build it", found


def test_whatever_we_build_is_valid_to_the_validator() -> None:
    body = write_bundle("5f3f9a5e-3d4c-4f54-9d0b-1d7a4c1e2b3a", emitted()).decode()
    found = validator.validate_string(body, OPTIONS)
    assert found.is_valid, found.as_dict()


def test_in_strict_mode_it_finds_one_false_alarm_in_our_observables() -> None:
    """Ids of types that it does not know should be UUIDv4, it says; section 2.9 wants UUIDv5 of observables."""
    options = validator.ValidationOptions(version="2.1", strict=True)
    messages = [
        str(error)
        for found in emitted()
        if found["type"] in OURS
        for error in validator.validate_instance(copy.deepcopy(found), options).errors
    ]
    assert all("UUIDv4" in message for message in messages), messages


def _register() -> None:
    """Our types and those of Incident Core, as a user of `stix2` would make them known."""
    for kind in OURS:
        listed = _properties(schemas.ours()[kind]["allOf"][1]["properties"])
        named_by = [name for group in OURS[kind] for name in group]
        stix2.v21.CustomObservable(kind, listed, named_by)(type(kind, (), {}))
    event_like = [
        ("name", props.StringProperty()),
        ("description", props.StringProperty()),
        ("start_time", props.TimestampProperty()),
        ("end_time", props.TimestampProperty()),
    ]
    more = {
        "event": [
            ("status", props.StringProperty(required=True)),
            ("event_types", props.ListProperty(props.StringProperty)),
            ("goal", props.StringProperty()),
            ("sighting_refs", _references("sighting")),
            ("next_event_refs", _references("event")),
        ],
        "task": [
            ("outcome", props.StringProperty(required=True)),
            ("task_types", props.ListProperty(props.StringProperty)),
            ("priority", props.IntegerProperty()),
            ("due_date", props.TimestampProperty()),
            ("next_task_refs", _references("task")),
        ],
        "impact": [
            ("impact_category", props.StringProperty(required=True)),
            ("criticality", props.IntegerProperty()),
            ("recoverability", props.StringProperty()),
            ("impacted_refs", _references(*OURS)),
            ("impacted_entity_counts", props.DictionaryProperty(spec_version="2.1")),
        ],
    }
    for kind, own in more.items():
        stix2.v21.CustomObject(kind, [*event_like, *own])(type(kind, (), {}))
    physical = [("impact_type", props.StringProperty(required=True)), ("asset_type", props.StringProperty())]
    stix2.v21.CustomExtension("physical-ext", physical)(type("physical", (), {}))


def _references(*kinds: str) -> Any:
    return props.ListProperty(props.ReferenceProperty(valid_types=list(kinds), spec_version="2.1"))


def _properties(schema: Object) -> list[tuple[str, Any]]:
    return [(name, _property(name, each)) for name, each in schema.items() if name not in ("type", "id", "extensions")]


def _property(name: str, schema: Object) -> Any:
    if name.endswith("_refs"):
        return _references(name.replace("seal_refs", "container-seal"))
    if schema.get("type") == "array":
        return props.ListProperty(props.StringProperty)
    if "$ref" in schema:
        return props.TimestampProperty()
    kinds = {"integer": props.IntegerProperty, "number": props.FloatProperty, "boolean": props.BooleanProperty}
    return kinds.get(schema["type"], props.StringProperty)()


@pytest.fixture(scope="module")
def registered() -> None:
    _register()


def test_stix2_parses_what_we_build_strictly_with_our_types_registered(registered: None) -> None:
    body = write_bundle("5f3f9a5e-3d4c-4f54-9d0b-1d7a4c1e2b3a", emitted())
    parsed = stix2.parse(body.decode(), allow_custom=False)
    assert {each.type for each in parsed.objects} == {each["type"] for each in emitted()}
    again = json.loads(parsed.serialize())["objects"]
    written = json.loads(body)["objects"]
    assert [each["id"] for each in again] == [each["id"] for each in written]
    assert [contributing(each) for each in again] == [contributing(each) for each in written]


def test_stix2_derives_the_same_ids_for_our_types(registered: None) -> None:
    made = stix2.v21.OBJ_MAP_OBSERVABLE
    assert made["shipping-container"](number="CSQU3054383").id == things.container("CSQU3054383")["id"]
    assert made["container-seal"](number="ML0042", kind="customs").id == things.seal("ML-0042", "customs")["id"]
    assert made["road-vehicle"](plate="1ABC123", country="BE").id == things.vehicle("1-ABC-123", "BE")["id"]
    assert made["access-badge"](issuer="port of x", number="A1").id == things.badge("Port of X", "a 1")["id"]
    assert made["vessel"](imo="9074729").id == things.vessel(imo="9074729")["id"]
    assert made["uas"](session_id="0f2c11aa22bb").id == things.uas(session_id="0f2c11aa22bb")["id"]
