"""A network of four on paper, and a node in it, on the memory store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from port2port.capability import Running, Site
from port2port.core.alert import AlertRaised, Priority
from port2port.core.clock import SteppedClock
from port2port.core.fact import Fact
from port2port.core.handling import Agreement, Group, LegalBasis, PersonalData, Purpose, Roster
from port2port.core.party import Actor, Compartment, Party, Role
from port2port.core.place import Position
from port2port.incidents import capability
from port2port.incidents.arrivals import Arrivals
from port2port.incidents.service import IncidentService
from port2port.incidents.settings import IncidentSettings
from port2port.testing import site
from port2port.web import FACTS

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OPERATOR = Actor(account="an-operator", role=Role.OPERATOR)
GUARD = Actor(account="a-guard", role=Role.READER)

ANTWERP = Party(node_id="a" * 64, name="Port of Antwerp-Bruges", short_name="Antwerp", compartment=Compartment.A)
POLICE = Party(node_id="b" * 64, name="CSD Limburg", short_name="CSD", compartment=Compartment.B)
LIEGE = Party(node_id="c" * 64, name="Port of Liège", short_name="Liège", compartment=Compartment.A)


@dataclass
class PaperNetwork:
    """Answers the ask `network` from values."""

    known: Roster
    agreements: list[Agreement] = field(default_factory=list)

    def roster(self) -> Roster:
        return self.known

    def own_agreements(self) -> Sequence[Agreement]:
        return self.agreements


@dataclass
class PaperAlerts:
    """Answers the ask `alerts`."""

    alerts: dict[str, AlertRaised]

    def find(self, alert_id: str) -> AlertRaised | None:
        return self.alerts.get(alert_id)


class Desk:
    """One node's incidents, as its operator meets them."""

    def __init__(self, at: Site) -> None:
        self.site = at
        self.running: Running = capability.start(at, IncidentSettings())
        network, alerts = at.others.ask("network", PaperNetwork), at.others.ask("alerts", PaperAlerts)
        self.service = IncidentService(at, IncidentSettings(), alerts, network)
        self.arrivals = Arrivals(at, network)
        self._read = 0

    @property
    def clock(self) -> SteppedClock:
        assert isinstance(self.site.clock, SteppedClock)
        return self.site.clock

    def facts(self, kind: type[Fact] | None = None) -> list[Fact]:
        found = [each.fact for each in self.site.store.read(0)]
        return [each for each in found if isinstance(each, Fact) and (kind is None or isinstance(each, kind))]

    def read_on(self) -> None:
        """What the node's reader thread does."""
        page = self.site.store.read(self._read)
        with self.site.store.transaction() as tx:
            self.arrivals.handle(tx, page)
        self._read = page[-1].number if page else self._read


def roster_with(own: Party, **changes: object) -> Roster:
    parties = {each.node_id: each for each in (own, ANTWERP, POLICE, LIEGE)}
    group = Group(
        id="coast", name="Coast ports", owner=own.node_id, members=frozenset({own.node_id, "a" * 64, "b" * 64})
    )
    agreement = agreement_of(frozenset(parties))
    roster = Roster(parties=parties, groups={"coast": group}, agreements={agreement.id: agreement})
    return replace(roster, **changes)  # type: ignore[arg-type]


def agreement_of(
    parties: frozenset[str], classes: frozenset[PersonalData] = frozenset({PersonalData.NONE})
) -> Agreement:
    return Agreement(
        id="cooperation",
        title="Cooperation of ports",
        parties=parties,
        purposes=frozenset(Purpose),
        legal_basis=frozenset(LegalBasis),
        personal_data=classes,
        starts=START - timedelta(days=1),
        ends=START + timedelta(days=900),
    )


def drift_alert(alert_id: str = "alert-1") -> AlertRaised:
    return AlertRaised(
        at=START - timedelta(minutes=14),
        alert_id=alert_id,
        capability="vessels",
        rule="vessels.rule.drift",
        priority=Priority.HIGH,
        subject="vessel:538000001",
        subject_name="MORNING WAGTAIL",
        position=Position(51.337, 2.735),
        sentence="vessels.sentence.drift.tanker",
        values={"name": "MORNING WAGTAIL", "place": "Watch area Ostend", "minutes": "14"},
        source="ais-coast",
    )


def say(key: str, values: dict[str, str]) -> str:
    return f"Tanker {values.get('name')} adrift, {values.get('place')}"


def make_desk(connected: bool = True, with_alerts: bool = True, **wishes: object) -> Desk:
    answers: dict[str, object] = {}
    at = site(capabilities=[capability], facts=FACTS, **wishes)  # type: ignore[arg-type]
    if connected:
        known = roster_with(at.party)
        answers["network"] = PaperNetwork(known, list(known.agreements.values()))
    if with_alerts:
        answers["alerts"] = PaperAlerts({"alert-1": drift_alert()})
    at.others.answers.update(answers)  # type: ignore[attr-defined]
    return Desk(at)
