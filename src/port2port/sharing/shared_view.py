"""What we share with whom and why, and who has confirmed it, in plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from sqlalchemy import select

from port2port.core.clock import from_ms
from port2port.core.handling import Handling, Pap, Reason, Released, Scope, may_release
from port2port.sharing import ack_tables, envelope, tables, taking_back
from port2port.sharing.ack_tables import AckRow
from port2port.sharing.documents import Member
from port2port.sharing.lane import Lane, handling_of
from port2port.sharing.roster import Network
from port2port.sharing.status import Statuses
from port2port.store import Reading
from port2port.store.types import from_us, to_us

PAGE_OBJECTS = 50
MAX_WITHHELD = 20

_ENTRIES = (
    "SELECT e.object_id, e.version, e.lane, e.sequence, e.ts_ms, e.retain_until FROM sharing_entry e"
    " WHERE e.object_id IN ({}) AND e.verdict = 'own' ORDER BY e.object_id, e.version, e.ts_ms"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A handling label in the words of the network."""

    tlp: str
    pap: Pap
    scope: str
    names: tuple[str, ...]
    """Of the organisations, with scope `nodes`; of the group, with scope `group`."""
    agreement: str
    """Title."""
    legal_basis: str
    purpose: str
    personal_data: str
    context: str
    retain_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version as it stands ready for its readers."""

    version: int
    lane: bytes
    sequence: int
    at: datetime
    handling: Handling


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedObject:
    """One object of ours."""

    object_id: str
    kind: str
    version: int
    at: datetime
    versions: tuple[Version, ...]
    """Oldest first; empty when it was taken back, or its retention is over."""
    label: Label | None
    """Of the newest version."""
    confirmed: int
    """Of those who may read the newest version now."""
    readers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How it stands with one member and one object."""

    node_id: str
    name: str
    why: str
    """The rule that lets it read; empty when it may not."""
    reason: str
    """Why it may not; empty when it may."""
    confirmed: bool
    """It has read up to the newest version, also when it may no longer."""
    last_confirmed: datetime | None
    """When it last confirmed anything of this connection."""
    state: str
    since: datetime | None
    behind: int
    refused: Mapping[str, int]
    """What it refused of this connection, reason -> how many entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A version that went to nobody."""

    object_id: str
    version: int
    at: datetime
    reasons: Mapping[str, int]
    """Reason -> number of members it holds for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list begins: after the object that changed at this moment."""

    at_us: int
    object_id: str


def newest(
    view: Reading, network: Network, me: str, now: datetime, after: Place | None = None, limit: int = PAGE_OBJECTS
) -> list[SharedObject]:
    """Our objects, newest change first."""
    rows = _object_rows(view, me, after, limit)
    versions = _versions(view, [object_id for object_id, *_ in rows])
    acks = {(each.peer, each.lane): each for each in ack_tables.all_acks(view)}
    return [_object(row, versions.get(row[0], ()), network, me, now, acks) for row in rows]


def place_of(each: SharedObject) -> Place:
    return Place(to_us(each.at), each.object_id)


def find(view: Reading, network: Network, me: str, now: datetime, object_id: str) -> SharedObject | None:
    """One object of ours, also after it was withdrawn."""
    at = tables.objects.c
    query = select(at.object_id, at.kind, at.version, at.at).where(at.origin == me, at.object_id == object_id)
    row = view.execute(query).first()
    if row is None:
        return None
    acks = {(each.peer, each.lane): each for each in ack_tables.all_acks(view)}
    return _object(tuple(row), _versions(view, [object_id]).get(object_id, ()), network, me, now, acks)


def readers(
    view: Reading, known: SharedObject, network: Network, me: str, now: datetime, statuses: Statuses
) -> list[Reader]:
    """Every other member by name: may it read the newest version, and has it."""
    if not known.versions:
        return []
    newest_one = known.versions[-1]
    acks = {each.peer: each for each in ack_tables.all_acks(view) if each.lane == newest_one.lane}
    row = tables.find_lane(view, newest_one.lane)
    head = row.cursor.sequence if row else 0
    return [
        _reader(each, newest_one, acks.get(each.node_id), head, network, now, statuses) for each in network.others(me)
    ]


def asked(view: Reading, known: SharedObject, network: Network, me: str, now: datetime) -> list[str]:
    """Names of those who will be asked to drop it, when it is taken back now."""
    found: set[str] = set()
    firsts: dict[bytes, int] = {}
    for each in known.versions:
        firsts[each.lane] = min(each.sequence, firsts.get(each.lane, each.sequence))
    for lane, first in firsts.items():
        row = tables.find_lane(view, lane)
        assert row is not None
        found |= taking_back.holders_of(view, row.lane, first, network, me, now)
    return sorted(network.members[each].name for each in found)


def withheld(view: Reading) -> list[Withheld]:
    """What was offered and went to nobody, newest first."""
    at = tables.withheld.c
    query = select(tables.withheld).order_by(at.at.desc(), at.object_id, at.version.desc()).limit(MAX_WITHHELD)
    return [
        Withheld(
            object_id=row.object_id,
            version=row.version,
            at=row.at,
            reasons=msgspec.json.decode(row.reasons, type=dict[str, int]),
        )
        for row in view.execute(query)
    ]


def label_in_words(handling: Handling, network: Network) -> Label:
    """Names and titles in the place of ids."""
    audience = handling.audience
    names: list[str] = []
    if audience.scope is Scope.NODES:
        names = sorted(network.members[each].name for each in audience.nodes if each in network.members)
    elif audience.scope is Scope.GROUP and audience.group in network.roster.groups:
        names = [network.roster.groups[audience.group].name]
    agreement = network.roster.agreements.get(handling.agreement_id)
    return Label(
        tlp=handling.tlp.value,
        pap=handling.pap,
        scope=audience.scope.value,
        names=tuple(names),
        agreement=agreement.title if agreement else "",
        legal_basis=handling.legal_basis.value,
        purpose=handling.purpose.value,
        personal_data=handling.personal_data.value,
        context=handling.context,
        retain_until=handling.retain_until,
    )


def _object_rows(view: Reading, me: str, after: Place | None, limit: int) -> list[tuple[str, str, int, datetime]]:
    at = tables.objects.c
    query = select(at.object_id, at.kind, at.version, at.at).where(at.origin == me)
    if after is not None:
        moment = from_us(after.at_us)
        query = query.where((at.at < moment) | ((at.at == moment) & (at.object_id > after.object_id)))
    query = query.order_by(at.at.desc(), at.object_id).limit(limit)
    return [(row.object_id, row.kind, row.version, row.at) for row in view.execute(query)]


def _versions(view: Reading, object_ids: Sequence[str]) -> dict[str, tuple[Version, ...]]:
    if not object_ids:
        return {}
    lanes: dict[bytes, Lane] = {}
    found: dict[str, list[Version]] = {}
    rows = view.rows(_ENTRIES.format(",".join("?" * len(object_ids))), tuple(object_ids))
    for object_id, version, lane, sequence, ts_ms, until in rows:
        lane = bytes(lane)
        if lane not in lanes:
            known = tables.find_lane(view, lane)
            assert known is not None
            lanes[lane] = known.lane
        handling = _signed(view, lane, sequence) or handling_of(lanes[lane])
        if until is not None:
            handling = replace(handling, retain_until=from_us(until))
        one = Version(version=version, lane=lane, sequence=sequence, at=from_ms(ts_ms), handling=handling)
        found.setdefault(object_id, []).append(one)
    return {object_id: tuple(each) for object_id, each in found.items()}


def _signed(view: Reading, lane: bytes, sequence: int) -> Handling | None:
    """The label inside the signed bytes, which says more than the connection's (PAP); None when the body is gone."""
    found = tables.entries_after(view, lane, sequence - 1, 1)
    body = found[0].entry.body if found else None
    return None if body is None else envelope.decode(body).handling


def _object(
    row: tuple[str, str, int, datetime],
    versions: Sequence[Version],
    network: Network,
    me: str,
    now: datetime,
    acks: Mapping[tuple[str, bytes], AckRow],
) -> SharedObject:
    object_id, kind, version, at = row
    may = [
        each.node_id for each in network.others(me) if versions and _reason(versions[-1], each, network, now) is None
    ]
    has = [each for each in may if _has(versions[-1], acks.get((each, versions[-1].lane)))]
    return SharedObject(
        object_id=object_id,
        kind=kind,
        version=version,
        at=at,
        versions=tuple(versions),
        label=label_in_words(versions[-1].handling, network) if versions else None,
        confirmed=len(has),
        readers=len(may),
    )


def _reader(
    member: Member,
    one: Version,
    ack: AckRow | None,
    head: int,
    network: Network,
    now: datetime,
    statuses: Statuses,
) -> Reader:
    status, reason = statuses.of(member.node_id), _reason(one, member, network, now)
    return Reader(
        node_id=member.node_id,
        name=member.name,
        why="" if reason else one.handling.audience.scope.value,
        reason=reason.value if reason else "",
        confirmed=_has(one, ack),
        last_confirmed=ack.at if ack else None,
        state="connected" if status.connected else "away" if status.since else "unknown",
        since=status.since,
        behind=head - (ack.sequence if ack else 0),
        refused=ack.refused if ack else {},
    )


def _reason(one: Version, member: Member, network: Network, now: datetime) -> Reason | None:
    answer = may_release(one.handling, member.node_id, one.handling.purpose, now, network.roster)
    return None if isinstance(answer, Released) else answer.reason


def _has(one: Version, ack: AckRow | None) -> bool:
    return ack is not None and ack.sequence >= one.sequence
