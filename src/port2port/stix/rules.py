"""Every MUST that we ask of an object beyond its JSON Schema, by type. docs/reference/stix.md lists them all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from port2port.stix import ids, markings
from port2port.stix.limits import MAX_PATTERN_CHARS
from port2port.stix.must import Must, calendar, in_order, is_language, points_at, refs, told_by_schema
from port2port.stix.pattern import is_pattern
from port2port.stix.reading import Object
from port2port.stix.schemas import Schema
from port2port.stix.types import (
    COMMON_REFS,
    EMBEDDED_REFS,
    META_TYPES,
    ORDERED,
    REFS,
    SCO_TYPES,
    SDO_TYPES,
    SRO_TYPES,
    TIMES,
    Targets,
)

_NUMBER, _LABEL = r"(0|[1-9][0-9]*)", r"(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_LABEL}(\.{_LABEL})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$"
"""Semantic Versioning 2.0.0."""
_CPE = r"^cpe:2\.3:[aho*-](:([*-]|(\?*|\*?)([a-zA-Z0-9._-]|\\[!-/:-@\[-`{-~])+(\?*|\*?))){10}$"
"""NIST IR 7695, formatted string binding."""
_VERSION_4 = "-4[0-9a-fA-F]{3}-[^-]+-[^-]+$"
_NO_PATTERN = f"This is no STIX pattern (section 9) of at most {MAX_PATTERN_CHARS} characters."
_PROPERTY = re.compile(r"[a-z0-9_]{3,250}|id")
_NOT_SCO = "|".join(sorted(SDO_TYPES | SRO_TYPES | META_TYPES | {"bundle"}))


def of_type(kind: str, is_sco: bool) -> tuple[Must, ...]:
    """What an object of this type is asked; an empty one stands for types that nobody told us about."""
    return (*_common(kind, is_sco), *_times(kind, is_sco), *_references(kind), *_SPECIAL.get(kind, ()))


def _common(kind: str, is_sco: bool) -> Iterator[Must]:
    if not kind:
        yield Must("2.9-prefix", "id", "An id begins with the object's type.", _begins_with_its_type)
    for name, (target,) in COMMON_REFS.items():
        one: Schema = {"pattern": f"^{target}--"}
        schema: Schema = {"items": one} if name.endswith("_refs") else one
        yield told_by_schema("3.2-reference", name, f"It must point at {target}.", schema)
    yield told_by_schema("7.2.3-one", "granular_markings", "Each has a language or a marking, not both.", _LANG_OR_REF)
    yield Must("7.2.3-selector", "granular_markings", "A selector names what is not there.", markings.selectors_hold)
    if is_sco:
        sentence = "Without an id-contributing property the id is a UUIDv4."
        yield Must("2.9-contributing", "id", sentence, ids.is_random_when_it_must)
        return
    yield told_by_schema("3.2-version", "spec_version", "This is not STIX 2.1.", {"const": "2.1"})
    for name in ("created", "modified"):
        yield told_by_schema("3.2-millisecond", name, "It has exactly three decimals.", {"pattern": r"\.[0-9]{3}Z$"})
    yield Must("3.2-language", "lang", "This is no language tag of RFC 5646.", _language_holds)


def _times(kind: str, is_sco: bool) -> Iterator[Must]:
    names = TIMES.get(kind, ()) if is_sco else ("created", "modified", *TIMES.get(kind, ()))
    yield from map(calendar, names)
    if not is_sco:
        yield in_order("3.2", "created", "modified", True)
    if kind in ORDERED:
        yield in_order(*ORDERED[kind])


def _references(kind: str) -> Iterator[Must]:
    section = "6" if kind in SCO_TYPES else "4"
    for name, targets in REFS.get(kind, {}).items():
        yield refs(section, name, targets)
    for where, key, name, targets in EMBEDDED_REFS.get(kind, ()):
        inside: Schema = {"properties": {name: points_at(name, targets)}}
        schema: Schema = {"properties": {key: inside}} if key else {"items": inside}
        yield told_by_schema(f"{section}-reference", where, f"`{name}` must point at {' or '.join(targets)}.", schema)


def _begins_with_its_type(found: Object) -> bool:
    return bool(found["id"].startswith(f"{found['type']}--"))


def _language_holds(found: Object) -> bool:
    return is_language(found["lang"])


def _pattern_holds(found: Object) -> bool:
    return found["pattern_type"] != "stix" or is_pattern(found["pattern"])


def _contents_hold(found: Object) -> bool:
    return all(
        is_language(tag) and isinstance(said, dict) and all(map(_PROPERTY.fullmatch, said))
        for tag, said in found["contents"].items()
    )


def _container_resolves(found: Object) -> bool:
    """Deprecated `objects`: references are keys of the same dictionary, and point at the right type."""
    objects = found["objects"]
    return all(
        _resolves(objects, each[name], targets)
        for each in objects.values()
        for name, targets in REFS.get(each["type"], {}).items()
        if name in each
    )


def _resolves(objects: Object, value: str | list[str], targets: Targets) -> bool:
    keys = value if isinstance(value, list) else [value]
    return all(key in objects and objects[key]["type"] in targets for key in keys)


_LANG_OR_REF: Schema = {"items": {"oneOf": [{"required": ["lang"]}, {"required": ["marking_ref"]}]}}
_SPECIAL: dict[str, tuple[Must, ...]] = {
    "extension-definition": (
        told_by_schema("7.3.1-version", "version", "This is no semantic version.", {"pattern": _SEMVER}),
        told_by_schema("7.3.1-author", "", "`created_by_ref` says whose it is.", {"required": ["created_by_ref"]}),
    ),
    "indicator": (Must("4.7.1-pattern", "pattern", _NO_PATTERN, _pattern_holds),),
    "language-content": (
        Must("7.1.1-contents", "contents", "Language tags, and under each names of properties.", _contents_hold),
    ),
    "marking-definition": (Must("7.2.1-circle", "", "A marking does not mark itself.", markings.not_itself),),
    "observed-data": (
        told_by_schema(
            "4.14.1-objects",
            "object_refs",
            "At least one is a cyber-observable object.",
            {"contains": {"not": {"pattern": f"^({_NOT_SCO})--"}}},
        ),
        Must("4.14.1-container", "objects", "References are keys of it, of the right type.", _container_resolves),
    ),
    "process": (told_by_schema("6.13-random", "id", "A process has a UUIDv4.", {"pattern": _VERSION_4}),),
    "sighting": (
        told_by_schema(
            "5.2.1-reference",
            "sighting_of_ref",
            "Only domain objects are sighted.",
            {"not": {"pattern": f"^({'|'.join(sorted(SCO_TYPES))})--"}},
        ),
    ),
    "software": (told_by_schema("6.14.1-cpe", "cpe", "This is no CPE 2.3.", {"pattern": _CPE}),),
}
