"""Incidents of other ports, as the connection to them leaves them here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from incidents_kit import ANTWERP, START, Desk

from port2port.core.alert import Priority
from port2port.core.exchange import ObjectArrived, ObjectErased, ObjectWithdrawn
from port2port.core.handling import Handling, LegalBasis, PersonalData, Purpose, Tlp, all_members
from port2port.core.party import Compartment, Party
from port2port.core.place import Position
from port2port.incidents.copies import copy_id
from port2port.incidents.model import Kind, Place, SharedNote, Status
from port2port.incidents.stix import IncidentReport, write_bundle

ID = "3e3f4c5e-8d7b-4b7a-9f5d-0d8c6f3b2a11"


def label_of(origin: Party, **wishes: Any) -> Handling:
    label = Handling(
        origin=origin.node_id,
        tlp=Tlp.AMBER,
        audience=all_members(),
        compartment=Compartment.A,
        legal_basis=LegalBasis.ISPS_CODE,
        purpose=Purpose.PORT_SECURITY,
        personal_data=PersonalData.NONE,
        retain_until=START + timedelta(days=365),
        agreement_id="cooperation",
    )
    return replace(label, **wishes)


def told_by(origin: Party, label: Handling, **wishes: Any) -> IncidentReport:
    told = IncidentReport(
        incident_id=ID,
        reference="ANT-2026-0042",
        version=1,
        kind=Kind.DROP_OFF,
        title="Bags floating",
        description="Twelve blue bags.",
        place=Place(name="Scheldt mouth", position=Position(51.43, 3.2)),
        observed_at=START,
        reported_at=START,
        changed_at=START,
        status=Status.TRIAGED,
        priority=Priority.MEDIUM,
        cause=None,
        notes=(SharedNote(at=START, text="Drifts east"),),
        handling=label,
        origin_name=origin.name,
    )
    return replace(told, **wishes)


def arrive(desk: Desk, origin: Party = ANTWERP, body: bytes | None = None, **wishes: Any) -> str:
    """One version arrives, as the connection to its origin leaves it; answers our id of the copy."""
    label = wishes.pop("handling", None) or label_of(origin)
    told = told_by(origin, label, **wishes)
    here = f"{origin.node_id}.{ID}"
    with desk.site.store.transaction() as tx:
        tx.put_body(here, told.version, write_bundle(told, origin) if body is None else body)
        tx.append(
            ObjectArrived(
                at=desk.site.clock(),
                object_kind="incident",
                object_id=here,
                version=told.version,
                handling=label,
                origin=origin.node_id,
                origin_name=origin.name,
            )
        )
    desk.read_on()
    return copy_id(origin.node_id, here)


def take_back(desk: Desk, origin: Party = ANTWERP, version: int = 1, erased: bool = False, own: str = "") -> None:
    """The origin takes it back, as the connection leaves it here. `own`: an incident of ours, erased."""
    kind = ObjectErased if erased else ObjectWithdrawn
    with desk.site.store.transaction() as tx:
        tx.append(
            kind(
                at=desk.site.clock(),
                object_kind="incident",
                object_id=own or f"{origin.node_id}.{ID}",
                version=version,
                origin=desk.site.party.node_id if own else origin.node_id,
                reason="mistake",
            )
        )
    desk.read_on()
