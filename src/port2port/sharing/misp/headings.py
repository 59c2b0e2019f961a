"""What an event says of itself: name, day, organisation, urgency. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from port2port.core.handling import Tlp
from port2port.sharing.misp import comments
from port2port.sharing.misp.core_format import Event, Organisation
from port2port.stix.extension import EXTENSION_ID

Stix = Mapping[str, Any]
FORMER_ID = "extension-definition--1a562c38-f373-52d6-a777-9f97bb6742ce"
"""Under which nodes wrote an incident before the extension of today."""
MAX_INFO_CHARS = 4_000


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What an event says of itself beside the objects in it."""

    uuid: str
    organisation: str
    organisation_uuid: str
    """The UUID of the identity that made the objects."""
    at: datetime
    tlp: Tlp | None = None
    """The label of the whole; the strictest of it and of the objects' markings counts."""
    info: str = ""
    """When neither an incident nor a grouping among the objects says it."""


def begin(objects: Sequence[Stix], heading: Heading) -> Event:
    """The event of these objects, with nothing in it yet."""
    incident: Stix = next((each for each in objects if each["type"] == "incident"), {})
    group: Stix = next((each for each in objects if each["type"] == "grouping"), {})
    return Event(
        uuid=UUID(heading.uuid),
        info=str(incident.get("name") or group.get("name") or heading.info or "Port2Port")[:MAX_INFO_CHARS],
        date=f"{_begun(incident, heading):%Y-%m-%d}",
        timestamp=int(heading.at.timestamp()),
        published=True,
        analysis=2 if _ours(incident).get("status") == "closed" else 0,
        threat_level_id=_threat_level(incident),
        orgc=Organisation(name=heading.organisation, uuid=UUID(heading.organisation_uuid)),
    )


def _begun(incident: Stix, heading: Heading) -> datetime:
    return comments.when(incident["created"]) if "created" in incident else heading.at


def in_todays_words(found: Stix) -> Stix:
    """An incident as nodes wrote it before they had the extension of today, in today's words."""
    extensions = found.get("extensions", {})
    if FORMER_ID not in extensions or EXTENSION_ID in extensions:
        return found
    renamed = {EXTENSION_ID if key == FORMER_ID else key: value for key, value in extensions.items()}
    return {**found, "extensions": renamed}


def _ours(incident: Stix) -> Stix:
    ours: Stix = incident.get("extensions", {}).get(EXTENSION_ID, {})
    return ours


def _threat_level(incident: Stix) -> int:
    """1 is high, 4 undefined: our priorities 1 to 3 are the first three."""
    priority = _ours(incident).get("priority", 4)
    return priority if priority in (1, 2, 3) else 4
