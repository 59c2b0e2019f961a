"""What programs did, and who let them in."""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.fact import Fact


@dataclass(frozen=True, kw_only=True)
class TaxiiAccountAdded(Fact):
    """A program may read from this node, or hand in."""

    audited = True

    name: str
    may_read: bool
    may_write: bool
    purpose: str
    max_tlp: str


@dataclass(frozen=True, kw_only=True)
class TaxiiAccountRemoved(Fact):
    """A program may do nothing here any more."""

    audited = True

    name: str


@dataclass(frozen=True, kw_only=True)
class TaxiiHandedIn(Fact):
    """A program handed in objects. They wait in quarantine under its name."""

    audited = True

    name: str
    taken: int
    refused: int


@dataclass(frozen=True, kw_only=True)
class TaxiiPolled(Fact):
    """Objects came from another organisation's server. They wait in quarantine under its name."""

    audited = True

    source: str
    taken: int
    refused: int


TAXII = (TaxiiAccountAdded, TaxiiAccountRemoved, TaxiiHandedIn, TaxiiPolled)
