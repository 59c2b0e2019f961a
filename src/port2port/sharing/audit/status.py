"""What can be said of the log in one line: how far it was checked, how far others confirmed it, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from port2port.sharing.audit import tables
from port2port.sharing.audit.limits import WITNESSES_ASKED
from port2port.sharing.audit.tables import Check, Seen
from port2port.store import Reading


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a node's own log, and the contradictions that it knows of."""

    size: int
    checked: Check | None
    confirmed_size: int
    """Entries that enough partners confirmed; 0 when none."""
    confirmed_by: tuple[str, ...]
    """Node ids of those partners."""
    confirmed_at: datetime | None
    """When the last of them did."""
    contradictions: tuple[Seen, ...]


def needed(partners: int) -> int:
    """How many confirmations make a checkpoint final."""
    return max(1, min(WITNESSES_ASKED, partners))


def read(view: Reading, me: str, partners: int) -> Status:
    """The state as the store knows it."""
    final = tables.confirmed_size(view, needed(partners))
    given = tables.cosignatures_at(view, final) if final else []
    return Status(
        size=tables.size(view),
        checked=tables.last_check(view),
        confirmed_size=final or 0,
        confirmed_by=tuple(each.witness for each in given),
        confirmed_at=max((each.at for each in given), default=None),
        contradictions=tuple(each for each in tables.all_seen(view) if each.witness),
    )
