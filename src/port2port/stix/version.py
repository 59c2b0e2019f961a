"""What every domain object, relationship and marking says of itself (STIX 2.1 section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from port2port.stix.reading import Object
from port2port.stix.times import stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of one object; times are UTC-aware and written to the millisecond."""

    uuid: str
    """The part of the id after the type; a UUIDv4 unless something else names the object for good."""
    created: datetime
    modified: datetime | None = None
    """Absent: the first version."""
    created_by: str = ""
    """Id of an identity."""
    markings: tuple[str, ...] = ()
    """Ids of marking definitions."""


def present(**properties: Any) -> Object:
    """Without what is None and without empty lists: STIX has neither (section 2.12)."""
    return {name: _plain(value) for name, value in properties.items() if value is not None and value not in ((), [])}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    return list(value) if isinstance(value, tuple) else value


def domain_object(kind: str, version: Version, **properties: Any) -> Object:
    """An object of a type of the standard, of `created` and `modified`."""
    return present(
        type=kind,
        spec_version="2.1",
        id=f"{kind}--{version.uuid}",
        created_by_ref=version.created_by or None,
        created=version.created,
        modified=version.modified or version.created,
        object_marking_refs=version.markings,
        **properties,
    )
