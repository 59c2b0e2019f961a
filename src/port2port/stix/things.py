"""Builders of our cyber-observable objects: containers, seals, vehicles, vessels, unmanned aircraft, badges. Pure.

Identifying values are put into their usual spelling, and the id follows from them. All raise `BadInput` for a value
that is none, such as a container number whose check digit is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from port2port.core.errors import BadInput
from port2port.core.identifiers import container as container_number
from port2port.core.identifiers import eni as eni_number
from port2port.core.identifiers import imo as imo_number
from port2port.core.identifiers import mmsi as mmsi_number
from port2port.stix import normal
from port2port.stix.extension import NEW_SCO
from port2port.stix.ids import derived_id
from port2port.stix.reading import Object
from port2port.stix.version import present

SealKind = Literal["mechanical", "electronic", "customs", "other"]
SealState = Literal["intact", "broken", "missing", "replaced", "unknown"]
BadgeState = Literal["active", "blocked", "lost", "stolen", "expired", "unknown"]


def _thing(kind: str, markings: Sequence[str], /, **properties: Any) -> Object:
    found = present(type=kind, spec_version="2.1", object_marking_refs=list(markings), extensions=NEW_SCO, **properties)
    named = derived_id(found)
    if named is None:
        raise BadInput(f"What identifies a {kind} is missing.")
    return {"type": kind, "id": named, **found}


def container(
    number: str,
    *,
    size_type: str | None = None,
    owner: str | None = None,
    tare_kg: int | None = None,
    is_reefer: bool | None = None,
    seal_refs: Sequence[str] = (),
    markings: Sequence[str] = (),
) -> Object:
    """A freight container (ISO 6346). `size_type` as on its door, such as 45R1."""
    return _thing(
        "shipping-container",
        markings,
        number=container_number.check(number),
        size_type=size_type,
        owner=owner,
        tare_kg=tare_kg,
        is_reefer=is_reefer,
        seal_refs=list(seal_refs),
    )


def seal(
    number: str,
    kind: SealKind = "mechanical",
    *,
    security_class: Literal["indicative", "security", "high-security"] | None = None,
    state: SealState | None = None,
    applied_at: datetime | None = None,
    broken_at: datetime | None = None,
    markings: Sequence[str] = (),
) -> Object:
    """A seal (ISO 17712 for the mechanical ones)."""
    return _thing(
        "container-seal",
        markings,
        number=normal.seal(number),
        kind=kind,
        security_class=security_class,
        state=state,
        applied_at=applied_at,
        broken_at=broken_at,
    )


def vehicle(
    plate: str,
    country: str,
    *,
    vin: str | None = None,
    make: str | None = None,
    model: str | None = None,
    colour: str | None = None,
    vehicle_type: str | None = None,
    adr_un_numbers: Sequence[str] = (),
    markings: Sequence[str] = (),
) -> Object:
    """A vehicle on the road. Its plate, and so its id, is personal data."""
    return _thing(
        "road-vehicle",
        markings,
        plate=normal.plate(plate),
        country=normal.country(country),
        vin=vin,
        make=make,
        model=model,
        colour=colour,
        vehicle_type=vehicle_type,
        adr_un_numbers=list(adr_un_numbers),
    )


def vessel(
    *,
    imo: str | None = None,
    eni: str | None = None,
    mmsi: str | None = None,
    name: str | None = None,
    call_sign: str | None = None,
    flag: str | None = None,
    vessel_type: str | None = None,
    length_m: float | None = None,
    beam_m: float | None = None,
    draught_m: float | None = None,
    markings: Sequence[str] = (),
) -> Object:
    """A ship or barge, named by its IMO number, else its ENI, else its MMSI, which changes with the flag."""
    return _thing(
        "vessel",
        markings,
        imo=imo_number.check(imo) if imo else None,
        eni=eni_number.check(eni) if eni else None,
        mmsi=mmsi_number.check(mmsi) if mmsi else None,
        name=name or None,
        call_sign=call_sign or None,
        flag=normal.country(flag) if flag else None,
        vessel_type=vessel_type,
        length_m=length_m,
        beam_m=beam_m,
        draught_m=draught_m,
    )


def uas(
    *,
    serial: str | None = None,
    session_id: str | None = None,
    operator_id: str | None = None,
    uas_class: Literal["C0", "C1", "C2", "C3", "C4", "C5", "C6"] | None = None,
    remote_id_standard: str | None = None,
    make: str | None = None,
    model: str | None = None,
    markings: Sequence[str] = (),
) -> Object:
    """An unmanned aircraft, named by its serial number (ANSI/CTA-2063-A), else by the session id of one flight."""
    return _thing(
        "uas",
        markings,
        serial=normal.uas_serial(serial) if serial else None,
        session_id=normal.uas_session(session_id) if session_id else None,
        operator_id=operator_id or None,
        uas_class=uas_class,
        remote_id_standard=remote_id_standard,
        make=make,
        model=model,
    )


def badge(
    issuer: str,
    number: str,
    *,
    state: BadgeState | None = None,
    valid_until: datetime | None = None,
    markings: Sequence[str] = (),
) -> Object:
    """A badge that opens gates. It says nothing of who holds it."""
    return _thing(
        "access-badge",
        markings,
        issuer=normal.issuer(issuer),
        number=normal.badge_number(number),
        state=state,
        valid_until=valid_until,
    )
