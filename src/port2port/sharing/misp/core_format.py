"""Events of the MISP core format as values: read from anyone's bytes, written as MISP reads them.

What a stranger says about distribution and sharing groups is not even read: who may have an event here is
decided by us. Unknown fields are passed by (MISP adds some with every release).

Source: MISP core format, sections 2.2 (Event), 2.4 (Attribute), 2.6 (Object), 2.7 (Tag).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from port2port.core.errors import DecodeError
from port2port.sharing.misp import limits

Name = Annotated[str, Meta(max_length=limits.MAX_NAME_CHARS)]
Text = Annotated[str, Meta(max_length=limits.MAX_VALUE_CHARS)]
Seconds = Annotated[int, Meta(ge=0, le=limits.MAX_TIMESTAMP_S)]


class Tag(msgspec.Struct, kw_only=True, omit_defaults=True):
    name: Annotated[str, Meta(max_length=limits.MAX_TAG_CHARS)]
    deleted: bool = False
    """Taken off by its author: MISP removes it at those who copied it."""


Tags = Annotated[list[Tag], Meta(max_length=limits.MAX_TAGS)]


class Organisation(msgspec.Struct, kw_only=True):
    name: Name
    uuid: UUID


class Attribute(msgspec.Struct, kw_only=True, omit_defaults=True):
    uuid: UUID
    type: Name
    category: Name
    value: Text
    object_relation: Name | None = None
    to_ids: bool = False
    comment: Text = ""
    timestamp: Seconds = 0
    deleted: bool = False
    first_seen: str | None = None
    last_seen: str | None = None
    tags: Tags = msgspec.field(default_factory=list, name="Tag")


class Reference(msgspec.Struct, kw_only=True, omit_defaults=True):
    uuid: UUID
    object_uuid: UUID | None = None
    referenced_uuid: UUID
    relationship_type: Name
    comment: Text = ""
    timestamp: Seconds = 0
    deleted: bool = False


Attributes = Annotated[list[Attribute], Meta(max_length=limits.MAX_ATTRIBUTES)]


class Object(msgspec.Struct, kw_only=True, omit_defaults=True):
    uuid: UUID
    name: Name
    meta_category: Name = msgspec.field(default="misc", name="meta-category")
    template_uuid: str = ""
    template_version: str | int = ""
    description: Text = ""
    comment: Text = ""
    timestamp: Seconds = 0
    deleted: bool = False
    attributes: Attributes = msgspec.field(default_factory=list, name="Attribute")
    references: Annotated[list[Reference], Meta(max_length=limits.MAX_OBJECTS)] = msgspec.field(
        default_factory=list, name="ObjectReference"
    )


class Event(msgspec.Struct, kw_only=True):
    uuid: UUID
    info: Annotated[str, Meta(max_length=limits.MAX_INFO_CHARS)]
    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    timestamp: Seconds
    published: bool = False
    analysis: Annotated[int, Meta(ge=0, le=2)] = 0
    threat_level_id: Annotated[int, Meta(ge=0, le=4)] = 4
    orgc: Organisation = msgspec.field(name="Orgc")
    tags: Tags = msgspec.field(default_factory=list, name="Tag")
    attributes: Attributes = msgspec.field(default_factory=list, name="Attribute")
    objects: Annotated[list[Object], Meta(max_length=limits.MAX_OBJECTS)] = msgspec.field(
        default_factory=list, name="Object"
    )

    def all_attributes(self) -> list[Attribute]:
        """Those on their own and those in objects."""
        return [*self.attributes, *(each for found in self.objects for each in found.attributes)]


class _File(msgspec.Struct):
    event: Event = msgspec.field(name="Event")


_decoder = msgspec.json.Decoder(_File, strict=False)
"""MISP writes numbers and truth values as text, or not, from release to release."""


def decode_event(data: bytes) -> Event:
    """Read one event file `{"Event": …}`. Everything else is a `DecodeError`."""
    if len(data) > limits.MAX_EVENT_BYTES:
        raise DecodeError(f"An event has at most {limits.MAX_EVENT_BYTES} bytes.", reason="event-too-large")
    try:
        event = _decoder.decode(data).event
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"This is not a MISP event: {error}.", reason="bad-event") from error
    if len(event.all_attributes()) > limits.MAX_ATTRIBUTES:
        raise DecodeError(f"An event has at most {limits.MAX_ATTRIBUTES} attributes.", reason="too-many-attributes")
    return event


def encode_event(event: Event) -> bytes:
    """The exact bytes of an event file: the same event is the same bytes."""
    written: dict[str, Any] = msgspec.to_builtins(event)
    _as_misp_writes(written)
    return msgspec.json.encode({"Event": written}, order="deterministic")


def _as_misp_writes(written: dict[str, Any]) -> None:
    """Stamps and levels are texts in MISP's own files; `to_ids` and `deleted` are always said.

    What is not said MISP decides by type, or leaves as it was.
    """
    for key in ("timestamp", "analysis", "threat_level_id"):
        if key in written:
            written[key] = str(written[key])
    for key in ("Attribute", "Object", "ObjectReference"):
        for each in written.get(key, ()):
            _as_misp_writes(each)
    for each in written.get("Attribute", ()):
        each.setdefault("to_ids", False)
    for each in (*written.get("Attribute", ()), *written.get("Object", ())):
        each.setdefault("deleted", False)


def stamp(seconds: int) -> datetime:
    """A MISP time stamp as a moment."""
    return datetime.fromtimestamp(seconds, UTC)
