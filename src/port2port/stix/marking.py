"""Markings: TLP 2.0 and PAP as FIRST, MISP and OASIS define them, and our handling label.

Written and read, without loss. Pure.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec
import rfc8785

from port2port.core.errors import DecodeError
from port2port.core.handling import Handling, Pap, Tlp
from port2port.stix.extension import EXTENSION_ID, properties
from port2port.stix.reading import Object, extension_of
from port2port.stix.version import present

TLP_2_0 = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
PAP = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
TLP_SINCE = "2022-10-01T00:00:00.000Z"
TLP_IDS = {
    Tlp.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
PAP_IDS = {
    Pap.CLEAR: "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92",
    Pap.GREEN: "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9",
    Pap.AMBER: "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab",
    Pap.RED: "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e",
}
"""The official marking objects (OASIS common objects)."""
_PAP_SINCE = {
    Pap.CLEAR: "2022-10-02T00:00:00.000Z",
    Pap.GREEN: "2022-10-09T00:00:00.000Z",
    Pap.AMBER: "2022-10-02T00:00:00.000Z",
    Pap.RED: "2022-10-06T00:00:00.000Z",
}
NAMESPACE = uuid.UUID(EXTENSION_ID.partition("--")[2])
"""One label, one marking: its UUIDv5 is made here, from the label."""


def tlp_marking(tlp: Tlp) -> Object:
    """The official object."""
    return _colour(TLP_IDS[tlp], TLP_SINCE, tlp.value, TLP_2_0, "tlp_2_0")


def pap_marking(pap: Pap) -> Object:
    """The official object."""
    return _colour(PAP_IDS[pap], _PAP_SINCE[pap], pap.value, PAP, "pap")


def _colour(marking_id: str, created: str, name: str, extension: str, key: str) -> Object:
    word = name.partition(":")[2].lower()
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": marking_id,
        "created": created,
        "name": name,
        "extensions": {extension: {"extension_type": "property-extension", key: word}},
    }


def handling_marking(handling: Handling, created: datetime, created_by: str = "") -> Object:
    """Our label as a marking definition. Equal labels get equal ids, so the first to say it made it for all."""
    label = write_handling(handling)
    return present(
        type="marking-definition",
        spec_version="2.1",
        id=f"marking-definition--{uuid.uuid5(NAMESPACE, rfc8785.dumps(label).decode())}",
        created=created,
        created_by_ref=created_by or None,
        name="Handling",
        extensions=properties(handling=label),
    )


def write_handling(handling: Handling) -> Object:
    """The label as JSON, lists sorted, empty ones left out (section 2.12)."""
    return present(
        origin=handling.origin,
        tlp=handling.tlp.value,
        pap=handling.pap.value,
        audience=present(
            scope=handling.audience.scope.value,
            nodes=sorted(handling.audience.nodes),
            group=handling.audience.group or None,
        ),
        compartment=handling.compartment.value,
        legal_basis=handling.legal_basis.value,
        purpose=handling.purpose.value,
        personal_data=handling.personal_data.value,
        retain_until=f"{handling.retain_until.astimezone(UTC).replace(tzinfo=None).isoformat()}Z",
        agreement_id=handling.agreement_id,
        context=handling.context,
        readers=sorted(handling.readers),
    )


def read_handling(found: Object) -> Handling | None:
    """The label of a marking definition or incident; None when it has none of ours. A bad one is a `DecodeError`."""
    ours = extension_of(found, EXTENSION_ID)
    if ours is None or "handling" not in ours:
        return None
    try:
        handling = msgspec.convert(ours["handling"], Handling)
    except msgspec.ValidationError as error:
        raise DecodeError("The handling label cannot be read.", reason="bad-label") from error
    if handling.retain_until.tzinfo is None:
        raise DecodeError("The retention date has no time zone.", reason="bad-label")
    return handling
