"""An entry as people read it: when, what, who. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from port2port.sharing.audit.record import read_record, who
from port2port.sharing.audit.tables import Leaf

MAX_WHAT_CHARS = 120
_ABOUT = (
    "reference",
    "account",
    "object_id",
    "alert_id",
    "name",
    "document_kind",
    "role",
    "method",
    "op",
    "why",
    "source",
    "reason",
)
"""What tells most, of the fields that facts have."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry of the log."""

    place: int
    at: datetime
    kind: str
    who: str
    what: str
    erased: bool


def shown(leaf: Leaf, names: Mapping[str, str]) -> Shown:
    """An entry from its leaf, with names in place of ids that have one; of an erased one, only when and what kind."""
    record = None if leaf.record is None else read_record(leaf.record)
    values = record.values() if record else {}
    did = who(values)
    told = [names.get(each, each) for each in _about(values) if each != did]
    what = " · ".join(dict.fromkeys(told))[:MAX_WHAT_CHARS]
    return Shown(leaf.place, leaf.at, leaf.kind, names.get(did, did), what, leaf.record is None)


def _about(values: Mapping[str, Any]) -> list[str]:
    found = (values.get(key) for key in _ABOUT)
    return [str(each) for each in found if isinstance(each, str | int) and each != ""]
