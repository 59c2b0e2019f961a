"""What an export leaves out: what may no longer be kept, what is for named readers, and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from port2port.core.handling import Handling, Tlp
from port2port.sharing import tables
from port2port.sharing.visible import label_of
from port2port.store import Reading
from port2port.store.types import to_us

SECRET_TABLES = frozenset({"web_session", "web_invitation", "sharing_short_code", "sharing_invitation"})
"""What opens a door."""
WRITTEN_APART = frozenset({"store_journal", "store_body"})
SECRET_COLUMNS = frozenset({"hash", "password_hash", "password", "secret", "token_hash"})
_REPORTS = "SELECT id, alert_id, source_alert_id, retain_until, data FROM incidents_incident"
_IN_LANE = "SELECT DISTINCT object_id FROM sharing_entry WHERE lane = ? AND object_id IS NOT NULL"


class _Label(msgspec.Struct):
    tlp: str


class _Report(msgspec.Struct):
    handling: _Label | None = None


@dataclass
class Choice:
    """Decides row by row. Told of objects first, for other rows only mention them."""

    now: datetime
    include_named: bool
    named: set[str] = field(default_factory=set)
    """Ids of what is for named readers, in each form in which rows mention it."""
    over: set[str] = field(default_factory=set)
    """Ids of what may no longer be kept."""

    def learn(self, view: Reading) -> None:
        """Find connections and reports for named readers, and reports past their date."""
        for row in [*tables.own_lanes(view), *tables.foreign_lanes(view)]:
            label = label_of(row.lane)
            if label is not None and label.tlp is Tlp.RED:
                self.named.add(row.lane.id.hex())
                for (object_id,) in view.rows(_IN_LANE, (row.lane.id,)):
                    self.named |= {object_id, tables.local_id(row.lane.origin, object_id)}
        for id_, alert, source, until, data in view.rows(_REPORTS):
            if until is not None and until <= to_us(self.now):
                self.over.add(id_)
            if id_ in self.named or _is_named(data):
                self.named |= {each for each in (id_, alert, source) if each}

    def takes_object(self, object_id: str, handling: Handling) -> bool:
        """Whether an object may go out; remembers why not."""
        if handling.tlp is Tlp.RED:
            self.named.add(object_id)
        if handling.retain_until <= self.now:
            self.over.add(object_id)
            return False
        return self.include_named or handling.tlp is not Tlp.RED

    def takes_row(self, row: Mapping[str, Any]) -> bool:
        """Whether a table's row, its JSON taken apart, may go out."""
        until = row.get("retain_until")
        if isinstance(until, int) and until <= to_us(self.now):
            return False
        if any(isinstance(each, str) and each in self.over for each in row.values()):
            return False
        return self.takes_entry(row)

    def takes_entry(self, value: object) -> bool:
        """Whether something of the journal may go out: it holds ids and no content, so dates do not matter."""
        return self.include_named or not self._mentions(value)

    def _mentions(self, value: object) -> bool:
        if isinstance(value, str):
            return value in self.named
        if isinstance(value, Mapping):
            return _is_red(value.get("tlp")) or any(map(self._mentions, value.values()))
        return isinstance(value, list | tuple) and any(map(self._mentions, value))


def _is_red(tlp: object) -> bool:
    return isinstance(tlp, str) and tlp.upper().removeprefix("TLP:") == "RED"


def _is_named(report: str) -> bool:
    label = msgspec.json.decode(report, type=_Report).handling
    return label is not None and _is_red(label.tlp)
