"""How the sources are, for the health page and `doctor`: a silent sensor is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from port2port.core.clock import Clock
from port2port.vessels.service import VesselService
from port2port.vessels.sources.collector import SourceState


def health(service: VesselService, states: Sequence[SourceState], clock: Clock) -> Mapping[str, Any]:
    """Counts of the service and one row a source."""
    return {**service.counts(), "sources": [source_row(service, state, clock) for state in states]}


def source_row(service: VesselService, state: SourceState, clock: Clock) -> dict[str, Any]:
    """One source: is it connected, when did it last say something, what of it was refused."""
    now, account = clock(), service.account(state.name)
    return {
        "name": state.name,
        "kind": state.kind,
        "address": state.address,
        "connected_since": state.connected_since,
        "last_heard": state.last_heard,
        "silent_s": None if state.last_heard is None else round((now - state.last_heard).total_seconds(), 1),
        "lines_per_s": round(state.rate(now), 1),
        "trouble": state.trouble,
        "lines": account.lines,
        "decoded": account.decoded,
        "refused": dict(account.refused),
    }
