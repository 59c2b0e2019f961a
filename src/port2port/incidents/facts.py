"""What happened to an incident. Titles, texts and notes are not here: they stay in the tables, and can be forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.fact import Fact


@dataclass(frozen=True, kw_only=True)
class IncidentReported(Fact):
    """A person told us, or made an incident of an alert."""

    incident_id: str
    reference: str
    incident_kind: str
    priority: int
    source_alert_id: str
    """Empty: a person's report."""
    account: str


@dataclass(frozen=True, kw_only=True)
class IncidentTriaged(Fact):
    """Somebody judged what it is and how bad."""

    incident_id: str
    incident_kind: str
    priority: int
    account: str


@dataclass(frozen=True, kw_only=True)
class IncidentAssigned(Fact):
    """It is somebody's: a role's or an account's."""

    incident_id: str
    role: str
    assignee: str
    account: str


@dataclass(frozen=True, kw_only=True)
class IncidentNoted(Fact):
    """Somebody wrote something down. The text is in the timeline, under `entry`."""

    incident_id: str
    entry: int
    goes_along: bool
    """The note is sent when the incident is shared."""
    account: str


@dataclass(frozen=True, kw_only=True)
class IncidentClosed(Fact):
    """It is over, for this reason."""

    incident_id: str
    cause: str
    account: str


@dataclass(frozen=True, kw_only=True)
class IncidentShared(Fact):
    """A version of it was offered to the network; `ObjectOffered` in the same transaction says to whom."""

    audited = True

    incident_id: str
    version: int
    recipients: tuple[str, ...]
    """Node ids that were shown, by name, to the person who shared it."""
    account: str


@dataclass(frozen=True, kw_only=True)
class IncidentReceived(Fact):
    """A version of another organisation's incident was read and stored as a copy."""

    incident_id: str
    origin: str
    version: int
    incident_kind: str
    priority: int


FACTS: tuple[type[Fact], ...] = (
    IncidentReported,
    IncidentTriaged,
    IncidentAssigned,
    IncidentNoted,
    IncidentClosed,
    IncidentShared,
    IncidentReceived,
)
