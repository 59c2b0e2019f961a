"""The table of alerts and its queries. A row is what `model.fold` made of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Column, MetaData, Table, Text, bindparam, delete, func, insert, select

from port2port.picture.model import Alert, State
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment

alert = Table(
    "picture_alert",
    MetaData(),
    Column("alert_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("rang_at", Moment, nullable=False),
    Column("body", Blob, nullable=False),
)
"""`body` is the alert as JSON; the columns beside it are what queries sort and choose by."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Alert)


def find(view: Reading, alert_id: str) -> Alert | None:
    """One alert, whatever its state."""
    body = view.execute(select(alert.c.body).where(alert.c.alert_id == alert_id)).scalar_one_or_none()
    return None if body is None else _decoder.decode(body)


def find_many(view: Reading, alert_ids: Iterable[str]) -> dict[str, Alert]:
    """Those of these alerts that are known."""
    wanted = select(alert.c.alert_id, alert.c.body).where(alert.c.alert_id.in_(sorted(set(alert_ids))))
    return {row.alert_id: _decoder.decode(row.body) for row in view.execute(wanted)}


def save(tx: Transaction, alerts: Sequence[Alert]) -> None:
    """Store these alerts, each once."""
    if not alerts:
        return
    tx.execute(delete(alert).where(alert.c.alert_id == bindparam("key")), [{"key": each.id} for each in alerts])
    tx.execute(insert(alert), [_row(each) for each in alerts])


def unclosed(view: Reading, offset: int, limit: int) -> list[Alert]:
    """A page of what asks for somebody: worst first, then newest first."""
    page = (
        select(alert.c.body)
        .where(alert.c.state != State.CLOSED.value)
        .order_by(alert.c.priority, alert.c.rang_at.desc(), alert.c.alert_id)
        .offset(offset)
        .limit(limit)
    )
    return [_decoder.decode(row.body) for row in view.execute(page)]


def count_by_state(view: Reading) -> dict[str, int]:
    """How many alerts stand in each state."""
    rows = view.execute(select(alert.c.state, func.count().label("n")).group_by(alert.c.state))
    return {row.state: row.n for row in rows}


def _row(each: Alert) -> dict[str, object]:
    return {
        "alert_id": each.id,
        "state": each.state.value,
        "priority": int(each.priority),
        "rang_at": each.rang_at,
        "body": _encoder.encode(each),
    }
