"""An incident and the verbs that change it. Pure: each verb answers a `Change`, or says why not.

reported → triaged → assigned → closed. Assigning does not need triage first, closing needs neither: at night one
person does all of it. A copy of another organisation's incident is read-only: only its origin changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from port2port.core.alert import AlertRaised, Priority
from port2port.core.errors import BadInput, Conflict
from port2port.core.exchange import ObjectOffered
from port2port.core.fact import Fact
from port2port.core.handling import Handling
from port2port.core.party import Actor, Role
from port2port.core.place import Position
from port2port.incidents import facts
from port2port.incidents.limits import MAX_ENTRIES

OBJECT_KIND = "incident"
"""Our word in `ObjectOffered` and `ObjectArrived`."""


class Kind(StrEnum):
    """What kind of thing happened. There is no published port-crime vocabulary: this one is ours."""

    DROP_OFF = "drop-off-at-sea"
    VESSEL_ADRIFT = "vessel-adrift"
    FENCE_CUT = "fence-cut"
    INTRUDER = "intruder"
    CONTAINER = "suspicious-container"
    DRONE = "drone"
    THEFT = "theft"
    CYBER = "cyber"
    OTHER = "other"


class Status(StrEnum):
    """Where it stands."""

    REPORTED = "reported"
    TRIAGED = "triaged"
    ASSIGNED = "assigned"
    CLOSED = "closed"


class Cause(StrEnum):
    """What came of it: what the reporter hears back."""

    MEASURE_TAKEN = "measure-taken"
    HANDED_TO_POLICE = "handed-to-police"
    HARMLESS = "harmless"
    NOT_CONFIRMED = "not-confirmed"
    FALSE_ALARM = "false-alarm"
    DUPLICATE = "duplicate"


class Origin(StrEnum):
    """Whose it is."""

    OWN = "own"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where, in words and, if known, on the map."""

    name: str
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedNote:
    """A note that goes along: when, and what; who wrote it stays with the origin."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is known of one incident now."""

    id: str
    reference: str
    """Its number at the organisation that made it, e.g. `OST-2026-0007`."""
    kind: Kind
    title: str
    description: str
    """What was seen, in the reporter's words."""
    place: Place
    observed_at: datetime
    reported_at: datetime
    reported_by: str
    """Account; empty for a copy: who saw it stays with the origin."""
    status: Status = Status.REPORTED
    priority: Priority = Priority.MEDIUM
    assigned_role: str = ""
    assigned_account: str = ""
    cause: Cause | None = None
    origin: Origin = Origin.OWN
    source_alert_id: str = ""
    draft_id: str = ""
    """The form it came from: the same form sent twice is one incident."""
    changed_at: datetime
    entries: int = 0
    """Length of the timeline."""
    version: int = 0
    """The version last shared, or last received; 0: never shared."""
    unsent: bool = False
    """Something that receivers see has changed since."""
    handling: Handling | None = None
    """The label under which it was last shared, or came."""
    origin_id: str = ""
    """Node id of the origin of a copy."""
    origin_name: str = ""
    alert_id: str = ""
    """The alert that stands in our queue for a copy."""
    notes: tuple[SharedNote, ...] = ()
    """Notes that came with a copy. Those of our own stand in the timeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a timeline: who, when, what."""

    number: int
    at: datetime
    what: str
    """Word key, filled from `values` and from the translations of `words`."""
    account: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    """Placeholder -> word key."""
    text: str = ""
    """What a person wrote."""
    goes_along: bool = False
    """Sent when the incident is shared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a verb decided: the incident as it now is, its new line, and what to tell the rest of the node."""

    incident: Incident
    entry: Entry
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a person or an alert tells."""

    kind: Kind
    title: str
    description: str
    place: Place
    observed_at: datetime
    priority: Priority = Priority.MEDIUM
    source_alert_id: str = ""
    draft_id: str = ""


def report(what: Report, incident_id: str, reference: str, actor: Actor, now: datetime) -> Change:
    """Take in a report. Raises `BadInput` for one from the future."""
    if what.observed_at > now:
        raise BadInput("incidents.error.future", hint="incidents.error.future.hint")
    incident = Incident(
        id=incident_id,
        reference=reference,
        kind=what.kind,
        title=what.title,
        description=what.description,
        place=what.place,
        observed_at=what.observed_at,
        reported_at=now,
        reported_by=actor.account,
        priority=what.priority,
        source_alert_id=what.source_alert_id,
        draft_id=what.draft_id,
        changed_at=now,
    )
    fact = facts.IncidentReported(
        at=now,
        incident_id=incident_id,
        reference=reference,
        incident_kind=what.kind,
        priority=what.priority,
        source_alert_id=what.source_alert_id,
        account=actor.account,
    )
    word = "incidents.entry.from-alert" if what.source_alert_id else "incidents.entry.reported"
    return _changed(incident, now, actor, word, facts=(fact,), seen_by_receivers=False)


def triage(known: Incident, kind: Kind, priority: Priority, actor: Actor, now: datetime) -> Change:
    """Judge what it is and how bad. Raises `Conflict` when it is closed or not ours."""
    _require_open(known)
    status = Status.TRIAGED if known.status is Status.REPORTED else known.status
    fact = facts.IncidentTriaged(
        at=now, incident_id=known.id, incident_kind=kind, priority=priority, account=actor.account
    )
    words = {"kind": f"incidents.kind.{kind}", "priority": f"web.priority.{priority.value}"}
    changed = replace(known, kind=kind, priority=priority, status=status)
    return _changed(changed, now, actor, "incidents.entry.triaged", words=words, facts=(fact,))


def assign(known: Incident, role: Role | None, account: str, actor: Actor, now: datetime) -> Change:
    """Make it a role's or an account's. Raises `Conflict` when it is closed or not ours, `BadInput` for nobody."""
    _require_open(known)
    if (role is None) == (not account):
        raise BadInput("incidents.error.assignee", hint="incidents.error.assignee.hint")
    named = role.value if role else ""
    if known.status is Status.ASSIGNED and (known.assigned_role, known.assigned_account) == (named, account):
        raise Conflict("incidents.error.assigned-already")
    fact = facts.IncidentAssigned(at=now, incident_id=known.id, role=named, assignee=account, account=actor.account)
    changed = replace(known, status=Status.ASSIGNED, assigned_role=named, assigned_account=account)
    if role is not None:
        return _changed(
            changed, now, actor, "incidents.entry.assigned", words={"who": f"web.role.{named}"}, facts=(fact,)
        )
    if account == actor.account:
        return _changed(changed, now, actor, "incidents.entry.taken", facts=(fact,))
    return _changed(changed, now, actor, "incidents.entry.assigned", values={"who": account}, facts=(fact,))


def note(known: Incident, text: str, goes_along: bool, actor: Actor, now: datetime) -> Change:
    """Write something down, also after it was closed. Raises `BadInput` when empty, `Conflict` when not ours."""
    _require_own(known)
    if not text:
        raise BadInput("incidents.error.note-empty")
    if known.entries >= MAX_ENTRIES:
        raise Conflict("incidents.error.full", hint="incidents.error.full.hint")
    fact = facts.IncidentNoted(
        at=now, incident_id=known.id, entry=known.entries + 1, goes_along=goes_along, account=actor.account
    )
    return _changed(
        known, now, actor, "incidents.entry.noted", text=text, facts=(fact,),
        seen_by_receivers=goes_along, goes_along=goes_along,
    )  # fmt: skip


def close(known: Incident, cause: Cause, actor: Actor, now: datetime) -> Change:
    """Be done with it. Raises `Conflict` when it is closed or not ours."""
    _require_open(known)
    fact = facts.IncidentClosed(at=now, incident_id=known.id, cause=cause, account=actor.account)
    words = {"cause": f"incidents.cause.{cause}"}
    changed = replace(known, status=Status.CLOSED, cause=cause)
    return _changed(changed, now, actor, "incidents.entry.closed", words=words, facts=(fact,))


def share(known: Incident, handling: Handling, to: Mapping[str, str], actor: Actor, now: datetime) -> Change:
    """Offer the next version to the network. `to`: node id -> name of those who will receive it.

    Raises `Conflict` when it is not ours to share, or nobody would receive it.
    """
    _require_own(known)
    if not to:
        raise Conflict("incidents.error.nobody", hint="incidents.error.nobody.hint")
    version = known.version + 1
    shared = facts.IncidentShared(
        at=now, incident_id=known.id, version=version, recipients=tuple(sorted(to)), account=actor.account
    )
    offered = ObjectOffered(
        at=now,
        object_kind=OBJECT_KIND,
        object_id=known.id,
        version=version,
        handling=handling,
        urgent=known.priority <= Priority.HIGH,
        account=actor.account,
    )
    changed = replace(known, version=version, handling=handling)
    values = {"tlp": handling.tlp.value, "version": str(version), "names": ", ".join(sorted(to.values()))}
    word = "incidents.entry.shared" if version == 1 else "incidents.entry.shared-again"
    change = _changed(changed, now, actor, word, values=values, facts=(shared, offered))
    return replace(change, incident=replace(change.incident, unsent=False))


def kind_of(alert: AlertRaised) -> Kind:
    """The kind that an alert suggests; a person may say otherwise at triage."""
    if alert.rule.rpartition(".")[2] == "drift":
        return Kind.VESSEL_ADRIFT
    return {"drones": Kind.DRONE, "cyber": Kind.CYBER, "cameras": Kind.INTRUDER}.get(alert.capability, Kind.OTHER)


def is_open(known: Incident) -> bool:
    return known.status is not Status.CLOSED


def _require_own(known: Incident) -> None:
    if known.origin is not Origin.OWN:
        raise Conflict("incidents.error.not-ours", hint="incidents.error.not-ours.hint")


def _require_open(known: Incident) -> None:
    _require_own(known)
    if not is_open(known):
        raise Conflict("incidents.error.closed", hint="incidents.error.closed.hint")


def _changed(
    incident: Incident,
    now: datetime,
    actor: Actor,
    what: str,
    *,
    facts: tuple[Fact, ...],
    values: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
    text: str = "",
    seen_by_receivers: bool = True,
    goes_along: bool = False,
) -> Change:
    number = incident.entries + 1
    entry = Entry(
        number=number,
        at=now,
        what=what,
        account=actor.account,
        values=values or {},
        words=words or {},
        text=text,
        goes_along=goes_along,
    )
    unsent = incident.unsent or (seen_by_receivers and incident.version > 0)
    return Change(incident=replace(incident, changed_at=now, entries=number, unsent=unsent), entry=entry, facts=facts)
