"""A program account, and what it may read. Pure."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from port2port.core.errors import DecodeError
from port2port.core.handling import Handling, Purpose, Released, Scope, Tlp, may_release, readers_at
from port2port.sharing.lane import NETWORK, Class, Lane, handling_of
from port2port.sharing.roster import Network

_RANK = {tlp: rank for rank, tlp in enumerate(Tlp)}
_MAX_KNOWN_LABELS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A program that reads from this node, or hands in."""

    name: str
    may_read: bool
    may_write: bool
    purpose: Purpose
    """What it may use objects for: it sees those that are meant for just this."""
    max_tlp: Tlp
    """The narrowest label that it may see. TLP:RED needs a reader's name on the object besides."""
    created: datetime


def may_read_lane(account: Account, lane: Lane, network: Network, me: str, now: datetime) -> bool:
    """Whether the account may read, or even count, what travels in a lane.

    The node itself must be allowed to have it at this moment, for this account's purpose; the rest is the account's
    own bound. Everything in a lane has the same label but for its retention date, so this holds for each object.
    """
    if not account.may_read or lane.audience == NETWORK:
        return False
    label = label_of(lane)
    if label is None or _RANK[label.tlp] > _RANK[account.max_tlp]:
        return False
    if label.tlp is Tlp.RED and account.name not in readers_at(label, me):
        return False
    return isinstance(may_release(label, me, account.purpose, now, network.roster), Released)


@lru_cache(_MAX_KNOWN_LABELS)
def label_of(lane: Lane) -> Handling | None:
    """The label of a lane's objects; None when it cannot be read, and then nothing of the lane is shown."""
    try:
        return handling_of(lane)
    except DecodeError:
        return None


def title_of(lane: Lane, network: Network) -> str:
    """In plain words: whose, for whom, how narrow, what for."""
    label = label_of(lane)
    assert label is not None, "only what may be read has a title"
    urgent = ", urgent" if lane.urgency is Class.FLASH else ""
    exercise = "" if label.context == "live" else ", exercise"
    purpose = label.purpose.value.replace("-", " ")
    party = network.roster.parties.get(lane.origin)
    whose = f"{party.name if party else network.name(lane.origin)} for {_audience(label, network)}"
    return f"{whose}: {label.tlp.value}, {purpose}{urgent}{exercise}"


def _audience(label: Handling, network: Network) -> str:
    if label.audience.scope is Scope.ALL_MEMBERS:
        return "all members"
    if label.audience.scope is Scope.GROUP:
        group = network.roster.groups.get(label.audience.group)
        return group.name if group else "a group"
    count = len(label.audience.nodes)
    return f"{count} named {'member' if count == 1 else 'members'}"


def lane_uuid(lane: bytes) -> str:
    """The TAXII id of a lane's collection: it follows from the lane, and says nothing of other lanes."""
    return str(uuid.UUID(bytes=lane, version=4))


def own_uuid(node: str, account: str, word: str) -> str:
    """The TAXII id of a collection that belongs to one account."""
    digest = hashlib.sha256(f"port2port taxii\0{node}\0{account}\0{word}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
