"""Whether a page follows from what we have, and whether one entry may be accepted. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from port2port.core.handling import Handling, Reason, Scope, Withheld, may_release
from port2port.sharing import entry
from port2port.sharing.entry import Checkpoint, Cursor, Entry
from port2port.sharing.envelope import Envelope
from port2port.sharing.lane import NETWORK, Lane, audience_of, member_of
from port2port.sharing.limits import MAX_PAGE_ENTRIES
from port2port.sharing.roster import Network


class Broken(StrEnum):
    """Why a lane stops: what came contradicts itself, or what we have. Never skipped, never guessed."""

    GAP = "gap"
    FORK = "fork"
    WRONG_SIGNATURE = "wrong-signature"
    WRONG_CONTENT = "wrong-content"
    """Salt and body are not what the header commits to."""
    TOO_OLD = "too-old"


@dataclass(frozen=True, slots=True)
class Followed:
    """The new entries of a page, each with the chain value after it."""

    entries: Sequence[tuple[Entry, bytes]]
    checkpoint: Checkpoint


def follow_page(
    cursor: Cursor,
    entries: Sequence[Entry],
    checkpoint: Checkpoint,
    keys: Sequence[bytes],
    chain_at: Callable[[int], bytes | None],
    base: int = 0,
) -> Followed | Broken:
    """Check a page against the cursor; entries we have already are compared and left out.

    `keys`: the origin's public keys. `chain_at`: our chain value at a number not after the cursor. `base`: up to this
    number we began from a live set, and have nothing to compare with.
    """
    first = entries[0].header.sequence
    if first > cursor.sequence + 1:
        return Broken.GAP
    if first <= base:
        entries = [each for each in entries if each.header.sequence > cursor.sequence]
        first = cursor.sequence + 1
    start = cursor if first == cursor.sequence + 1 else Cursor(first - 1, chain_at(first - 1) or b"")
    at, new = start, []
    for each in entries:
        if each.header.sequence != at.sequence + 1:
            return Broken.GAP
        at = entry.follow(at, each.header)
        if at.sequence <= cursor.sequence:
            if at.chain != chain_at(at.sequence):
                return Broken.FORK if signed_by_any(checkpoint, keys) else Broken.WRONG_SIGNATURE
        elif not each.holds():
            return Broken.WRONG_CONTENT
        else:
            new.append((each, at.chain))
    if at.chain != checkpoint.chain or not signed_by_any(checkpoint, keys):
        return Broken.WRONG_SIGNATURE
    return Followed(new, checkpoint)


def signed_by_any(checkpoint: Checkpoint, keys: Sequence[bytes]) -> bool:
    """Whether the origin signed it, with the key of now or one that still counts."""
    return any(entry.is_signed_by(checkpoint, key) for key in keys)


@dataclass(frozen=True, slots=True)
class KnownObject:
    """The newest version of an object that we hold."""

    version: int
    digest: bytes
    """SHA-256 of its exact bytes."""


MAY_HEAL = frozenset(
    {
        Reason.NO_AGREEMENT,
        Reason.NOT_PARTY_TO_AGREEMENT,
        Reason.UNKNOWN_GROUP,
        Reason.UNKNOWN_EXERCISE,
        Reason.NOT_A_MEMBER,
    }
)
"""Reasons that a document or decision still under way may take back: such entries wait."""


REASONS = frozenset(
    {
        *(reason.value for reason in Reason),
        "not-its-origin",
        "handling-differs",
        "changed-without-new-version",
        "unknown-operation",
        "bad-envelope",
        "bad-recall",
        "bad-document",
        "document-too-large",
        "body-too-large",
        "wrong-signer",
        "may-not-invite",
        "may-not-revoke",
        "same-id-other-text",
        "not-an-officer",
        "older-root",
        "later-root",
        "older-key",
        "unknown-member",
    }
)
"""All reasons for which an entry is refused; a peer's word for any other is `OTHER`."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Accept:
    """A new version for us."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing new, and nothing wrong: `repeated`, `older`."""

    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not accepted. `waits`: it may be, once we know more of the network."""

    reason: str
    waits: bool = False


Judgement = Accept | Pass | Refuse


Judge = Callable[[Envelope, KnownObject | None], Judgement]


def judge_for(lane: Lane, us: str, network: Network, now: datetime) -> Judge:
    """The rule for the objects of one lane. All its labels are alike but for the retention date, so what the roster
    says is asked once for each date."""
    answers: dict[Handling, Refuse | None] = {}
    last: tuple[Handling | None, Refuse | None] = (None, None)

    def judge_one(envelope: Envelope, known: KnownObject | None) -> Judgement:
        nonlocal last
        handling = envelope.handling
        if envelope.origin != lane.origin:
            return Refuse("not-its-origin")
        if handling is None or lane.audience == NETWORK or member_of(lane.audience):
            return Refuse(Reason.UNMARKED.value)
        if handling is not last[0]:
            if handling not in answers:
                if len(answers) > MAX_PAGE_ENTRIES:
                    answers.clear()
                answers[handling] = _judge_label(handling, lane, us, network, now)
            last = handling, answers[handling]
        return last[1] or _judge_version(envelope, known)

    return judge_one


def _judge_label(handling: Handling, lane: Lane, us: str, network: Network, now: datetime) -> Refuse | None:
    if handling.origin != lane.origin:
        return Refuse("not-its-origin")
    if audience_of(handling) != lane.audience:
        return Refuse("handling-differs")
    answer = may_release(handling, us, handling.purpose, now, network.roster)
    if not isinstance(answer, Withheld):
        return None
    heals = answer.reason in MAY_HEAL
    heals = heals or (answer.reason is Reason.NOT_IN_AUDIENCE and handling.audience.scope is Scope.GROUP)
    return Refuse(answer.reason.value, waits=heals)


def _judge_version(envelope: Envelope, known: KnownObject | None) -> Judgement:
    if known is None or envelope.version > known.version:
        return Accept()
    if envelope.version < known.version:
        return Pass("older")
    same = hashlib.sha256(bytes(envelope.object)).digest() == known.digest
    return Pass("repeated") if same else Refuse("changed-without-new-version")
