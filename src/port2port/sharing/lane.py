"""A lane is one numbered, chained, signed log per (origin, audience, class, epoch). Pure.

The audience is the whole handling label except its retention date, in one canonical spelling. So every object
in a lane is for exactly the same readers, every one of them sees the same dense numbers, and the numbers say
nothing about what else there is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from port2port.core.errors import DecodeError
from port2port.core.handling import Audience, Handling, LegalBasis, PersonalData, Purpose, Scope, Tlp
from port2port.core.party import Compartment

LANE_ID_BYTES = 16
MAX_AUDIENCE_BYTES = 32 * 1024
_PREFIX = b"p2p-lane-1\0"
_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)

NETWORK = '{"network":true}'
"""The audience of membership: every member of the network, without any agreement."""

_DIRECT = '{"member":"'


class Class(StrEnum):
    """What travels before what. Each class has a connection of its own."""

    FLASH = "flash"
    """Alerts, recalls, membership."""
    NORMAL = "normal"
    BULK = "bulk"
    """Histories and large feeds."""


@dataclass(frozen=True)
class Lane:
    """One lane by its description, from which its id follows."""

    origin: str
    audience: str
    """Canonical JSON, see `audience_of`, or `NETWORK`."""
    urgency: Class
    epoch: int = 1

    @cached_property
    def id(self) -> bytes:
        """16 bytes: the truncated SHA-256 of the canonical description."""
        text = msgspec.json.encode([self.origin, self.audience, self.urgency, self.epoch])
        return hashlib.sha256(_PREFIX + text).digest()[:LANE_ID_BYTES]


def lane_for(handling: Handling, urgent: bool, bulk: bool = False) -> Lane:
    """The one lane in which an object so labelled travels, in its first epoch."""
    urgency = Class.FLASH if urgent else Class.BULK if bulk else Class.NORMAL
    return Lane(handling.origin, audience_of(handling), urgency)


def direct_to(member: str) -> str:
    """The audience of recalls for one member who may no longer read where the recalled things are."""
    return f'{_DIRECT}{member}"}}'


def member_of(audience: str) -> str:
    """Whom a `direct_to` audience means; empty for every other."""
    return audience.removeprefix(_DIRECT).removesuffix('"}') if audience.startswith(_DIRECT) else ""


def audience_of(handling: Handling) -> str:
    """The label without its retention date, spelled in one way only."""
    fields: dict[str, Any] = {
        "agreement": handling.agreement_id,
        "compartment": handling.compartment,
        "context": handling.context,
        "legal_basis": handling.legal_basis,
        "personal_data": handling.personal_data,
        "purpose": handling.purpose,
        "readers": sorted(handling.readers),
        "scope": handling.audience.scope,
        "to_group": handling.audience.group,
        "to_nodes": sorted(handling.audience.nodes),
        "tlp": handling.tlp,
    }
    return msgspec.json.encode(fields, order="sorted").decode()


class _Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    agreement: str
    compartment: Compartment
    context: str
    legal_basis: LegalBasis
    personal_data: PersonalData
    purpose: Purpose
    readers: list[str]
    scope: Scope
    to_group: str
    to_nodes: list[str]
    tlp: Tlp


def handling_of(lane: Lane) -> Handling:
    """The label that all objects of the lane share, kept for ever: for deciding who may read the lane at all.

    Raises `DecodeError` when the description is not canonical.
    """
    try:
        read = msgspec.json.decode(lane.audience, type=_Audience)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DecodeError(f"A connection's audience cannot be read: {error}.", reason="bad-audience") from error
    handling = Handling(
        origin=lane.origin,
        tlp=read.tlp,
        audience=Audience(read.scope, frozenset(read.to_nodes), read.to_group),
        compartment=read.compartment,
        legal_basis=read.legal_basis,
        purpose=read.purpose,
        personal_data=read.personal_data,
        retain_until=_FOREVER,
        agreement_id=read.agreement,
        context=read.context,
        readers=frozenset(read.readers),
    )
    if audience_of(handling) != lane.audience:
        raise DecodeError("A connection's audience is not in its canonical spelling.", reason="bad-audience")
    return handling
