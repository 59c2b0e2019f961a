"""Bytes to objects: what a stranger sends never raises more than `DecodeError`, and never changes another's answer."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix_kit import emitted, standard

from port2port.core.errors import DecodeError
from port2port.stix import extension, limits
from port2port.stix.bundle import write_bundle, write_object
from port2port.stix.check import check, check_bundle, check_bytes
from port2port.stix.reading import read_bundle, read_object

OBJECTS = [*standard(), *emitted()]
GOOD = write_object(standard()[4])
POISON = {
    "deep lists": b'{"type":"x-a","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep dictionaries": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "rather deep": b'{"type":"identity","a":' * 200 + b"1" + b"}" * 200,
    "a huge integer": b'{"type":"x-a","a":' + b"9" * 10_000 + b"}",
    "a large integer": b'{"type":"x-a","id":"x-a--1","a":' + b"9" * 30 + b"}",
    "an infinite number": b'{"type":"x-a","a":1e999}',
    "NaN": b'{"type":"x-a","a":NaN}',
    "Infinity": b'{"type":"x-a","a":-Infinity}',
    "a lone surrogate": b'{"type":"x-a","a":"\\ud800"}',
    "a surrogate the wrong way round": b'{"type":"x-a","a":"\\udc00\\ud800"}',
    "no UTF-8": b'{"type":"x-a","a":"\xff\xfe"}',
    "an overlong form": b'{"type":"x-a","a":"\xc0\xaf"}',
    "a name twice": b'{"type":"identity","type":"incident"}',
    "a name twice, deep down": b'{"type":"x-a", "a":[{"b":1,"\\u0062":2}]}',
    "ten megabytes": b'{"type":"x-a","a":"' + b"a" * 10_000_000 + b'"}',
    "a control character": b'{"type":"x-a","a":"\x00"}',
    "no object": b'["identity"]',
    "a number": b"7",
    "a type for a regular expression": b'{"type":"' + b"a" * 100_000 + b'!","id":"x"}',
    "an id for a regular expression": b'{"type":"x-a","id":"' + b"a-" * 200_000 + b'"}',
    "a pattern of brackets": b'{"type":"indicator","pattern_type":"stix","pattern":"' + b"(" * 100_000 + b'"}',
    "a thousand wrong references": json.dumps({"type": "report", "object_refs": [{"x": "y"}] * 20_000}).encode(),
    "a type that is a list": b'{"type":["identity"],"id":{}}',
}


def bundle_of(*raws: bytes) -> bytes:
    return b'{"type":"bundle","id":"bundle--1","objects":[' + b",".join(raws) + b"]}"


@pytest.mark.parametrize("name", POISON)
def test_poison_is_refused_or_has_a_problem(name: str) -> None:
    assert check_bytes(POISON[name]) != ()


@pytest.mark.parametrize("name", POISON)
def test_poison_never_changes_the_answer_for_others(name: str) -> None:
    bundle = read_bundle(bundle_of(GOOD, POISON[name], GOOD))
    answers = check_bundle(bundle)
    assert [item.raw for item in bundle.items] == [GOOD, POISON[name], GOOD]
    assert answers[0] == answers[2] == ()
    assert answers[1] == check_bytes(POISON[name])


def test_all_poison_together_is_as_many_answers() -> None:
    raws = [raw for poison in POISON.values() for raw in (poison, GOOD)]
    answers = check_bundle(read_bundle(bundle_of(*raws)))
    assert [answer == () for answer in answers] == [False, True] * len(POISON)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bad-bundle"),
        (b"[]", "bad-bundle"),
        (b'{"type":"bundle"}', "bad-bundle"),
        (b'{"type":"report","id":"x","objects":[]}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","objects":{}}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","objects":[{}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","objects":[{]}]}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","objects":[NaN}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","objects":[1],"objects":[2]}', "duplicate-name"),
        (b'{"type":"bundle","id":"x","objects":[1],"objects":[1]}', "duplicate-name"),
        (b'{"type":"bundle","id":"x","objects":[1],"objects":[NaN]}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","objects":[NaN],"objects":[2]}', "duplicate-name"),
        (b'{"type":"bundle","id":"x","y":{"objects":[NaN]},"objects":[2]}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","y":{"objects":[NaN]}}', "bad-bundle"),
        (b'{"type":"bundle","id":"objects","y":["objects",NaN],"objects":[NaN]}', "bad-bundle"),
        (b'{"type":"bundle","id":"x","type":"bundle","objects":[2]}', "duplicate-name"),
        (b'{"type":"bundle","id":"x","objects":[' + b"1," * 100_000 + b"1]}", "too-many-objects"),
        (b" " * (limits.MAX_BUNDLE_BYTES + 1), "too-large"),
    ],
)
def test_what_is_no_bundle_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as refused:
        read_bundle(body)
    assert refused.value.reason == reason


LARGE = {
    "wrong references": {"type": "report", "object_refs": [{"x": "y"}] * 90_000},
    "wrong external references": {"type": "identity", "external_references": [{}] * 300_000},
    "objects that are none": {"type": "observed-data", "objects": {str(number): {} for number in range(90_000)}},
    "names that are none": {"type": "identity", **{f"A{number}": None for number in range(70_000)}},
    "extensions that are none": {"type": "file", "extensions": {f"x{number}-ext": {} for number in range(60_000)}},
    "a version": {"type": "extension-definition", "version": "1.0.0-" + "a." * 250_000},
    "a name in the domain name system": {"type": "domain-name", "value": "xn--" + "a-" * 400_000},
    "selectors": {"type": "identity", "granular_markings": [{"selectors": ["name." + "a." * 400_000], "lang": "en"}]},
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_wrong_object_is_refused_in_a_few_seconds_at_most(name: str) -> None:
    kind = LARGE[name]["type"]
    found = {**next(each for each in OBJECTS if each["type"] == kind), **LARGE[name]}
    body = write_object(found)
    assert len(body) < limits.MAX_OBJECT_BYTES
    began = time.process_time()
    assert check_bytes(body) != ()
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "poison",
    [b"," * (4 << 20), b'"' + b'\\"' * (8 << 20), b'"' + b'\\"' * (8 << 20) + b"\\"],
    ids=["marks", "an open text", "an open text with a backslash at its end"],
)
def test_a_bundle_that_is_hard_to_cut_is_refused_in_a_few_seconds_at_most(poison: bytes) -> None:
    began = time.process_time()
    with pytest.raises(DecodeError):
        read_bundle(b'{"type":"bundle","id":"bundle--1","objects":[NaN,' + poison)
    assert time.process_time() - began < 20


def test_a_list_called_objects_inside_a_piece_is_no_list_of_the_bundle() -> None:
    inner = b'{"type":"observed-data","objects":[1,2],"a":NaN}'
    assert [item.raw for item in read_bundle(bundle_of(inner, GOOD)).items] == [inner, GOOD]


def test_a_bundle_without_objects_is_empty() -> None:
    assert read_bundle(b'{"type":"bundle","id":"bundle--1"}').items == ()


def test_unknown_properties_and_exact_bytes_are_kept() -> None:
    raw = b'{ "type" : "x-a","\\u0078_extra":{"b":[1.50,"\\u00e9"]}}'
    (item,) = read_bundle(bundle_of(raw)).items
    assert item.raw == raw
    assert item.content == {"type": "x-a", "x_extra": {"b": [1.5, "é"]}}


def test_every_example_comes_back_equal_and_equal_ones_once() -> None:
    objects = [extension.author(), extension.definition(), *OBJECTS[:-2]]
    items = read_bundle(write_bundle("5f3f9a5e-3d4c-4f54-9d0b-1d7a4c1e2b3a", [*OBJECTS, *OBJECTS])).items
    assert [item.content for item in items] == objects


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_decode_or_are_refused(body: bytes) -> None:
    for read in (read_object, read_bundle):
        try:
            read(body)
        except DecodeError:
            continue
    assert isinstance(check_bytes(body), tuple)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(OBJECTS), st.data())
@settings(max_examples=400, deadline=None)
def test_an_object_with_anything_in_it_has_an_answer(found: dict[str, Any], data: st.DataObject) -> None:
    names = st.sampled_from([*found, "extensions", "granular_markings", "lang", "objects"]) | st.text(max_size=12)
    changed = {**found, data.draw(names): data.draw(JSON)}
    assert all(str(each) for each in check(changed))


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=5))
@settings(max_examples=200, deadline=None)
def test_what_has_no_names_twice_is_read_however_it_is_written(found: dict[str, Any]) -> None:
    body = json.dumps(found, indent=1).encode()
    assert read_object(body) == json.loads(body)
