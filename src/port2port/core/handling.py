"""Handling: who may see an object, decided by one pure function.

The label travels inside the signed bytes of every shared object. `may_release` is called when a
lane is chosen, when it is read, and again at the receiver. What is unmarked, unknown, expired or
empty is not released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from port2port.core.party import Compartment, Party


class Tlp(StrEnum):
    """FIRST Traffic Light Protocol 2.0, from widest to narrowest."""

    CLEAR = "TLP:CLEAR"
    GREEN = "TLP:GREEN"
    AMBER = "TLP:AMBER"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    RED = "TLP:RED"


class LegalBasis(StrEnum):
    """On what ground an object is processed (GDPR art. 6, Directive 2016/680, ISPS Code)."""

    ISPS_CODE = "isps-code"
    MARITIME_SECURITY_LAW = "maritime-security-law"
    LEGAL_OBLIGATION = "legal-obligation"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTEREST = "legitimate-interest"
    LAW_ENFORCEMENT = "law-enforcement"


class Purpose(StrEnum):
    """What an object may be used for."""

    PORT_SECURITY = "port-security"
    MARITIME_SAFETY = "maritime-safety"
    LAW_ENFORCEMENT = "law-enforcement"
    CYBER_SECURITY = "cyber-security"
    TRAINING = "training"
    ANALYSIS = "analysis"


class PersonalData(StrEnum):
    """What an object says about people."""

    NONE = "none"
    STAFF = "staff"
    THIRD_PARTY = "third-party"
    OFFENCE_RELATED = "offence-related"
    """GDPR art. 10: refused in compartment A, handed over to the police channel."""


LIVE = "live"
"""The context of real life. Any other context is the id of an exercise."""


class Scope(StrEnum):
    """The three forms an audience can take."""

    ALL_MEMBERS = "all-members"
    NODES = "nodes"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom an object is meant. Made by one of the three functions below."""

    scope: Scope
    nodes: frozenset[str] = frozenset()
    """Node ids, with `Scope.NODES`. Empty means nobody."""
    group: str = ""
    """Group id, with `Scope.GROUP`."""


def all_members() -> Audience:
    """Every member of the network."""
    return Audience(Scope.ALL_MEMBERS)


def named_nodes(*node_ids: str) -> Audience:
    """Exactly these nodes."""
    return Audience(Scope.NODES, nodes=frozenset(node_ids))


def sharing_group(group_id: str) -> Audience:
    """The present members of one sharing group."""
    return Audience(Scope.GROUP, group=group_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """The label of one object. Anyone may narrow it for himself; only the origin may widen it."""

    origin: str
    """Node id of the organisation that made the object."""
    tlp: Tlp
    audience: Audience
    compartment: Compartment
    legal_basis: LegalBasis
    purpose: Purpose
    personal_data: PersonalData
    retain_until: datetime
    agreement_id: str
    """The cooperation agreement that the audience cites."""
    context: str = LIVE
    readers: frozenset[str] = frozenset()
    """TLP:RED only: accounts at the receiving node, as `account@node-id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A cooperation agreement: without a valid one, nothing is released."""

    id: str
    title: str
    parties: frozenset[str]
    """Node ids. Each has signed."""
    purposes: frozenset[Purpose]
    legal_basis: frozenset[LegalBasis]
    personal_data: frozenset[PersonalData]
    """The classes of personal data that it covers."""
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A sharing group: an object of its owner."""

    id: str
    name: str
    owner: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who is in the network, as one node knows it at one moment. Absent means not a member."""

    parties: Mapping[str, Party] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()
    exercises: frozenset[str] = frozenset()
    """Exercise ids that this node has accepted; objects of others are quarantined."""


class Reason(StrEnum):
    """Why an object is withheld. Each has a word in four languages on the screen."""

    UNMARKED = "unmarked"
    CLASSIFIED = "classified"
    NOT_A_MEMBER = "not-a-member"
    REVOKED = "revoked"
    NOT_IN_AUDIENCE = "not-in-audience"
    EMPTY_AUDIENCE = "empty-audience"
    UNKNOWN_GROUP = "unknown-group"
    WRONG_COMPARTMENT = "wrong-compartment"
    OFFENCE_DATA_IN_A = "offence-data-in-a"
    WRONG_PURPOSE = "wrong-purpose"
    NO_AGREEMENT = "no-agreement"
    AGREEMENT_NOT_VALID = "agreement-not-valid"
    NOT_PARTY_TO_AGREEMENT = "not-party-to-agreement"
    OUTSIDE_AGREEMENT = "outside-agreement"
    RETENTION_OVER = "retention-over"
    NO_READERS = "no-readers"
    UNKNOWN_EXERCISE = "unknown-exercise"


@dataclass(frozen=True, slots=True)
class Released:
    """The recipient may have it. `why` is the audience rule that let it through."""

    why: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """The recipient may not have it."""

    reason: Reason


def may_release(
    handling: Handling | None, recipient: str, purpose: Purpose, at: datetime, roster: Roster
) -> Released | Withheld:
    """Whether the node `recipient` may have an object labelled `handling`, for `purpose`, at `at`."""
    raise NotImplementedError
