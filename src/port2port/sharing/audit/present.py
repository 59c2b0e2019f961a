"""An entry as people read it: when, what, who. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from port2port.sharing.audit.record import read_record, who
from port2port.sharing.audit.tables import Leaf

MAX_WHAT_CHARS = 120
_ABOUT = (
    "reference",
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


def shown(leaf: Leaf) -> Shown:
    """An entry from its leaf; of an erased one, only when and what kind."""
    record = None if leaf.record is None else read_record(leaf.record)
    values = record.values() if record else {}
    return Shown(leaf.place, leaf.at, leaf.kind, who(values), _what(values), leaf.record is None)


def named(entry: Shown, names: Mapping[str, str]) -> Shown:
    """With a name in place of an account's or a node's id."""
    return replace(entry, who=names.get(entry.who, entry.who))


def _what(values: Mapping[str, Any]) -> str:
    told = [str(values[key]) for key in _ABOUT if isinstance(values.get(key), str | int) and values[key] != ""]
    return " · ".join(dict.fromkeys(told))[:MAX_WHAT_CHARS]
