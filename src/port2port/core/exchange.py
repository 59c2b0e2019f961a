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

    audited = True

    object_kind: str
    """The owner's word, e.g. `incident`. The receiver's capability of the same word reads it."""
    object_id: str
    version: int
    """Grows by one with each offer of the same object."""
    handling: Handling
    urgent: bool
    """Travels before everything else (alerts, recalls, membership)."""
    account: str
    bulk: bool = False
    """Travels after everything else (histories, large feeds)."""


@dataclass(frozen=True, kw_only=True)
class ObjectArrived(Fact):
    """A version of another organisation's object was verified, allowed and stored here."""

    audited = True

    object_kind: str
    object_id: str
    version: int
    handling: Handling
    origin: str
    origin_name: str
    lane: str = ""
    """The connection in which it came, in hexadecimal: which readers it has in common with others."""


@dataclass(frozen=True, kw_only=True)
class ObjectWithdrawn(Fact):
    """The origin took an object back, or moved it to others: it is no longer for us. Whoever kept a copy drops it.

    At the origin itself this is not recorded: there the object stays.
    """

    audited = True

    object_kind: str
    object_id: str
    """As in `ObjectArrived`."""
    version: int
    origin: str
    reason: str
    """A code, e.g. `mistake`; see docs/reference/peer-protocol.md."""


@dataclass(frozen=True, kw_only=True)
class ObjectErased(Fact):
    """An object must be nowhere any more, by law or court. Whoever kept anything of it drops it, at the origin too."""

    audited = True

    object_kind: str
    object_id: str
    version: int
    origin: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ObjectConsulted(Fact):
    """A person opened an object of another organisation that is for named readers, or that is about persons."""

    audited = True

    object_kind: str
    object_id: str
    tlp: str
    personal_data: str
    account: str
