"""What happened between us and other ports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from port2port.core.fact import Fact


@dataclass(frozen=True, kw_only=True)
class ObjectPublished(Fact):
    """A version of one of our objects stands ready for its readers."""

    object_kind: str
    object_id: str
    version: int
    lane: str
    sequence: int
    readers: tuple[str, ...]
    """Node ids of the members who may have it at this moment."""


@dataclass(frozen=True, kw_only=True)
class ObjectWithheld(Fact):
    """A version of one of our objects was offered, and may go to nobody; or cannot travel."""

    object_kind: str
    object_id: str
    version: int
    reasons: dict[str, int]
    """Reason -> number of members it holds for."""


@dataclass(frozen=True, kw_only=True)
class ObjectRefused(Fact):
    """Entries of another port were not accepted. One fact per page and reason."""

    origin: str
    origin_name: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True)
class LaneStopped(Fact):
    """What another port sent contradicts itself; we stay at the last entry that was right."""

    origin: str
    origin_name: str
    lane: str
    sequence: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PeerConnected(Fact):
    """Another port can be heard (again)."""

    node_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class PeerLost(Fact):
    """Another port has not been heard for a while."""

    node_id: str
    name: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class DocumentSigned(Fact):
    """We signed a document of the network, for all members to know."""

    document_kind: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class MemberInvited(Fact):
    """A code was made with which one organisation can join."""

    invitation: str
    name: str
    expires: datetime


@dataclass(frozen=True, kw_only=True)
class MemberJoined(Fact):
    """An organisation is new in the network, as far as we know it."""

    node_id: str
    name: str
    sponsor: str


@dataclass(frozen=True, kw_only=True)
class MemberRevoked(Fact):
    """An organisation is no longer in the network."""

    node_id: str
    name: str
    by: str


@dataclass(frozen=True, kw_only=True)
class NetworkChanged(Fact):
    """A group or agreement of the network is new or different."""

    document_kind: str
    by: str


ALL: tuple[type[Fact], ...] = (
    ObjectPublished,
    ObjectWithheld,
    ObjectRefused,
    LaneStopped,
    PeerConnected,
    PeerLost,
    DocumentSigned,
    MemberInvited,
    MemberJoined,
    MemberRevoked,
    NetworkChanged,
)
