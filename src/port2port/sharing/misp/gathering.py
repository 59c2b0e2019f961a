"""The objects of an event as one whole: who says it, under which colours, and nothing that is not STIX 2.1. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from port2port.core.handling import Pap, Tlp
from port2port.sharing.misp import tags
from port2port.sharing.misp.core_format import Event, Organisation
from port2port.sharing.misp.ids import derived
from port2port.stix.check import check

ORGANISATION_SINCE = "2026-01-01T00:00:00.000Z"
"""MISP does not say since when it knows an organisation: a fixed date, so that the object is always the same."""

Stix = dict[str, Any]


@dataclass(kw_only=True)
class Read:
    """An event in STIX terms."""

    objects: list[Stix]
    tlp: Tlp | None
    """None: the event says nothing. Then nothing may be assumed."""
    pap: Pap | None
    tags: list[str]
    """All that are neither, as they are written."""
    left_out: list[str] = field(default_factory=list)
    """`type uuid` of each attribute and object that is not among the objects."""


def author_id(organisation: UUID) -> str:
    """The identity of an organisation: its own uuid, if STIX 2.1 section 2.9 allows that form."""
    own = organisation if organisation.version in range(1, 6) else derived("organisation", str(organisation))
    return f"identity--{own}"


def gather(event: Event, read: Read, grouping: Stix) -> None:
    """Complete the objects that were read; an event without an incident is this grouping."""
    incident = next((each["id"] for each in read.objects if each["type"] == "incident"), None)
    for each in read.objects:
        if each["type"] == "note":
            each["object_refs"] = [incident or grouping["id"]]
    _drop_what_is_wrong(read)
    if incident is None and read.objects:
        read.objects.append(_group(event, read, grouping))
    whole = [*_markings(read), _organisation(event.orgc), *read.objects]
    first = {each["id"]: each for each in reversed(whole)}
    read.objects = list(reversed(first.values()))


def _drop_what_is_wrong(read: Read) -> None:
    """Whatever a feed says, what comes out of here is STIX 2.1; and nothing points at what is gone."""
    wrong = {each["id"] for each in read.objects if check(each)}
    wrong |= {each["id"] for each in read.objects if wrong.intersection(_points_at(each))}
    read.left_out += sorted(wrong)
    read.objects = [each for each in read.objects if each["id"] not in wrong]


def _points_at(found: Stix) -> list[str]:
    if found["type"] == "relationship":
        return [found["source_ref"], found["target_ref"]]
    return [*found.get("object_refs", ()), *found.get("seal_refs", ())]


def _group(event: Event, read: Read, grouping: Stix) -> Stix:
    refs = list(dict.fromkeys(each["id"] for each in read.objects))
    made = grouping | {"name": event.info, "context": "unspecified", "object_refs": refs}
    return made | ({"labels": read.tags} if read.tags else {})


def _markings(read: Read) -> list[Stix]:
    """The marking definitions that the objects name, and those of the event."""
    refs = {ref for each in read.objects for ref in each.get("object_marking_refs", ())}
    refs |= set(tags.marking_refs(read.tlp, read.pap))
    return [tags.marking(colour) for colour, marking in tags.MARKINGS.items() if marking in refs]


def _organisation(found: Organisation) -> Stix:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": author_id(found.uuid),
        "created": ORGANISATION_SINCE,
        "modified": ORGANISATION_SINCE,
        "name": found.name,
        "identity_class": "organization",
    }
