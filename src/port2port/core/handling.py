"""Handling: who may see an object, decided by one pure function.

The label travels inside the signed bytes of every shared object. `may_release` is called when a
lane is chosen, when it is read, and again at the receiver. What is unmarked, unknown, expired or
empty is not released.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
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


class Pap(StrEnum):
    """Permissible Actions Protocol (MISP taxonomy `PAP`): what may be done with it, from widest to narrowest.

    TLP says who may know, PAP how openly they may act on what they know.
    """

    CLEAR = "PAP:CLEAR"
    """No limit on use."""
    GREEN = "PAP:GREEN"
    """Actions that those concerned may notice: stop, refuse, block, approach."""
    AMBER = "PAP:AMBER"
    """Watch and look up, with the services of third parties too; nothing that those concerned could notice."""
    RED = "PAP:RED"
    """Own records only: nothing outside may show that somebody looked."""


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
    pap: Pap = Pap.RED
    """A label that says nothing allows nothing that shows."""
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
    epoch: int = 1
    """Grows when somebody leaves: what is shared from then on is out of the leaver's reach."""


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


OWN = "origin"
"""`Released.why` when the recipient made the object itself; otherwise it is the audience's scope."""


def may_release(
    handling: Handling | None, recipient: str, purpose: Purpose, at: datetime, roster: Roster
) -> Released | Withheld:
    """Whether the node `recipient` may have an object labelled `handling`, for `purpose`, at `at` (UTC-aware).

    Pure and total: whatever a label or roster holds, the answer is a value. The first reason that holds is
    the answer, in the order of docs/explanation/handling.md.
    """
    assert at.tzinfo is not None, "times are UTC-aware"
    if handling is None:
        return Withheld(Reason.UNMARKED)
    reason = _object_reason(handling, purpose, at, roster)
    if reason is None and recipient == handling.origin:
        return Released(OWN)
    reason = (
        reason
        or _member_reason(handling.origin, roster)
        or _member_reason(recipient, roster)
        or _compartment_reason(handling, roster.parties[handling.origin], roster.parties[recipient])
        or _audience_reason(handling, recipient, roster)
        or _agreement_reason(handling, recipient, at, roster)
    )
    return Withheld(reason) if reason else Released(handling.audience.scope.value)


def _object_reason(handling: Handling, purpose: Purpose, at: datetime, roster: Roster) -> Reason | None:
    """What keeps the object from everybody, its origin included."""
    if handling.compartment is Compartment.C:
        return Reason.CLASSIFIED
    if handling.compartment is Compartment.A and handling.personal_data is PersonalData.OFFENCE_RELATED:
        return Reason.OFFENCE_DATA_IN_A
    if not _is_to_come(handling.retain_until, at):
        return Reason.RETENTION_OVER
    if handling.context != LIVE and handling.context not in roster.exercises:
        return Reason.UNKNOWN_EXERCISE
    return None if purpose is handling.purpose else Reason.WRONG_PURPOSE


def _member_reason(node_id: str, roster: Roster) -> Reason | None:
    if node_id in roster.revoked:
        return Reason.REVOKED
    return None if node_id in roster.parties else Reason.NOT_A_MEMBER


def _compartment_reason(handling: Handling, origin: Party, recipient: Party) -> Reason | None:
    """A reports to B, one way; what comes back holds no personal data."""
    if Compartment.C in (origin.compartment, recipient.compartment):
        return Reason.WRONG_COMPARTMENT
    if recipient.compartment is Compartment.B:
        return None
    from_police = origin.compartment is Compartment.B
    if from_police and handling.personal_data is not PersonalData.NONE:
        return Reason.WRONG_COMPARTMENT
    if handling.compartment is Compartment.B and not (from_police and _is_feedback(handling)):
        return Reason.WRONG_COMPARTMENT
    return None


def _is_feedback(handling: Handling) -> bool:
    """Whether an object of compartment B may go back to A: it says nothing of persons, and is no police work."""
    return (
        handling.personal_data is PersonalData.NONE
        and handling.purpose is not Purpose.LAW_ENFORCEMENT
        and handling.legal_basis is not LegalBasis.LAW_ENFORCEMENT
    )


def _audience_reason(handling: Handling, recipient: str, roster: Roster) -> Reason | None:
    meant = _members_meant(handling.audience, roster)
    if isinstance(meant, Reason):
        return meant
    if not meant:
        return Reason.EMPTY_AUDIENCE
    if recipient not in meant or not _names_somebody(handling):
        return Reason.NOT_IN_AUDIENCE
    if handling.tlp is Tlp.RED and not readers_at(handling, recipient):
        return Reason.NO_READERS
    return None


def _members_meant(audience: Audience, roster: Roster) -> Set[str] | Reason:
    """The node ids that an audience stands for now; the other fields of its form are not looked at."""
    if audience.scope is Scope.ALL_MEMBERS:
        return roster.parties.keys()
    if audience.scope is Scope.NODES:
        return audience.nodes
    group = roster.groups.get(audience.group)
    return Reason.UNKNOWN_GROUP if group is None else group.members


def _names_somebody(handling: Handling) -> bool:
    """TLP:AMBER+STRICT and TLP:RED are for those who are named: `all members` names nobody."""
    strict = handling.tlp in (Tlp.AMBER_STRICT, Tlp.RED)
    return not (strict and handling.audience.scope is Scope.ALL_MEMBERS)


def _agreement_reason(handling: Handling, recipient: str, at: datetime, roster: Roster) -> Reason | None:
    agreement = roster.agreements.get(handling.agreement_id)
    if agreement is None:
        return Reason.NO_AGREEMENT
    if not {handling.origin, recipient} <= agreement.parties:
        return Reason.NOT_PARTY_TO_AGREEMENT
    if not (_has_come(agreement.starts, at) and _is_to_come(agreement.ends, at)):
        return Reason.AGREEMENT_NOT_VALID
    return None if _covers(agreement, handling) else Reason.OUTSIDE_AGREEMENT


def _covers(agreement: Agreement, handling: Handling) -> bool:
    return (
        handling.purpose in agreement.purposes
        and handling.legal_basis in agreement.legal_basis
        and handling.personal_data in agreement.personal_data
    )


def readers_at(handling: Handling, node_id: str) -> frozenset[str]:
    """The accounts at `node_id` that a TLP:RED label names; an account may itself hold an `@`."""
    named = (reader.rpartition("@") for reader in handling.readers)
    return frozenset(account for account, _, node in named if account and node == node_id)


def reader_may_see(handling: Handling | None, account: str, node_id: str) -> bool:
    """Whether `account` at `node_id` may see, or even count, an object that this node may have.

    Only TLP:RED asks it of persons, and only at receivers: at the origin its own roles decide.
    """
    if handling is None:
        return False
    if handling.tlp is not Tlp.RED or node_id == handling.origin:
        return True
    return account in readers_at(handling, node_id)


def narrows(old: Handling, new: Handling) -> bool:
    """Whether nobody could have an object labelled `new` who could not have it labelled `old`, in any roster, and
    nobody may do with it what he might not have done before.

    A group is not narrowed to some of its members: they may leave it tomorrow.
    """
    return (
        _same_matter(old) == _same_matter(new)
        and _TLP_ORDER[new.tlp] >= _TLP_ORDER[old.tlp]
        and _PAP_ORDER[new.pap] >= _PAP_ORDER[old.pap]
        and _audience_within(old, new)
        and (old.tlp is not Tlp.RED or new.readers <= old.readers)
        and (new.retain_until == old.retain_until or _is_to_come(old.retain_until, new.retain_until))
    )


def may_widen(handling: Handling, node_id: str) -> bool:
    """Only the origin may."""
    return node_id == handling.origin


def may_relabel(old: Handling, new: Handling, node_id: str) -> bool:
    """Whether `node_id` may put `new` in the place of `old`: anyone narrows for himself, the origin as it likes."""
    return old.origin == new.origin and (may_widen(old, node_id) or narrows(old, new))


def _same_matter(handling: Handling) -> tuple[str, ...]:
    """What a narrower label must leave as it is: it says what the object is, not who may see it."""
    return (
        handling.origin,
        handling.compartment,
        handling.legal_basis,
        handling.purpose,
        handling.personal_data,
        handling.agreement_id,
        handling.context,
    )


def _audience_within(old: Handling, new: Handling) -> bool:
    if new.audience.scope is Scope.NODES and not new.audience.nodes:
        return True
    if not _names_somebody(new):
        return True
    if not _names_somebody(old):
        return False
    if old.audience.scope is Scope.ALL_MEMBERS:
        return True
    if old.audience.scope is not new.audience.scope:
        return False
    return new.audience.nodes <= old.audience.nodes and new.audience.group == old.audience.group


def _has_come(moment: datetime, at: datetime) -> bool:
    """Whether `moment` has come at `at`. Without a time zone on both, it is unknown: no."""
    return moment.tzinfo is not None and at.tzinfo is not None and moment <= at


def _is_to_come(moment: datetime, at: datetime) -> bool:
    """Whether `moment` is still to come at `at`. Without a time zone on both, it is unknown: no."""
    return moment.tzinfo is not None and at.tzinfo is not None and at < moment


_TLP_ORDER = {tlp: rank for rank, tlp in enumerate(Tlp)}
_PAP_ORDER = {pap: rank for rank, pap in enumerate(Pap)}
