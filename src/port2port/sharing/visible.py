"""What a person here may know of that others sent: TLP:RED is for its named readers, nobody else sees even a count."""

from __future__ import annotations

from port2port.core.errors import DecodeError
from port2port.core.handling import Handling, reader_may_see
from port2port.sharing import tables
from port2port.sharing.lane import NETWORK, Lane, handling_of, member_of
from port2port.store import Reading


def label_of(lane: Lane) -> Handling | None:
    """The label of all objects of a connection; None when it carries none, or cannot be read."""
    if lane.audience == NETWORK or member_of(lane.audience):
        return None
    try:
        return handling_of(lane)
    except DecodeError:
        return None


def hidden_lanes(view: Reading, account: str, me: str) -> frozenset[bytes]:
    """Ids of others' connections of which `account` may not know."""
    found = ((row.lane.id, label_of(row.lane)) for row in tables.foreign_lanes(view))
    return frozenset(lane for lane, label in found if label is not None and not reader_may_see(label, account, me))
