"""A copy of another organisation's incident: made, updated, and put into our queue. Pure."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from port2port.core.alert import AlertEnded, AlertRaised, AlertRepeated, AlertWorsened
from port2port.core.exchange import ObjectArrived
from port2port.core.fact import Fact
from port2port.core.handling import LIVE, Tlp
from port2port.incidents.facts import IncidentReceived
from port2port.incidents.model import Change, Entry, Incident, Origin, Status, is_open
from port2port.incidents.stix import NAMESPACE, IncidentReport

RULE = "incidents.rule.shared"
CAPABILITY = "incidents"


def copy_id(origin: str, object_id: str) -> str:
    """Our id of a copy: follows from origin and id together, so that no two origins meet, nor meet one of our own.

    Own incidents have random ids (UUIDv4), copies have UUIDv5.
    """
    return str(uuid.uuid5(NAMESPACE, f"copy\0{origin}\0{object_id}"))


def receive(
    known: Incident | None, told: IncidentReport, arrived: ObjectArrived, short_name: str, new_alert: str, now: datetime
) -> Change | None:
    """Take in a version; None when we have it, or a newer one.

    `new_alert`: id for an alert, used when none stands in the queue about it.
    """
    if known is not None and known.version >= arrived.version:
        return None
    copy = _copy(known, told, arrived, now)
    alert_id, alerts = _alerts(known, copy, short_name, new_alert, now)
    received = IncidentReceived(
        at=now,
        incident_id=copy.id,
        origin=arrived.origin,
        version=arrived.version,
        incident_kind=copy.kind,
        priority=copy.priority,
    )
    entry = Entry(
        number=copy.entries,
        at=now,
        what="incidents.entry.updated" if known else "incidents.entry.arrived",
        values={"origin": copy.origin_name, "version": str(copy.version), "tlp": arrived.handling.tlp.value},
        words={"status": f"incidents.status.{copy.status}"},
    )
    return Change(incident=replace(copy, alert_id=alert_id), entry=entry, facts=(received, *alerts))


def gone(known: Incident, erased: bool, now: datetime) -> tuple[Fact, ...]:
    """Its owner took it back, or it must be nowhere: what stands in the queue about it is over."""
    if not known.alert_id:
        return ()
    reason = "incidents.ended.erased" if erased else "incidents.ended.withdrawn"
    return (AlertEnded(at=now, alert_id=known.alert_id, reason=reason),)


def alert_closed(known: Incident) -> Incident:
    """A person is done with the alert: the next version may raise another."""
    return replace(known, alert_id="")


def _copy(known: Incident | None, told: IncidentReport, arrived: ObjectArrived, now: datetime) -> Incident:
    return Incident(
        id=copy_id(arrived.origin, arrived.object_id),
        reference=told.reference,
        kind=told.kind,
        title=told.title,
        description=told.description,
        place=told.place,
        observed_at=told.observed_at,
        reported_at=told.reported_at,
        reported_by="",
        status=told.status,
        priority=told.priority,
        cause=told.cause,
        origin=Origin.SHARED,
        changed_at=now,
        entries=(known.entries if known else 0) + 1,
        version=arrived.version,
        handling=arrived.handling,
        origin_id=arrived.origin,
        origin_name=arrived.origin_name,
        alert_id=known.alert_id if known else "",
        notes=told.notes,
    )


def _alerts(
    known: Incident | None, copy: Incident, short_name: str, new_alert: str, now: datetime
) -> tuple[str, tuple[Fact, ...]]:
    """Which alert stands for the copy, and what to say of it.

    TLP:RED raises none: the queue is for everybody, and nobody but its named readers may see even a count.
    """
    assert copy.handling is not None
    if copy.handling.tlp is Tlp.RED:
        ended = (AlertEnded(at=now, alert_id=copy.alert_id, reason="incidents.ended.narrowed"),)
        return "", ended if copy.alert_id else ()
    if not is_open(copy):
        if not copy.alert_id:
            return "", ()
        return copy.alert_id, (AlertEnded(at=now, alert_id=copy.alert_id, reason="incidents.ended.closed"),)
    if not copy.alert_id:
        return new_alert, (_raised(copy, short_name, new_alert, now),)
    if known is not None and (copy.priority < known.priority or known.status is Status.CLOSED):
        return copy.alert_id, (_worsened(copy, now),)
    position = copy.place.position
    return copy.alert_id, (AlertRepeated(at=now, alert_id=copy.alert_id, count=copy.entries, position=position),)


def _raised(copy: Incident, short_name: str, alert_id: str, now: datetime) -> AlertRaised:
    assert copy.handling is not None
    return AlertRaised(
        at=now,
        alert_id=alert_id,
        capability=CAPABILITY,
        rule=RULE,
        priority=copy.priority,
        subject=f"incident:{copy.id}",
        subject_name=copy.reference,
        position=copy.place.position,
        sentence=_sentence(copy),
        values=_values(copy),
        source=copy.origin_name,
        owner=short_name,
        tlp=copy.handling.tlp.value,
        detail=f"/incidents/{copy.id}/detail",
    )


def _worsened(copy: Incident, now: datetime) -> AlertWorsened:
    return AlertWorsened(
        at=now,
        alert_id=copy.alert_id,
        priority=copy.priority,
        sentence=_sentence(copy),
        values=_values(copy),
        position=copy.place.position,
    )


def _sentence(copy: Incident) -> str:
    assert copy.handling is not None
    live = "shared" if copy.handling.context == LIVE else "exercise"
    return f"incidents.sentence.{live}.{copy.kind}"


def _values(copy: Incident) -> dict[str, str]:
    """No word that a person wrote: an alert stays in the journal for ever, its incident may be taken back."""
    return {"origin": copy.origin_name, "reference": copy.reference}
