"""From one version of an event to the next, so that MISP follows: what is gone is said to be deleted. Pure.

MISP adds what a newer version holds and keeps what it no longer mentions. So each version names what the one before
had and it has not: attributes, objects, references and tags, marked `deleted`, without their content.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from port2port.sharing.misp.core_format import Attribute, Event, Object, Reference, Tag, encode_event

WITHDRAWN = "Withdrawn by its origin"


def follow(before: Event | None, made: Event) -> Event:
    """`made` as it has to be written after `before`: never with an older stamp, and naming what is gone."""
    if before is None:
        return made
    found = deepcopy(made)
    if _plain(found) == _plain(before):
        found.timestamp = before.timestamp
        return _with_gone(before, found)
    found.timestamp = max(found.timestamp, before.timestamp + 1)
    return _with_gone(before, found)


def withdrawn(before: Event, timestamp: int) -> Event:
    """What is left of an event that was taken back: its uuids, so that MISP deletes what it copied."""
    left = Event(
        uuid=before.uuid,
        info=WITHDRAWN,
        date=before.date,
        timestamp=max(timestamp, before.timestamp + 1),
        published=True,
        analysis=2,
        orgc=before.orgc,
        tags=[each for each in before.tags if not each.deleted],
    )
    return _with_gone(before, left)


def _plain(event: Event) -> bytes:
    """The event without its stamp and without what is gone."""
    found = deepcopy(event)
    found.timestamp = 0
    found.tags = [each for each in found.tags if not each.deleted]
    found.attributes = [each for each in found.attributes if not _is_tombstone(each)]
    found.objects = [each for each in found.objects if not each.deleted]
    for each in found.objects:
        each.attributes = [part for part in each.attributes if not _is_tombstone(part)]
        each.references = [part for part in each.references if not part.deleted]
    return encode_event(found)


def _is_tombstone(attribute: Attribute) -> bool:
    return attribute.deleted and attribute.value == f"withdrawn {attribute.uuid}"


def _with_gone(before: Event, found: Event) -> Event:
    at = found.timestamp
    names = {each.name for each in found.tags}
    found.tags = [*found.tags, *(Tag(name=each.name, deleted=True) for each in before.tags if each.name not in names)]
    _renew(before.attributes, found.attributes, at)
    found.attributes += [_gone(each, at) for each in _missing(before.attributes, found.attributes)]
    here = {each.uuid: each for each in found.objects}
    for each in before.objects:
        if each.uuid in here:
            _complete(each, here[each.uuid], at)
        else:
            found.objects.append(_gone_object(each, at))
    return found


def _renew(before: Iterable[Attribute], found: Iterable[Attribute], at: int) -> None:
    """What comes back after it was deleted has to be newer than its deletion."""
    buried = {each.uuid for each in before if each.deleted}
    for each in found:
        if each.uuid in buried and not each.deleted:
            each.timestamp = max(each.timestamp, at)


def _complete(before: Object, found: Object, at: int) -> None:
    _renew(before.attributes, found.attributes, at)
    if before.deleted:
        found.timestamp = max(found.timestamp, at)
    found.attributes += [_gone(each, at) for each in _missing(before.attributes, found.attributes)]
    known = {each.uuid for each in found.references}
    found.references += [_gone_reference(each, at) for each in before.references if each.uuid not in known]


def _missing(before: Iterable[Attribute], found: Iterable[Attribute]) -> list[Attribute]:
    known = {each.uuid for each in found}
    return [each for each in before if each.uuid not in known]


def _gone(attribute: Attribute, at: int) -> Attribute:
    return Attribute(
        uuid=attribute.uuid,
        type="text",
        category="Other",
        object_relation=attribute.object_relation,
        value=f"withdrawn {attribute.uuid}",
        timestamp=attribute.timestamp if _is_tombstone(attribute) else at,
        deleted=True,
    )


def _gone_object(found: Object, at: int) -> Object:
    return Object(
        uuid=found.uuid,
        name=found.name,
        meta_category=found.meta_category,
        template_uuid=found.template_uuid,
        template_version=found.template_version,
        timestamp=found.timestamp if found.deleted else at,
        deleted=True,
        attributes=[_gone(each, at) for each in found.attributes],
        references=[_gone_reference(each, at) for each in found.references],
    )


def _gone_reference(found: Reference, at: int) -> Reference:
    return Reference(
        uuid=found.uuid,
        object_uuid=found.object_uuid,
        referenced_uuid=found.referenced_uuid,
        relationship_type=found.relationship_type,
        timestamp=found.timestamp if found.deleted else at,
        deleted=True,
    )
