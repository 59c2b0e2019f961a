"""One MISP event as STIX 2.1 objects. Pure.

What is marked to be looked for (`to_ids`) becomes an indicator, the rest becomes what it is: an address, a
vessel, a place. What we have no word for is named in `left_out`, one attribute or object at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from port2port.core.errors import BadInput
from port2port.sharing.misp import comments, patterns, tags, values
from port2port.sharing.misp.core_format import Attribute, Event, Object, Reference, Tag, stamp
from port2port.sharing.misp.gathering import Read, author_id, gather
from port2port.sharing.misp.ids import derived
from port2port.sharing.misp.patterns import Comparison
from port2port.sharing.misp.templates import ALIASES, BY_NAME, INCIDENT, ORGANIZATION, SEALED_BY, Relation, Template
from port2port.stix.extension import NEW_SCO
from port2port.stix.ids import OURS, derived_id
from port2port.stix.normal import IDENTIFYING

VALUE = Relation("value", ("value",), contributes=True)
_INDICATOR_TYPE = 'port2port:indicator-type="'


def objects_of(event: Event) -> Read:
    """The STIX objects that an event speaks of. Total: what makes no sense is left out, one thing at a time."""
    return _Reader(event).read()


class _Reader:
    def __init__(self, event: Event) -> None:
        self._event = event
        self._author = author_id(event.orgc.uuid)
        self._tlp, self._pap, others = tags.read_tags(_names(event.tags))
        self._refs = tags.marking_refs(self._tlp, self._pap)
        self._read = Read(objects=[], tlp=self._tlp, pap=self._pap, tags=others)
        self._stix: dict[str, str] = {}
        """MISP uuid -> STIX id."""

    def read(self) -> Read:
        for each in self._event.objects:
            self._attempt(self._object, each, each.name)
        for attribute in self._event.attributes:
            self._attempt(self._attribute, attribute, attribute.type)
        for each in self._event.objects:
            for reference in each.references:
                self._attempt(self._reference, reference, "reference", each)
        at = comments.moment(stamp(self._event.timestamp))
        stix_id = f"grouping--{derived('grouping', str(self._event.uuid))}"
        gather(self._event, self._read, self._versioned("grouping", stix_id, {"created": at, "modified": at}))
        return self._read

    def _attempt(self, take: Any, what: Attribute | Object | Reference, name: str, *more: Any) -> None:
        """A thing that cannot be read does not hold up the others."""
        try:
            done = bool(take(what, *more))
        except (ValueError, OverflowError):
            done = False
        if not done and not what.deleted:
            self._read.left_out.append(f"{name} {what.uuid}")

    def _versioned(self, kind: str, stix_id: str, times: Mapping[str, str]) -> dict[str, Any]:
        made: dict[str, Any] = {
            "type": kind,
            "spec_version": "2.1",
            "id": stix_id,
            **times,
            "created_by_ref": self._author,
        }
        return made | ({"object_marking_refs": self._refs} if self._refs else {})

    def _keep(self, what: Attribute | Object, made: dict[str, Any]) -> bool:
        self._stix[str(what.uuid)] = made["id"]
        self._read.objects.append(made)
        return True

    def _object(self, found: Object) -> bool:
        template, renamed = _template_of(found)
        parts = [each for each in found.attributes if not each.deleted]
        flagged = [each for each in found.attributes if each.to_ids and (not each.deleted or _is_ours(found.comment))]
        if template is None or found.deleted:
            return False
        seen = [each for each in parts if not each.to_ids] or not flagged
        done = bool(seen) and self._thing(found, template, renamed, parts)
        return self._looked_for(found, template, renamed, flagged) or done

    def _thing(self, found: Object, template: Template, renamed: Mapping[str, str], parts: list[Attribute]) -> bool:
        made: dict[str, Any] = {}
        for each in parts:
            relation = template.find(renamed.get(each.object_relation or "", each.object_relation or ""))
            if relation is None:
                self._read.left_out.append(f"{found.name}/{each.object_relation} {each.uuid}")
            else:
                values.put(relation, _usual(template, relation, each.value), made)
        return bool(made) and self._keep(found, self._named(found, template, made))

    def _named(self, found: Object, template: Template, made: dict[str, Any]) -> dict[str, Any]:
        """The properties with type, id and what else every object of this type has."""
        said = comments.read(found.comment)
        if template.observable:
            extensions = {"extensions": NEW_SCO} if template.stix in OURS else {}
            return self._observable(template.stix, said.id, made, found) | extensions
        for extension in made.get("extensions", {}).values():
            extension["extension_type"] = "property-extension"
        stix_id = _id_of(template.stix, said.id) or self._own_id(template.stix, found)
        base = self._versioned(template.stix, stix_id, comments.versions(said, found.timestamp))
        if template is ORGANIZATION:
            made.setdefault("name", "")
        if template is INCIDENT:
            made.setdefault("name", self._event.info)
            base |= {"labels": self._read.tags} if self._read.tags else {}
        return base | made

    def _observable(self, kind: str, said: str, made: dict[str, Any], what: Attribute | Object) -> dict[str, Any]:
        """A Cyber-observable Object with the id that was said, or that follows from its values."""
        plain = {"type": kind, "spec_version": "2.1", "id": "", **made}
        plain["id"] = _id_of(kind, said) or derived_id(plain) or self._own_id(kind, what)
        return plain | ({"object_marking_refs": self._refs} if self._refs else {})

    def _own_id(self, kind: str, what: Attribute | Object) -> str:
        return f"{kind}--{derived(kind, str(what.uuid))}"

    def _looked_for(
        self, found: Object, template: Template, renamed: Mapping[str, str], flagged: Sequence[Attribute]
    ) -> bool:
        said, used = [], []
        for each in flagged:
            relation = template.find(renamed.get(each.object_relation or "", each.object_relation or ""))
            if relation is not None and relation.contributes:
                said.append(
                    Comparison(template.stix, values.path_text(relation), _usual(template, relation, each.value))
                )
                used.append(each)
        if not said:
            return False
        return self._indicator(found, used[0], patterns.write(said), "stix", found.comment)

    def _attribute(self, found: Attribute) -> bool:
        said = patterns.comparisons_of(found.type, found.value)
        languages = {misp: stix for stix, misp in patterns.LANGUAGES.items()}
        if found.deleted and not (found.to_ids and _is_ours(found.comment)):
            return False
        if found.type in languages:
            return self._indicator(found, found, found.value, languages[found.type], found.comment)
        if found.to_ids and said:
            return self._indicator(found, found, patterns.write(said), "stix", found.comment)
        if said:
            return self._seen(found, said)
        return found.type == "comment" and self._note(found)

    def _seen(self, found: Attribute, said: Sequence[Comparison]) -> bool:
        """What was seen and is not to be looked for."""
        kind = said[0].kind
        made: dict[str, Any] = {}
        if any(each.path == patterns.RESOLVES_TO for each in said):
            return False
        for each in said:
            relation = values.relation_at(BY_NAME["file"], each.path) if kind == "file" else VALUE
            assert relation is not None
            values.put(relation, each.value, made)
        return self._keep(found, self._observable(kind, comments.read(found.comment).id, made, found))

    def _note(self, found: Attribute) -> bool:
        said = comments.read(found.comment)
        stix_id = _id_of("note", said.id) or self._own_id("note", found)
        made = self._versioned("note", stix_id, comments.versions(said, found.timestamp))
        return self._keep(found, made | {"content": found.value, "object_refs": []})

    def _indicator(
        self, what: Attribute | Object, flagged: Attribute, pattern: str, language: str, comment: str
    ) -> bool:
        said = comments.read(comment)
        stix_id = _id_of("indicator", said.id) or self._own_id("indicator", flagged)
        made = self._versioned("indicator", stix_id, comments.versions(said, what.timestamp))
        made |= {"pattern": pattern, "pattern_type": language}
        made |= {key: text for key, text in (("name", said.name), ("description", said.description)) if text}
        made["valid_from"] = _moment(flagged.first_seen) or made["created"]
        if until := _moment(flagged.last_seen):
            made["valid_until"] = until
        if flagged.deleted:
            made["revoked"] = True
        return self._keep(what, made | self._tagged(flagged))

    def _tagged(self, flagged: Attribute) -> dict[str, Any]:
        """What the tags of one attribute add to those of the event."""
        tlp, pap, others = tags.read_tags(_names(flagged.tags))
        refs = [*self._refs, *(ref for ref in tags.marking_refs(tlp, pap) if ref not in self._refs)]
        kinds = [each[len(_INDICATOR_TYPE) : -1] for each in others if each.startswith(_INDICATOR_TYPE)]
        labels = [each for each in others if not each.startswith(_INDICATOR_TYPE)]
        found = {"object_marking_refs": refs, "indicator_types": kinds, "labels": labels}
        return {key: value for key, value in found.items() if value}

    def _reference(self, found: Reference, source: Object) -> bool:
        ends = (self._stix.get(str(source.uuid)), self._stix.get(str(found.referenced_uuid)))
        if found.deleted or None in ends:
            return False
        if found.relationship_type == SEALED_BY and str(ends[1]).startswith("container-seal--"):
            container = next(each for each in self._read.objects if each["id"] == ends[0])
            container.setdefault("seal_refs", []).append(ends[1])
            return True
        said = comments.read(found.comment)
        stix_id = _id_of("relationship", said.id) or f"relationship--{derived('relationship', str(found.uuid))}"
        made = self._versioned("relationship", stix_id, comments.versions(said, found.timestamp or source.timestamp))
        made |= {"relationship_type": found.relationship_type, "source_ref": ends[0], "target_ref": ends[1]}
        words = "\n".join(each for each in (said.name, said.description) if each)
        self._read.objects.append(made | ({"description": words} if words else {}))
        return True


def _template_of(found: Object) -> tuple[Template | None, Mapping[str, str]]:
    if found.name in ALIASES:
        return ALIASES[found.name]
    return BY_NAME.get(found.name), {}


def _usual(template: Template, relation: Relation, text: str) -> str:
    """What identifies a thing of ours, in its usual spelling. Raises `ValueError`."""
    normalise = IDENTIFYING.get(template.stix, {}).get(relation.path[0])
    try:
        return normalise(text) if normalise else text
    except BadInput as error:
        raise ValueError(text) from error


def _names(found: Sequence[Tag]) -> list[str]:
    return [each.name for each in found if not each.deleted]


def _is_ours(comment: str) -> bool:
    return bool(comments.read(comment).id)


def _id_of(kind: str, stix_id: str) -> str:
    """The id that a comment says, if it is one of this kind."""
    return stix_id if stix_id.startswith(f"{kind}--") else ""


def _moment(text: str | None) -> str:
    return comments.moment(comments.when(text)) if text else ""
