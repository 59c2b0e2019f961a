"""Builders of `location` with our properties: ports, facilities, quays, gates, fences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from port2port.core.errors import BadInput
from port2port.core.identifiers import facility as facility_number_rule
from port2port.core.identifiers import locode
from port2port.core.place import Position
from port2port.stix.extension import properties
from port2port.stix.reading import Object
from port2port.stix.version import Version, domain_object

PlaceKind = Literal[
    "port", "port-facility", "quay", "berth", "gate", "fence-section", "lock", "anchorage", "waterway", "area"
]


def place(
    version: Version,
    kind: PlaceKind,
    *,
    name: str | None = None,
    un_locode: str | None = None,
    facility_number: str | None = None,
    security_level: Literal[1, 2, 3] | None = None,
    position: Position | None = None,
    outline: Sequence[Position] = (),
) -> Object:
    """A `location`. It needs a position or a UN/LOCODE (section 4.10); raises `BadInput` for neither, or wrong ones."""
    facility = facility_number_rule.check(facility_number) if facility_number else None
    code = locode.check(un_locode) if un_locode else facility and facility[:5]
    if code is None and position is None:
        raise BadInput("A place needs a position, a UN/LOCODE or a port facility number.")
    return domain_object(
        "location",
        version,
        name=name or None,
        latitude=position.latitude_deg if position else None,
        longitude=position.longitude_deg if position else None,
        country=code[:2] if code else None,
        extensions=properties(
            kind=kind,
            un_locode=code,
            facility_number=facility,
            security_level=security_level,
            outline=[{"latitude": each.latitude_deg, "longitude": each.longitude_deg} for each in outline],
        ),
    )
