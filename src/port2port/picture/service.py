"""Verbs of the queue: load, decide, record. The row itself changes only when the journal is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from port2port.capability import Counters, Site
from port2port.core.alert import AlertAcknowledged, AlertClosed, AlertRaised
from port2port.core.errors import NotFound
from port2port.core.fact import Recorded
from port2port.core.party import Actor
from port2port.picture import model, tables
from port2port.picture.model import Alert
from port2port.store import Reading, Store, Transaction

READER = "picture.alerts"
_KINDS = frozenset(fact.kind() for fact in model.FACTS)
_CATCH_UP_ENTRIES = 500

Decision = Callable[[Alert, datetime], AlertAcknowledged | AlertClosed | None]


def read_entries(tx: Transaction, entries: Sequence[Recorded], counters: Counters) -> None:
    """The journal's reader: fold a page of entries into the rows they are about."""
    before = tables.find_many(tx, (model.alert_id_of(entry) for entry in entries))
    after = dict(before)
    for entry in entries:
        alert_id = model.alert_id_of(entry)
        folded = model.fold(after.get(alert_id), entry)
        if folded is None:
            counters.add("picture.refused.unknown-alert")
        else:
            after[alert_id] = folded
    tables.save(tx, [each for key, each in after.items() if before.get(key) is not each])


@dataclass(frozen=True)
class Queue:
    """The queue of one node."""

    site: Site

    def acknowledge(self, alert_id: str, actor: Actor, seen: int | None = None) -> Alert:
        """Take an alert on; answers how it then stands, which names who was first. See `model.acknowledge`."""
        return self._decide(alert_id, lambda known, now: model.acknowledge(known, actor.account, now, seen))

    def close(self, alert_id: str, actor: Actor, cause: str, seen: int | None = None) -> Alert:
        """Be done with an alert; answers how it then stands. See `model.close`."""
        return self._decide(alert_id, lambda known, now: model.close(known, actor.account, cause, now, seen))

    def page(self, offset: int, limit: int) -> tuple[list[Alert], int, int]:
        """Open and acknowledged alerts, worst first; how many there are; and up to which entry they are told."""
        with self.site.store.reading() as view:
            counts = tables.count_by_state(view)
            alerts = tables.unclosed(view, offset, limit)
            total = sum(n for state, n in counts.items() if state != model.State.CLOSED)
            return alerts, total, view.cursor(READER)

    def get(self, alert_id: str) -> Alert:
        """One alert as it stands now. Raises `NotFound`."""
        with self.site.store.reading() as view:
            return _present(view, self.site.store, alert_id)

    def find(self, alert_id: str) -> AlertRaised | None:
        """The answer to the ask `alerts`: how it was raised, with its present sentence, priority and position."""
        try:
            known = self.get(alert_id)
        except NotFound:
            return None
        return replace(
            known.raised,
            priority=known.priority,
            sentence=known.sentence,
            values=known.values,
            position=known.position,
        )

    def counts(self) -> dict[str, int]:
        with self.site.store.reading() as view:
            return tables.count_by_state(view)

    def _decide(self, alert_id: str, decide: Decision) -> Alert:
        with self.site.store.transaction() as tx:
            known = _present(tx, self.site.store, alert_id)
            fact = decide(known, self.site.clock())
            if fact is None:
                return known
            tx.append(fact)
        return model.fold(known, Recorded(known.number + 1, fact.at, fact.kind(), fact)) or known


def _present(view: Reading, store: Store, alert_id: str) -> Alert:
    """The row, with what the reader has not yet folded into it. Raises `NotFound`."""
    known, after = tables.find(view, alert_id), view.cursor(READER)
    while page := store.read(after, _CATCH_UP_ENTRIES, _KINDS):
        known = model.fold_all(known, (entry for entry in page if model.alert_id_of(entry) == alert_id))
        after = page[-1].number
    if known is None:
        raise NotFound("picture.error.no-alert", hint="picture.error.no-alert.hint")
    return known
