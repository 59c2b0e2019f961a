"""STIX 2.1 objects as one MISP event. Pure.

Attributes that can be looked for (`to_ids`) come from indicators only; a thing that was merely seen is never
something to alarm on. Uuids follow from the event and the STIX id, so the same thing is the same attribute in
every version, and two events never share one (MISP refuses that).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from port2port.sharing.misp import comments, patterns, tags, values
from port2port.sharing.misp.attributes import CATEGORIES, fits, single
from port2port.sharing.misp.core_format import Attribute, Event, Object, Reference, Tag
from port2port.sharing.misp.headings import Heading, Stix, begin, in_todays_words
from port2port.sharing.misp.ids import derived
from port2port.sharing.misp.patterns import Comparison
from port2port.sharing.misp.templates import BY_STIX, SEALED_BY, Relation, Template
from port2port.sharing.misp.unsaid import unsaid
from port2port.stix.ids import derived_id

SILENT = ("marking-definition", "extension-definition", "grouping")
"""Said by tags, by templates and by the event itself."""
INDICATOR_TYPE = 'port2port:indicator-type="{}"'
MAX_COMMENT_CHARS = 60_000


@dataclass(kw_only=True)
class Written:
    """An event, and what of the STIX objects it does not say."""

    event: Event
    left_out: list[str] = field(default_factory=list)
    """STIX ids; with a property behind it where only that is left out."""


def event_of(objects: Sequence[Stix], heading: Heading) -> Written:
    """One event of these objects. Raises `KeyError`, `TypeError` or `ValueError` when they are not STIX 2.1."""
    return _Writer(objects, heading).write()


class _Writer:
    def __init__(self, objects: Sequence[Stix], heading: Heading) -> None:
        self._objects, self._heading = [in_todays_words(each) for each in objects], heading
        self._tlp, self._pap = tags.read_markings(
            ref for each in objects for ref in each.get("object_marking_refs", ())
        )
        self._tlp = tags.strictest(each for each in (self._tlp, heading.tlp) if each is not None)
        self._event = begin(self._objects, heading)
        self._places: dict[str, Object] = {}
        self._written = Written(event=self._event)

    def write(self) -> Written:
        for each in self._objects:
            if each["type"] != "relationship":
                self._take(each)
        for each in self._objects:
            if each["type"] == "relationship":
                self._relate(each)
            for seal in each.get("seal_refs", ()):
                self._sealed(each, seal)
        left_out = set(self._written.left_out)
        for each in self._objects:
            if each["id"] not in left_out and each["type"] not in SILENT:
                self._written.left_out += [f"{each['id']} {path}" for path in unsaid(each)]
        names = [tags.tag_name(colour) for colour in (self._tlp, self._pap) if colour]
        names += [label for each in self._objects if each["type"] == "incident" for label in each.get("labels", ())]
        self._event.tags = [Tag(name=name) for name in dict.fromkeys(names)]
        return self._written

    def _take(self, found: Stix) -> None:
        kind = found["type"]
        if kind in SILENT or found["id"] == f"identity--{self._heading.organisation_uuid}":
            return
        if kind == "indicator":
            self._indicate(found)
        elif kind == "note":
            self._add(found, "comment", "Other", found["content"], comment=comments.tail(dict(found)))
        elif kind in BY_STIX:
            self._describe(found, BY_STIX[kind])
        elif (kind, "value") in patterns.TYPES:
            self._add(found, patterns.TYPES[kind, "value"], "", found["value"], comment=_id_comment(found))
        else:
            self._written.left_out.append(found["id"])

    def _describe(self, found: Stix, template: Template) -> None:
        """An object with one attribute per property."""
        comment = _id_comment(found) if template.observable else comments.tail(dict(found))
        made = self._object(found, template, comment)
        for relation in template.relations:
            for text in values.texts(relation, found):
                made.attributes.append(self._part(found, relation, text))

    def _object(self, found: Stix, template: Template, comment: str) -> Object:
        made = Object(
            uuid=UUID(self._uuid(found["id"])),
            name=template.name,
            meta_category=template.meta_category,
            template_uuid=template.uuid,
            template_version=str(template.version),
            description=template.name,
            comment=_cut(comment),
            timestamp=self._changed(found),
        )
        self._event.objects.append(made)
        self._places[found["id"]] = made
        return made

    def _part(self, found: Stix, relation: Relation, text: str) -> Attribute:
        return Attribute(
            uuid=UUID(self._uuid(found["id"], relation.name, text if relation.many else "")),
            type=relation.type,
            category=relation.category,
            object_relation=relation.name,
            value=text,
            timestamp=self._changed(found),
        )

    def _indicate(self, found: Stix) -> None:
        said = patterns.read(found["pattern"]) if found["pattern_type"] == "stix" else []
        kinds = {each.kind for each in said}
        template = BY_STIX.get(said[0].kind) if len(kinds) == 1 else None
        alone = single(said)
        if alone is not None:
            self._flag(found, self._add(found, *alone, comment=comments.write(dict(found))))
        elif template is not None and all(fits(template, each) for each in said):
            self._indicate_object(found, template, said)
        elif found["pattern_type"] in patterns.LANGUAGES:
            name = patterns.LANGUAGES[found["pattern_type"]]
            self._flag(found, self._add(found, name, "", found["pattern"], comment=comments.write(dict(found))))
        else:
            self._written.left_out.append(found["id"])

    def _indicate_object(self, found: Stix, template: Template, said: Iterable[Comparison]) -> None:
        made = self._object(found, template, comments.write(dict(found)))
        for each in said:
            relation = values.relation_at(template, each.path)
            assert relation is not None
            made.attributes.append(self._flag(found, self._part(found, relation, each.value)))

    def _flag(self, found: Stix, attribute: Attribute) -> Attribute:
        """Make an attribute something to look for."""
        attribute.to_ids = True
        attribute.first_seen, attribute.last_seen = found["valid_from"], found.get("valid_until")
        attribute.deleted = bool(found.get("revoked"))
        tlp, pap = tags.read_markings(found.get("object_marking_refs", ()))
        own = [each for each in (tlp, pap) if each and each not in (self._tlp, self._pap)]
        names = [tags.tag_name(each) for each in own]
        names += [INDICATOR_TYPE.format(each) for each in found.get("indicator_types", ())]
        attribute.tags = [Tag(name=name) for name in dict.fromkeys([*names, *found.get("labels", ())])]
        return attribute

    def _add(self, found: Stix, misp_type: str, category: str, value: str, *, comment: str = "") -> Attribute:
        made = Attribute(
            uuid=UUID(self._uuid(found["id"])),
            type=misp_type,
            category=category or CATEGORIES[misp_type],
            value=values.trimmed(value),
            comment=_cut(comment),
            timestamp=self._changed(found),
        )
        self._event.attributes.append(made)
        return made

    def _relate(self, found: Stix) -> None:
        """A relationship whose source is an object: attributes of their own cannot point at anything."""
        source = self._places.get(found["source_ref"])
        targets = {self._uuid(each["id"]) for each in self._objects}
        if source is None or self._uuid(found["target_ref"]) not in targets:
            self._written.left_out.append(found["id"])
            return
        source.references.append(
            Reference(
                uuid=UUID(self._uuid(found["id"])),
                object_uuid=source.uuid,
                referenced_uuid=UUID(self._uuid(found["target_ref"])),
                relationship_type=found["relationship_type"],
                comment=_cut(found.get("description", "") + comments.tail(dict(found))),
                timestamp=self._changed(found),
            )
        )

    def _sealed(self, container: Stix, seal: str) -> None:
        """A seal on a container; one that is not among the objects cannot be pointed at."""
        if seal not in self._places:
            self._written.left_out.append(seal)
            return
        made = Reference(
            uuid=UUID(self._uuid(container["id"], seal)),
            object_uuid=self._places[container["id"]].uuid,
            referenced_uuid=self._places[seal].uuid,
            relationship_type=SEALED_BY,
            timestamp=self._changed(container),
        )
        self._places[container["id"]].references.append(made)

    def _uuid(self, *parts: str) -> str:
        return derived(self._heading.uuid, *parts)

    def _changed(self, found: Stix) -> int:
        at = comments.when(found["modified"]) if "modified" in found else self._heading.at
        return int(at.timestamp())


def _id_comment(found: Stix) -> str:
    """A Cyber-observable Object's id follows from its values; only another id has to be said."""
    return "" if derived_id(found) == found["id"] else comments.tail(dict(found))


def _cut(comment: str) -> str:
    """A comment that fits; the id at its end is kept."""
    if len(comment) <= MAX_COMMENT_CHARS:
        return comment
    words, _, last = comment.rpartition("\n")
    return f"{words[: MAX_COMMENT_CHARS - len(last) - 1]}\n{last}"
