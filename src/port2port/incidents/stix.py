"""An incident as another port reads it: a STIX 2.1 bundle, and back. Pure.

The bundle holds an identity, the incident with the Incident Core extension, a location when the position is known,
notes, the TLP 2.0 marking, and our extension `port2port` (docs: the class `_Ours`) with what STIX has no word for.
Ids that follow from the incident are UUIDv5, so that every version names the same things alike. Objects of types that
we do not know are passed by; whatever else does not fit is a `DecodeError`.

Sources: STIX 2.1 (OASIS Standard) sections 3, 4, 7; TLP 2.0 marking objects of FIRST and OASIS; Incident Core,
extension version 2.1 (a draft: it is written, and never required).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from port2port.core.alert import Priority
from port2port.core.errors import BadInput, DecodeError
from port2port.core.handling import Handling
from port2port.core.party import Party
from port2port.core.place import Position
from port2port.incidents.limits import (
    MAX_BUNDLE_BYTES,
    MAX_BUNDLE_OBJECTS,
    MAX_NODES,
    MAX_PLACE_CHARS,
    MAX_READERS,
    MAX_REFERENCE_CHARS,
    MAX_SHARED_NOTES,
    MAX_TEXT_CHARS,
    MAX_TITLE_CHARS,
)
from port2port.incidents.model import Cause, Kind, Place, SharedNote, Status
from port2port.incidents.text import is_line, is_paragraphs
from port2port.stix.marking import PAP_IDS, TLP_IDS, pap_marking, tlp_marking, write_handling

INCIDENT_CORE = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"
PORT2PORT = "extension-definition--1a562c38-f373-52d6-a777-9f97bb6742ce"
"""Our extension. Fixed for ever; a change that readers must know of gets another."""
PROJECT = "identity--836ac774-4436-5cf1-a66e-fb037adfdfb1"
"""The author of our extension."""
NAMESPACE = uuid.UUID("663adee7-5f95-5776-91a3-6245ff7914ee")
"""For UUIDv5 ids that follow from an incident or a node."""
EXTENSION_SINCE = "2026-01-01T00:00:00.000Z"

_INVESTIGATION = {Status.REPORTED: "new", Status.CLOSED: "closed"}
"""Investigation status of Incident Core; everything between is `open`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """What one version of an incident tells another port: no accounts, no internal notes."""

    incident_id: str
    """UUID in text form."""
    reference: str
    version: int
    kind: Kind
    title: str
    description: str
    place: Place
    observed_at: datetime
    reported_at: datetime
    changed_at: datetime
    status: Status
    priority: Priority
    cause: Cause | None
    notes: tuple[SharedNote, ...]
    handling: Handling
    origin_name: str


Line = Annotated[str, Meta(max_length=MAX_TITLE_CHARS)]
Paragraphs = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
Moment = Annotated[datetime, Meta(tz=True)]


class _Ours(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Properties of the extension `port2port` on an incident.

    `kind`, `status`, `priority` (1 to 4), `cause`: the words of `incidents/model.py`. `handling`: the label as in
    `core/handling.py`; it is the same as the one under which the bundle travels.
    """

    extension_type: Literal["property-extension"] = "property-extension"
    reference: Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE_CHARS)]
    version: Annotated[int, Meta(ge=1, le=2**31)]
    kind: Kind
    status: Status
    priority: Priority
    cause: Cause | msgspec.UnsetType = msgspec.UNSET
    observed_at: Moment
    place_name: Annotated[str, Meta(max_length=MAX_PLACE_CHARS)]
    handling: Handling


class _Extensions(msgspec.Struct, kw_only=True, frozen=True):
    ours: _Ours = msgspec.field(name=PORT2PORT)


class _Incident(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    created_by_ref: str
    created: Moment
    modified: Moment
    name: Annotated[str, Meta(min_length=1, max_length=MAX_TITLE_CHARS)]
    description: Paragraphs = ""
    object_marking_refs: Annotated[list[str], Meta(min_length=1, max_length=2)]
    extensions: _Extensions


class _Identity(msgspec.Struct, kw_only=True, frozen=True):
    id: str
    name: Line


class _Location(msgspec.Struct, kw_only=True, frozen=True):
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]


class _Note(msgspec.Struct, kw_only=True, frozen=True):
    created: Moment
    content: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
    object_refs: Annotated[list[str], Meta(min_length=1, max_length=1)]


class _Bundle(msgspec.Struct, kw_only=True, frozen=True):
    type: Literal["bundle"]
    id: str
    objects: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MAX_BUNDLE_OBJECTS)]


class _Typed(msgspec.Struct, frozen=True):
    type: str


def write_bundle(told: IncidentReport, sender: Party) -> bytes:
    """The exact bytes that travel. Raises `BadInput` when they would be too large."""
    incident_id = f"incident--{told.incident_id}"
    bundle = {
        "type": "bundle",
        "id": f"bundle--{_derived('bundle', told.incident_id, str(told.version))}",
        "objects": list(_objects(told, sender, incident_id)),
    }
    body = msgspec.json.encode(bundle, order="deterministic")
    if len(body) > MAX_BUNDLE_BYTES:
        raise BadInput("incidents.error.too-large", hint="incidents.error.shorter")
    return body


def _objects(told: IncidentReport, sender: Party, incident_id: str) -> Iterable[dict[str, Any]]:
    identity_id = f"identity--{_derived('identity', sender.node_id)}"
    marks = {"created_by_ref": identity_id, "object_marking_refs": _marks(told.handling)}
    yield _identity(PROJECT, "Port2Port")
    yield _definition()
    yield _identity(identity_id, told.origin_name)
    yield tlp_marking(told.handling.tlp)
    yield pap_marking(told.handling.pap)
    yield _incident(told, incident_id) | marks
    if told.place.position is not None:
        location = _location(told, told.place.position)
        yield location | marks
        yield _relationship(told, incident_id, location["id"]) | marks
    for note in told.notes:
        yield _note(told, note, incident_id) | marks


def _marks(handling: Handling) -> list[str]:
    return [TLP_IDS[handling.tlp], PAP_IDS[handling.pap]]


def _object(kind: str, at: datetime | str, changed: datetime | str | None = None) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "created": _stamp(at), "modified": _stamp(changed or at)}


def _stamp(at: datetime | str) -> str:
    """STIX 2.1 section 3.2: `created` and `modified` are precise to the millisecond."""
    return at if isinstance(at, str) else f"{_utc(at).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _identity(identity_id: str, name: str) -> dict[str, Any]:
    made = _object("identity", EXTENSION_SINCE)
    return {**made, "id": identity_id, "name": name, "identity_class": "organization"}


def _definition() -> dict[str, Any]:
    return {
        **_object("extension-definition", EXTENSION_SINCE),
        "id": PORT2PORT,
        "created_by_ref": PROJECT,
        "name": "port2port",
        "description": "What STIX has no word for in an incident at a port, and its handling label.",
        "schema": "On an incident: reference, version, kind, status, priority (1 is most urgent, to 4), cause, "
        "observed_at, place_name, handling.",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def _incident(told: IncidentReport, incident_id: str) -> dict[str, Any]:
    ours = _Ours(
        reference=told.reference,
        version=told.version,
        kind=told.kind,
        status=told.status,
        priority=told.priority,
        cause=told.cause or msgspec.UNSET,
        observed_at=told.observed_at,
        place_name=told.place.name,
        handling=told.handling,
    )
    label = {"handling": write_handling(told.handling)}  # an empty list is none (STIX 2.1 section 2.12)
    core = {
        "extension_type": "property-extension",
        "determination": "false-positive" if told.cause is Cause.FALSE_ALARM else "suspected",
        "investigation_status": _INVESTIGATION.get(told.status, "open"),
        "incident_types": [told.kind],
    }
    made = {
        **_object("incident", told.reported_at, told.changed_at),
        "id": incident_id,
        "name": told.title,
        "extensions": {INCIDENT_CORE: core, PORT2PORT: msgspec.to_builtins(ours) | label},
    }
    return made | ({"description": told.description} if told.description else {})


def _location(told: IncidentReport, at: Position) -> dict[str, Any]:
    made = {
        **_object("location", told.reported_at),
        "id": f"location--{_derived('location', told.incident_id)}",
        "latitude": at.latitude_deg,
        "longitude": at.longitude_deg,
    }
    return made | ({"name": told.place.name} if told.place.name else {})


def _relationship(told: IncidentReport, incident_id: str, location_id: str) -> dict[str, Any]:
    return {
        **_object("relationship", told.reported_at),
        "id": f"relationship--{_derived('located', told.incident_id)}",
        "relationship_type": "related-to",
        "description": "where it happened",
        "source_ref": incident_id,
        "target_ref": location_id,
    }


def _note(told: IncidentReport, note: SharedNote, incident_id: str) -> dict[str, Any]:
    return {
        **_object("note", note.at),
        "id": f"note--{_derived('note', told.incident_id, note.at.isoformat(), note.text)}",
        "content": note.text,
        "object_refs": [incident_id],
    }


def _derived(*parts: str) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, "\0".join(parts))


def read_bundle(body: bytes) -> IncidentReport:
    """Read what another port sent. Everything that is not such a bundle, or contradicts itself, is a `DecodeError`."""
    if len(body) > MAX_BUNDLE_BYTES:
        raise DecodeError(f"A bundle has at most {MAX_BUNDLE_BYTES} bytes, this has {len(body)}.", reason="too-large")
    try:
        return _told(_sorted(msgspec.json.decode(body, type=_Bundle)))
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"This is not an incident's bundle: {error}.", reason="bad-bundle") from error


T = TypeVar("T")
_KINDS: dict[str, type[msgspec.Struct]] = {
    "incident": _Incident,
    "identity": _Identity,
    "location": _Location,
    "note": _Note,
}


def _sorted(bundle: _Bundle) -> list[msgspec.Struct]:
    """The objects of types that we know. The others are passed by unread."""
    known = []
    for raw in bundle.objects:
        kind = _KINDS.get(msgspec.json.decode(raw, type=_Typed).type)
        if kind is not None:
            known.append(msgspec.json.decode(raw, type=kind))
    return known


def _told(objects: list[msgspec.Struct]) -> IncidentReport:
    incident = _one(_all(objects, _Incident), "incident")
    ours = incident.extensions.ours
    names = [each.name for each in _all(objects, _Identity) if each.id == incident.created_by_ref]
    notes = [each for each in _all(objects, _Note) if each.object_refs == [incident.id]]
    if len(notes) > MAX_SHARED_NOTES:
        raise DecodeError(f"At most {MAX_SHARED_NOTES} notes go along.", reason="too-many-notes")
    told = IncidentReport(
        incident_id=_uuid_in(incident.id),
        reference=ours.reference,
        version=ours.version,
        kind=ours.kind,
        title=incident.name,
        description=incident.description,
        place=Place(name=ours.place_name, position=_position(_all(objects, _Location))),
        observed_at=_utc(ours.observed_at),
        reported_at=_utc(incident.created),
        changed_at=_utc(incident.modified),
        status=ours.status,
        priority=ours.priority,
        cause=ours.cause or None,
        notes=tuple(SharedNote(at=_utc(each.created), text=each.content) for each in notes),
        handling=ours.handling,
        origin_name=_one(names, "identity"),
    )
    _check_label(told.handling, incident.object_marking_refs)
    _check_texts(told)
    return told


def _all(objects: list[msgspec.Struct], kind: type[T]) -> list[T]:
    return [each for each in objects if isinstance(each, kind)]


def _one(found: list[T], what: str) -> T:
    if len(found) != 1:
        raise DecodeError(f"A bundle holds one {what}, this holds {len(found)}.", reason=f"not-one-{what}")
    return found[0]


def _position(found: list[_Location]) -> Position | None:
    return Position(found[0].latitude, found[0].longitude) if found else None


def _uuid_in(stix_id: str) -> str:
    kind, _, text = stix_id.partition("--")
    try:
        if kind == "incident" and str(uuid.UUID(text)) == text:
            return text
    except ValueError:
        pass
    raise DecodeError("An incident's id is incident-- and a UUID.", reason="bad-id")


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _check_label(handling: Handling, markings: list[str]) -> None:
    """One object, one colour of each protocol: the markings say what the label says (PAP may be left out)."""
    if not {TLP_IDS[handling.tlp]} <= set(markings) <= set(_marks(handling)):
        raise DecodeError("The TLP and PAP markings are not those of the handling label.", reason="two-colours")
    if handling.retain_until.tzinfo is None:
        raise DecodeError("The retention date has no time zone.", reason="bad-label")
    if len(handling.audience.nodes) > MAX_NODES or len(handling.readers) > MAX_READERS:
        raise DecodeError("The handling label names too many.", reason="bad-label")


def _check_texts(told: IncidentReport) -> None:
    """No control characters, nothing that turns the direction of writing around."""
    lines = (told.title, told.place.name, told.reference, told.origin_name)
    texts = (told.description, *(note.text for note in told.notes))
    if not all(map(is_line, lines)) or not all(map(is_paragraphs, texts)):
        raise DecodeError("A text holds control characters.", reason="control-characters")
