"""A recording through the whole path without a node: what would have been seen, and what alerted. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from port2port.core.fact import Fact
from port2port.core.ids import NewId
from port2port.vessels.drift import DriftLimits
from port2port.vessels.model import Traffic
from port2port.vessels.rules import Watch
from port2port.vessels.service import Account, Stream
from port2port.vessels.zones import Zones

LINES = 300


@dataclass(frozen=True)
class Rehearsal:
    """What came out: where the lines went, who was there, what happened."""

    account: Account
    traffic: Traffic
    facts: tuple[Fact, ...]


def rehearse(
    lines: Iterable[bytes], zones: Zones, new_id: NewId, drift: DriftLimits | None, source: str = "recording"
) -> Rehearsal:
    """Play all `lines`; lines without a time count as received at 1970."""
    stream, traffic, watch = Stream(source), Traffic(), Watch(zones, new_id, drift)
    facts: list[Fact] = []
    ahead = iter(lines)
    while page := list(islice(ahead, LINES)):
        for moved in traffic.see(stream.assembler.join(stream.reader.read(page, 0.0)), source):
            facts += watch.step(traffic, moved)
    stream.assembler.flush()
    facts += watch.sweep(traffic, traffic.now_s)
    account = Account()
    account.add(stream.reader.tally, stream.assembler)
    return Rehearsal(account, traffic, tuple(facts))
