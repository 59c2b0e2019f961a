"""How an alert, and a change of one, reads to the browser: small JSON in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from port2port.core.alert import (
    AlertAcknowledged,
    AlertClosed,
    AlertEnded,
    AlertRaised,
    AlertRepeated,
    AlertWorsened,
)
from port2port.core.clock import to_ms
from port2port.core.fact import Recorded
from port2port.core.place import Position
from port2port.picture.model import Alert, State

Json = dict[str, object]


class Say(Protocol):
    """Words in one language."""

    def __call__(self, key: str, /, **values: object) -> str: ...


def alert_json(alert: Alert, say: Say) -> Json:
    """The whole alert as the queue and the detail need it. Times are milliseconds since 1970."""
    return {
        **_raised(alert.raised, say),
        "state": alert.state.value,
        "priority": int(alert.priority),
        "sentence": _sentence(say, alert.sentence, alert.values),
        "count": alert.count,
        "position": _position(alert.position),
        "rang_at": to_ms(alert.rang_at),
        "number": alert.number,
        "seen": alert.rang_number,
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_at": to_ms(alert.acknowledged_at) if alert.acknowledged_at else None,
        "ended_at": to_ms(alert.ended_at) if alert.ended_at else None,
        "ended": say(alert.ended_reason) if alert.ended_reason else "",
    }


def change_json(entry: Recorded, say: Say) -> tuple[str, Json] | None:
    """Event name and what changed, for the live stream; None for an entry that is not about an alert.

    The browser lays the change over what it has; entries carry everything that is needed for that, so that
    nobody waits for the table.
    """
    number, fact = entry.number, entry.fact
    match fact:
        case AlertRaised():
            return "added", _added(fact, number, say)
        case AlertRepeated():
            return "changed", {**_about(fact.alert_id, number), "count": fact.count, **_moved(fact.position)}
        case AlertWorsened():
            return "changed", _worsened(fact, number, say)
        case AlertEnded():
            ended = {"ended_at": to_ms(fact.at), "ended": say(fact.reason)}
            return "changed", {**_about(fact.alert_id, number), **ended}
        case AlertAcknowledged():
            taken = {"acknowledged_by": fact.account, "acknowledged_at": to_ms(fact.at)}
            return "changed", {**_about(fact.alert_id, number), "state": State.ACKNOWLEDGED.value, **taken}
        case AlertClosed():
            closed = {"closed_by": fact.account, "closed_at": to_ms(fact.at), "cause": say(fact.cause)}
            return "changed", {**_about(fact.alert_id, number), "state": State.CLOSED.value, **closed}
    return None


def _added(fact: AlertRaised, number: int, say: Say) -> Json:
    from_fact = Alert(
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
    return alert_json(from_fact, say)


def _worsened(fact: AlertWorsened, number: int, say: Say) -> Json:
    return {
        **_about(fact.alert_id, number),
        "state": State.OPEN.value,
        "priority": int(fact.priority),
        "sentence": _sentence(say, fact.sentence, fact.values),
        "rang_at": to_ms(fact.at),
        "seen": number,
        "acknowledged_by": "",
        "acknowledged_at": None,
        "ended_at": None,
        "ended": "",
        **_moved(fact.position),
    }


def _raised(fact: AlertRaised, say: Say) -> Json:
    return {
        "id": fact.alert_id,
        "rule": say(fact.rule),
        "rule_key": fact.rule,
        "subject": fact.subject,
        "subject_name": fact.subject_name,
        "raised_at": to_ms(fact.at),
        "source": fact.source,
        "owner": fact.owner,
        "tlp": fact.tlp,
        "detail": fact.detail,
    }


def _about(alert_id: str, number: int) -> Json:
    return {"id": alert_id, "number": number}


def _moved(position: Position | None) -> Json:
    return {"position": _position(position)} if position else {}


def _position(position: Position | None) -> list[float] | None:
    return [position.longitude_deg, position.latitude_deg] if position else None


def _sentence(say: Say, key: str, values: Mapping[str, str]) -> str:
    return say(key, **values)
