"""Reads on from the journal: incidents that came from other nodes or were taken back, and alerts that were closed."""

from __future__ import annotations

from collections.abc import Sequence

from port2port.capability import Ask, Site
from port2port.core.alert import AlertClosed
from port2port.core.errors import DecodeError
from port2port.core.exchange import ObjectArrived, ObjectErased, ObjectWithdrawn
from port2port.core.fact import Fact, Recorded
from port2port.core.handling import Roster
from port2port.incidents import copies, tables
from port2port.incidents.asks import NetworkView
from port2port.incidents.model import OBJECT_KIND
from port2port.incidents.stix import IncidentReport, read_bundle
from port2port.store import Transaction

READER = "incidents.arrivals"
FACTS: tuple[type[Fact], ...] = (ObjectArrived, ObjectWithdrawn, ObjectErased, AlertClosed)
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
                case ObjectWithdrawn(object_kind=kind) | ObjectErased(object_kind=kind) as gone if kind == OBJECT_KIND:
                    self._gone(tx, gone)
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

    def _gone(self, tx: Transaction, gone: ObjectWithdrawn | ObjectErased) -> None:
        """Drop the copy; an erasure of our own drops our own, with its timeline."""
        own = gone.origin == self._site.party.node_id
        incident_id = gone.object_id if own else copies.copy_id(gone.origin, gone.object_id)
        known = tables.find(tx, incident_id)
        if known is not None and known.version <= gone.version:
            tables.forget(tx, incident_id)
            tx.append(*copies.gone(known, isinstance(gone, ObjectErased), self._site.clock()))

    def _read(self, tx: Transaction, arrived: ObjectArrived) -> IncidentReport | None:
        """The bundle, if it can be read and carries the label under which it came."""
        try:
            return self._checked(tx, arrived)
        except DecodeError as error:
            self._refused(error.reason)
            return None

    def _checked(self, tx: Transaction, arrived: ObjectArrived) -> IncidentReport:
        body = tx.body(arrived.object_id, arrived.version)
        if arrived.origin == self._site.party.node_id:
            raise DecodeError("Our own object came back.", reason="own-origin")
        if arrived.handling.retain_until <= self._site.clock():
            raise DecodeError("It may no longer be kept.", reason="retention-over")
        if body is None:
            raise DecodeError("The object came without its content.", reason="no-content")
        told = read_bundle(body)
        if told.handling != arrived.handling:
            raise DecodeError("The bundle carries another label than the one it came under.", reason="other-label")
        if told.version != arrived.version:
            raise DecodeError("The bundle says another version than the one it came as.", reason="other-version")
        return told

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
