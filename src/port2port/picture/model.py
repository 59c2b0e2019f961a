"""The life of an alert on the console, folded from its facts. Pure.

open → acknowledged → closed. What happened (raised, repeated, worsened, ended) comes from the capability
that saw it; what people did (acknowledged, closed) comes from the console. The row is the fold of the
journal and nothing else, so every node, every replay and every restart shows the same queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from port2port.core.alert import (
    AlertAcknowledged,
    AlertClosed,
    AlertEnded,
    AlertRaised,
    AlertRepeated,
    AlertWorsened,
    Priority,
)
from port2port.core.errors import BadInput, Conflict
from port2port.core.fact import Fact, Recorded
from port2port.core.place import Position

FACTS: tuple[type[Fact], ...] = (
    AlertRaised,
    AlertRepeated,
    AlertWorsened,
    AlertEnded,
    AlertAcknowledged,
    AlertClosed,
)
"""What the life of an alert is made of."""

CAUSES = (
    "picture.cause.handled",
    "picture.cause.harmless",
    "picture.cause.false",
    "picture.cause.test",
)
"""Why an alert is closed: word keys."""


class State(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One episode as the queue shows it."""

    raised: AlertRaised
    state: State = State.OPEN
    priority: Priority
    """The worst so far."""
    sentence: str
    values: dict[str, str] = field(default_factory=dict)
    count: int = 1
    position: Position | None = None
    rang_at: datetime
    """When it last asked for somebody: raised, or made worse."""
    changed_at: datetime
    number: int
    """Journal number of the newest entry in it."""
    rang_number: int
    """Journal number of the entry that last asked for somebody."""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
    cause: str = ""

    @property
    def id(self) -> str:
        return self.raised.alert_id


def fold(known: Alert | None, entry: Recorded) -> Alert | None:
    """The alert after one more entry about it; the same object when the entry changes nothing.

    None stays None unless the entry raises the alert: what was never raised cannot repeat.
    """
    fact = entry.fact
    if known is None:
        return _raised(fact, entry.number) if isinstance(fact, AlertRaised) else None
    if entry.number <= known.number or known.state is State.CLOSED:
        return known
    match fact:
        case AlertRepeated():
            changed = replace(known, count=max(known.count, fact.count), position=fact.position or known.position)
        case AlertWorsened():
            changed = _worsened(known, fact, entry.number)
        case AlertEnded():
            changed = replace(known, ended_at=fact.at, ended_reason=fact.reason)
        case AlertAcknowledged() if known.state is State.OPEN:
            changed = replace(known, state=State.ACKNOWLEDGED, acknowledged_by=fact.account, acknowledged_at=fact.at)
        case AlertClosed():
            changed = replace(known, state=State.CLOSED, closed_by=fact.account, closed_at=fact.at, cause=fact.cause)
        case _:
            return known
    return replace(changed, number=entry.number, changed_at=fact.at)


def fold_all(known: Alert | None, entries: Iterable[Recorded]) -> Alert | None:
    """The alert after these entries, in journal order."""
    for entry in entries:
        known = fold(known, entry)
    return known


def alert_id_of(entry: Recorded) -> str:
    """Which alert an entry is about; empty for none."""
    found = getattr(entry.fact, "alert_id", "")
    return found if isinstance(found, str) else ""


def acknowledge(known: Alert, account: str, now: datetime, seen: int | None = None) -> AlertAcknowledged | None:
    """Somebody takes it on. None: it was acknowledged before, whoever did it.

    `seen` is the journal number of what stood on his screen. Raises `Conflict` when the alert is closed, or
    got worse after that: nobody acknowledges what he has not seen.
    """
    if known.state is State.CLOSED:
        raise Conflict("picture.error.closed", hint="picture.error.closed.hint")
    if seen is not None and known.rang_number > seen:
        raise Conflict("picture.error.worse", hint="picture.error.worse.hint")
    if known.state is State.ACKNOWLEDGED:
        return None
    return AlertAcknowledged(at=now, alert_id=known.id, account=account)


def close(known: Alert, account: str, cause: str, now: datetime, seen: int | None = None) -> AlertClosed | None:
    """Somebody is done with it, and says why. None: he had closed it so before.

    Raises `BadInput` for a cause that is not on the list, `Conflict` when it was closed by somebody else or for
    another cause, or got worse after entry `seen`.
    """
    if cause not in CAUSES:
        raise BadInput("picture.error.cause", hint="picture.error.cause.hint")
    if known.state is State.CLOSED:
        if (known.closed_by, known.cause) == (account, cause):
            return None
        raise Conflict("picture.error.closed", hint="picture.error.closed.hint")
    if seen is not None and known.rang_number > seen:
        raise Conflict("picture.error.worse", hint="picture.error.worse.hint")
    return AlertClosed(at=now, alert_id=known.id, account=account, cause=cause)


def _raised(fact: AlertRaised, number: int) -> Alert:
    return Alert(
        raised=fact,
        priority=fact.priority,
        sentence=fact.sentence,
        values=fact.values,
        position=fact.position,
        rang_at=fact.at,
        changed_at=fact.at,
        number=number,
        rang_number=number,
    )


def _worsened(known: Alert, fact: AlertWorsened, number: int) -> Alert:
    """It rings again, also for him who had acknowledged it; and it is not over."""
    return replace(
        known,
        state=State.OPEN,
        priority=min(known.priority, fact.priority),
        sentence=fact.sentence,
        values=fact.values,
        position=fact.position or known.position,
        rang_at=fact.at,
        rang_number=number,
        acknowledged_by="",
        acknowledged_at=None,
        ended_at=None,
        ended_reason="",
    )
