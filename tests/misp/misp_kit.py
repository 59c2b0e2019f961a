"""STIX objects as a port shares them, and a node that has shared some."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from port2port.capability import Site
from port2port.core.exchange import ObjectOffered
from port2port.core.handling import Handling, LegalBasis, PersonalData, Purpose, Tlp, all_members
from port2port.core.party import Compartment
from port2port.sharing.misp import tags
from port2port.stix.extension import EXTENSION_ID, NEW_SCO
from port2port.stix.ids import OURS, derived_id

AUTHOR = "8e2f8c5a-58a9-5a62-9d3d-1a55c2f0a001"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
T0 = "2026-03-01T12:00:00.000Z"

ORGANISATION = {
    "type": "identity",
    "spec_version": "2.1",
    "id": f"identity--{AUTHOR}",
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-01T00:00:00.000Z",
    "name": "Port of Ostend",
    "identity_class": "organization",
}


def versioned(kind: str, number: int, /, tlp: Tlp = Tlp.GREEN, **properties: Any) -> dict[str, Any]:
    """A domain object of our organisation."""
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {number}')}",
        "created": T0,
        "modified": T0,
        "created_by_ref": ORGANISATION["id"],
        "object_marking_refs": tags.marking_refs(tlp),
        **properties,
    }


def observable(kind: str, /, tlp: Tlp = Tlp.GREEN, **properties: Any) -> dict[str, Any]:
    """A cyber-observable object, of the standard's types or ours."""
    made = {"type": kind, "spec_version": "2.1", "object_marking_refs": tags.marking_refs(tlp), **properties}
    if kind in OURS:
        made["extensions"] = NEW_SCO
    return made | {"id": derived_id(made)}


def incident(number: int = 1, /, tlp: Tlp = Tlp.GREEN, **properties: Any) -> dict[str, Any]:
    """A suspicious container."""
    ours = {
        "extension_type": "property-extension",
        "reference": "OST-2026-0001",
        "kind": "suspicious-container",
        "status": "triaged",
        "priority": 2,
    }
    return versioned(
        "incident", number, tlp, **{"name": "Seal broken", "extensions": {EXTENSION_ID: ours}, **properties}
    )


def indicator(number: int, pattern: str, /, tlp: Tlp = Tlp.GREEN, **properties: Any) -> dict[str, Any]:
    return versioned(
        "indicator", number, tlp, **{"pattern": pattern, "pattern_type": "stix", "valid_from": T0, **properties}
    )


def bundle(*objects: dict[str, Any], tlp: Tlp = Tlp.GREEN) -> bytes:
    """The body of one shared object."""
    return msgspec.json.encode(
        {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [ORGANISATION, tags.marking(tlp), *objects]}
    )


def label(site: Site, **changes: Any) -> Handling:
    values: dict[str, Any] = {
        "origin": site.party.node_id,
        "tlp": Tlp.GREEN,
        "audience": all_members(),
        "compartment": Compartment.A,
        "legal_basis": LegalBasis.ISPS_CODE,
        "purpose": Purpose.PORT_SECURITY,
        "personal_data": PersonalData.NONE,
        "retain_until": site.clock() + timedelta(days=30),
        "agreement_id": "agreement-1",
    }
    return Handling(**values | changes)


def offer(site: Site, object_id: str, body: bytes, version: int = 1, **changes: Any) -> None:
    """Share one version of an object, as the capability that owns it does."""
    with site.store.transaction() as tx:
        tx.put_body(object_id, version, body)
        tx.append(
            ObjectOffered(
                at=site.clock(),
                object_kind="incident",
                object_id=object_id,
                version=version,
                handling=label(site, **changes),
                urgent=False,
                account="an-operator",
            )
        )
