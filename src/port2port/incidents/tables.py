"""What is kept of incidents, and the queries. An incident is stored as JSON beside the columns that queries need."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Column, ColumnElement, MetaData, Table, delete, func, insert, or_, select, update

from port2port.core.party import Actor
from port2port.incidents.limits import MAX_ENTRIES, MAX_ROWS
from port2port.incidents.model import Change, Entry, Incident, Origin, Status
from port2port.store import Reading, Transaction
from port2port.store.types import Integer, Moment, Text

_meta = MetaData()

incident = Table(
    "incidents_incident",
    _meta,
    Column("id", Text, primary_key=True),
    Column("origin", Text),
    Column("status", Text),
    Column("reported_by", Text),
    Column("assigned_role", Text),
    Column("assigned_account", Text),
    Column("source_alert_id", Text),
    Column("draft_id", Text),
    Column("alert_id", Text),
    Column("retain_until", Moment),
    Column("changed_at", Moment),
    Column("data", Text),
)
entry = Table(
    "incidents_entry",
    _meta,
    Column("incident_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", Text),
)
number = Table("incidents_number", _meta, Column("year", Integer, primary_key=True), Column("last", Integer))

_columns = ("id", "origin", "status", "reported_by", "assigned_role", "assigned_account")
_links = ("source_alert_id", "draft_id", "alert_id")


def next_number(tx: Transaction, year: int) -> int:
    """The next reference number of a year, from 1. Numbers are taken with the incident, so none is missing."""
    last = tx.execute(select(number.c.last).where(number.c.year == year)).scalar()
    if last is None:
        tx.execute(insert(number).values(year=year, last=1))
        return 1
    tx.execute(update(number).where(number.c.year == year).values(last=last + 1))
    return int(last) + 1


def save(tx: Transaction, change: Change) -> None:
    """Store the incident as it now is, its new line, and the facts."""
    store(tx, change.incident)
    row = {"incident_id": change.incident.id, "number": change.entry.number, "data": _text(change.entry)}
    tx.execute(insert(entry), row)
    tx.append(*change.facts)


def store(tx: Transaction, known: Incident) -> None:
    """Replace the stored incident."""
    row = {name: getattr(known, name) for name in (*_columns, *_links)}
    is_copy = known.origin is Origin.SHARED and known.handling is not None
    row["retain_until"] = known.handling.retain_until if is_copy and known.handling else None
    tx.execute(delete(incident).where(incident.c.id == known.id))
    tx.execute(insert(incident), {**row, "changed_at": known.changed_at, "data": _text(known)})


def find(view: Reading, incident_id: str) -> Incident | None:
    return _first(view, incident.c.id == incident_id)


def find_by_alert(view: Reading, alert_id: str) -> Incident | None:
    """The own incident that was made of this alert."""
    return _first(view, incident.c.source_alert_id == alert_id)


def find_by_own_alert(view: Reading, alert_id: str) -> Incident | None:
    """The copy about which this alert was raised."""
    return _first(view, incident.c.alert_id == alert_id)


def find_draft(view: Reading, draft_id: str, account: str) -> Incident | None:
    return _first(view, incident.c.draft_id == draft_id, incident.c.reported_by == account)


def timeline(view: Reading, incident_id: str) -> list[Entry]:
    """The newest lines of an incident, oldest first."""
    found = select(entry.c.data).where(entry.c.incident_id == incident_id).order_by(entry.c.number.desc())
    rows = view.execute(found.limit(MAX_ENTRIES)).all()
    return [msgspec.json.decode(row.data, type=Entry) for row in reversed(rows)]


def mine(view: Reading, actor: Actor, now: datetime) -> list[Incident]:
    """What this person reported, and what is his to do, newest change first."""
    assigned = or_(incident.c.assigned_account == actor.account, incident.c.assigned_role == actor.role.value)
    to_do = assigned & (incident.c.status != Status.CLOSED.value)
    return _list(view, now, or_(incident.c.reported_by == actor.account, to_do))


def opened(view: Reading, now: datetime, limit: int = MAX_ROWS) -> list[Incident]:
    """All own incidents that are not closed."""
    return _list(view, now, _OWN, incident.c.status != Status.CLOSED.value, limit=limit)


def closed(view: Reading, now: datetime) -> list[Incident]:
    return _list(view, now, _OWN, incident.c.status == Status.CLOSED.value)


def shared(view: Reading, now: datetime, limit: int = MAX_ROWS) -> list[Incident]:
    """Copies of other organisations' incidents, as long as we may keep them."""
    return _list(view, now, incident.c.origin == Origin.SHARED.value, limit=limit)


def everything(view: Reading, now: datetime) -> list[Incident]:
    return _list(view, now)


def counts(view: Reading) -> dict[str, int]:
    """How many own incidents stand where, and how many copies there are."""
    found = select(incident.c.origin, incident.c.status, func.count().label("found")).group_by(
        incident.c.origin, incident.c.status
    )
    made = {status.value: 0 for status in Status} | {"shared": 0}
    for row in view.execute(found).all():
        made["shared" if row.origin == Origin.SHARED else row.status] += row.found
    return made


def forget(tx: Transaction, incident_id: str) -> None:
    """Delete an incident with its timeline."""
    tx.execute(delete(entry).where(entry.c.incident_id == incident_id))
    tx.execute(delete(incident).where(incident.c.id == incident_id))


def forget_expired(tx: Transaction, now: datetime) -> int:
    """Delete copies that we may no longer keep, with their timelines; answers how many."""
    over = select(incident.c.id).where(incident.c.retain_until <= now)
    tx.execute(delete(entry).where(entry.c.incident_id.in_(over)))
    return tx.execute(delete(incident).where(incident.c.retain_until <= now)).rowcount


_OWN = incident.c.origin == Origin.OWN.value


def _first(view: Reading, *where: ColumnElement[bool]) -> Incident | None:
    row = view.execute(select(incident.c.data).where(*where).order_by(incident.c.changed_at).limit(1)).first()
    return msgspec.json.decode(row.data, type=Incident) if row else None


def _list(view: Reading, now: datetime, *where: ColumnElement[bool], limit: int = MAX_ROWS) -> list[Incident]:
    kept = or_(incident.c.retain_until.is_(None), incident.c.retain_until > now)
    found = select(incident.c.data).where(kept, *where).order_by(incident.c.changed_at.desc(), incident.c.id)
    return [msgspec.json.decode(row.data, type=Incident) for row in view.execute(found.limit(limit)).all()]


def _text(value: Incident | Entry) -> str:
    return msgspec.json.encode(value).decode()
