"""What happened between us and other ports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from port2port.core.fact import Fact
from port2port.sharing.misp.facts import ALL as MISP
from port2port.sharing.taxii.facts import TAXII


@dataclass(frozen=True, kw_only=True)
class ObjectPublished(Fact):
    """A version of one of our objects stands ready for its readers."""

    audited = True

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

    audited = True

    object_kind: str
    object_id: str
    version: int
    reasons: dict[str, int]
    """Reason -> number of members it holds for."""


@dataclass(frozen=True, kw_only=True)
class ObjectRefused(Fact):
    """Entries of another port were not accepted. One fact per page and reason."""

    audited = True

    origin: str
    origin_name: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True)
class LaneStopped(Fact):
    """What another port sent contradicts itself; we stay at the last entry that was right."""

    audited = True

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

    audited = True

    document_kind: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class MemberInvited(Fact):
    """A code was made with which one organisation can join."""

    audited = True

    invitation: str
    name: str
    expires: datetime


@dataclass(frozen=True, kw_only=True)
class CodeTried(Fact):
    """Somebody called with a short code, right or wrong. After five calls it opens nothing."""

    audited = True

    name: str
    """For whom the code was made."""
    tries_left: int


@dataclass(frozen=True, kw_only=True)
class MemberJoined(Fact):
    """An organisation is new in the network, as far as we know it."""

    audited = True

    node_id: str
    name: str
    sponsor: str


@dataclass(frozen=True, kw_only=True)
class MemberRevoked(Fact):
    """An organisation is no longer in the network."""

    audited = True

    node_id: str
    name: str
    by: str


@dataclass(frozen=True, kw_only=True)
class KeyChanged(Fact):
    """A member signs with another key, or soon will."""

    audited = True

    node_id: str
    name: str
    recovered: bool
    """Officers said so, because the old key was lost or stolen."""


@dataclass(frozen=True, kw_only=True)
class OfficersChanged(Fact):
    """Others decide about membership from now on, or more of them together."""

    audited = True

    version: int
    threshold: int


@dataclass(frozen=True, kw_only=True)
class NetworkChanged(Fact):
    """A group or agreement of the network is new or different."""

    audited = True

    document_kind: str
    by: str


@dataclass(frozen=True, kw_only=True)
class AuditForked(Fact):
    """A node's audit log contradicts what it said before, or what it said to another. The two words are kept."""

    audited = True

    node_id: str
    """Whose log it is; our own when a partner holds something of us that we do not."""
    name: str
    witness: str
    """Node id of the one who holds the other word."""
    size: int
    """Entries in the log, as the witness knows it."""


@dataclass(frozen=True, kw_only=True)
class AuditErased(Fact):
    """The content of audit entries was erased; their places in the log stay."""

    audited = True

    entries: tuple[int, ...]
    reason: str
    account: str


@dataclass(frozen=True, kw_only=True)
class RecallOrdered(Fact):
    """A person took back objects of ours, from everybody who may have them."""

    audited = True

    op: str
    """`withdraw` or `erase`."""
    object_ids: tuple[str, ...]
    reason: str
    account: str


@dataclass(frozen=True, kw_only=True)
class RecallIssued(Fact):
    """What we took back stands ready for those who must drop it."""

    audited = True

    recall: str
    op: str
    count: int
    """Entries that it means."""
    reason: str
    account: str
    holders: tuple[str, ...]
    """Node ids of those who must confirm."""


@dataclass(frozen=True, kw_only=True)
class RecallConfirmed(Fact):
    """A partner vouches, signed, that what we took back is gone there."""

    audited = True

    recall: str
    by: str
    by_name: str
    removed: int


@dataclass(frozen=True, kw_only=True)
class RecallCarriedOut(Fact):
    """We dropped what another port took back."""

    audited = True

    recall: str
    origin: str
    origin_name: str
    op: str
    removed: int


@dataclass(frozen=True, kw_only=True)
class LaneClosed(Fact):
    """We go on in a new connection: somebody left the group, or the old one has two histories."""

    audited = True

    lane: str
    why: str


@dataclass(frozen=True, kw_only=True)
class LaneForked(Fact):
    """Somebody signed two histories of one connection: both signatures are kept."""

    audited = True

    origin: str
    origin_name: str
    lane: str
    sequence: int
    told_by: str


@dataclass(frozen=True, kw_only=True)
class LaneRestored(Fact):
    """We were behind our own word, as after a restored backup, and fetched our entries back from a partner."""

    audited = True

    lane: str
    sequence: int
    """Where it goes on."""
    fetched: int
    told_by: str


@dataclass(frozen=True, kw_only=True)
class ExerciseAccepted(Fact):
    """This node takes part in an exercise."""

    audited = True

    exercise: str
    account: str


@dataclass(frozen=True, kw_only=True)
class ExerciseEnded(Fact):
    """This node no longer takes part in an exercise."""

    audited = True

    exercise: str
    account: str


ALL: tuple[type[Fact], ...] = (
    ExerciseAccepted,
    ExerciseEnded,
    RecallOrdered,
    RecallIssued,
    RecallConfirmed,
    RecallCarriedOut,
    LaneClosed,
    LaneForked,
    LaneRestored,
    ObjectPublished,
    ObjectWithheld,
    ObjectRefused,
    LaneStopped,
    PeerConnected,
    PeerLost,
    DocumentSigned,
    MemberInvited,
    CodeTried,
    MemberJoined,
    MemberRevoked,
    KeyChanged,
    OfficersChanged,
    NetworkChanged,
    AuditForked,
    AuditErased,
    *TAXII,
    *MISP,
)
