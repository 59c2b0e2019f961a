"""How a capability hands an object to the network, and hears of one that came from it.

The capability that owns an object knows nothing of connections; the one that carries objects knows
nothing of their meaning. Between them stand these two facts and the body in the store.
"""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.fact import Fact
from port2port.core.handling import Handling


@dataclass(frozen=True, kw_only=True)
class ObjectOffered(Fact):
    """A person decided to share one version of an object. Its bytes stand in the store under (object_id, version)."""

    object_kind: str
    """The owner's word, e.g. `incident`. The receiver's capability of the same word reads it."""
    object_id: str
    version: int
    """Grows by one with each offer of the same object."""
    handling: Handling
    urgent: bool
    """Travels before everything else (alerts, recalls, membership)."""
    account: str


@dataclass(frozen=True, kw_only=True)
class ObjectArrived(Fact):
    """A version of another organisation's object was verified, allowed and stored here."""

    object_kind: str
    object_id: str
    version: int
    handling: Handling
    origin: str
    origin_name: str
