"""What incidents must know now from the rest of the node. Each may be answered by nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from port2port.core.alert import AlertRaised
from port2port.core.handling import Agreement, Roster


class Alerts(Protocol):
    """The ask `alerts`."""

    def find(self, alert_id: str) -> AlertRaised | None: ...


class NetworkView(Protocol):
    """The ask `network`."""

    def roster(self) -> Roster: ...
    def own_agreements(self) -> Sequence[Agreement]: ...
