"""Reads on from the journal: incidents that arrived from other nodes, and alerts about them that a person closed."""

from __future__ import annotations

from collections.abc import Sequence

from port2port.capability import Site
from port2port.core.alert import AlertClosed
from port2port.core.errors import DecodeError
from port2port.core.exchange import ObjectArrived
from port2port.core.fact import Fact, Recorded
from port2port.core.handling import Roster
from port2port.incidents import copies, tables
from port2port.incidents.asks import NetworkView
from port2port.incidents.model import OBJECT_KIND
from port2port.incidents.stix import IncidentReport, read_bundle
from port2port.capability import Ask
from port2port.store import Transaction

READER = "incidents.arrivals"
FACTS: tuple[type[Fact], ...] = (ObjectArrived, AlertClosed)
MAX_OWNER_CHARS = 12
"""A queue row has room for this many characters of the owner's name."""


class Arrivals:
    """The handler of the reader. What is refused is counted under `incidents.refused.<reason>`, and passed."""

    def __init__(self, site: Site, network: Ask[NetworkView]) -> None:
        self._site, self._network = site, network

    def handle(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        for recorded in page:
            match recorded.fact:
                case ObjectArrived(object_kind=kind) as arrived if kind == OBJECT_KIND:
                    self._arrived(tx, arrived)
                case AlertClosed(alert_id=alert_id) if alert_id:
                    self._alert_closed(tx, alert_id)

    def _arrived(self, tx: Transaction, arrived: ObjectArrived) -> None:
        told = self._read(tx, arrived)
        if told is None:
            return
        known = tables.find(tx, copies.copy_id(arrived.origin, arrived.object_id))
        change = copies.receive(
            known, told, arrived, self._short_name(arrived), self._site.new_id(), self._site.clock()
        )
        if change is None:
            self._refused("old-version")
            return
        tables.save(tx, change)

    def _read(self, tx: Transaction, arrived: ObjectArrived) -> IncidentReport | None:
        """The bundle, if it can be read and carries the label under which it came."""
        if arrived.origin == self._site.party.node_id:
            return self._refused("own-origin")
        if arrived.handling.retain_until <= self._site.clock():
            return self._refused("retention-over")
        body = tx.body(arrived.object_id, arrived.version)
        if body is None:
            return self._refused("no-content")
        try:
            told = read_bundle(body)
        except DecodeError as error:
            return self._refused(error.reason)
        if told.handling != arrived.handling:
            return self._refused("other-label")
        return told if told.version == arrived.version else self._refused("other-version")

    def _short_name(self, arrived: ObjectArrived) -> str:
        network = self._network()
        party = (network.roster() if network else Roster()).parties.get(arrived.origin)
        return party.short_name if party else arrived.origin_name[:MAX_OWNER_CHARS]

    def _refused(self, reason: str) -> None:
        self._site.counters.add(f"incidents.refused.{reason}")

    def _alert_closed(self, tx: Transaction, alert_id: str) -> None:
        known = tables.find_by_own_alert(tx, alert_id)
        if known is not None:
            tables.store(tx, copies.alert_closed(known))
