"""The verbs: each loads, decides and records in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from port2port.capability import Ask, Site
from port2port.core.alert import AlertAcknowledged, AlertRaised, Priority
from port2port.core.errors import Conflict, NotFound
from port2port.core.exchange import ObjectConsulted
from port2port.core.handling import PersonalData, Roster, Scope, Tlp, reader_may_see
from port2port.core.party import Actor, Role
from port2port.incidents import copies, model, release, tables
from port2port.incidents.asks import Alerts, NetworkView
from port2port.incidents.limits import MAX_FEATURES, MAX_PLACE_CHARS, MAX_SHARED_NOTES, MAX_TITLE_CHARS
from port2port.incidents.model import Cause, Change, Entry, Incident, Kind, Origin, Place, Report, SharedNote
from port2port.incidents.release import Choice, Preview
from port2port.incidents.settings import IncidentSettings
from port2port.incidents.stix import IncidentReport, write_bundle
from port2port.incidents.text import first_line, one_line
from port2port.store import Reading, Transaction

Say = Callable[[str, Mapping[str, str]], str]
"""A word key and its values to text, in the language of the person who acts."""


@dataclass(frozen=True)
class Lists:
    """What the first page shows."""

    mine: list[Incident]
    opened: list[Incident]
    shared: list[Incident]
    closed: list[Incident]


class IncidentService:
    """The incidents of one node."""

    def __init__(self, site: Site, settings: IncidentSettings, alerts: Ask[Alerts], network: Ask[NetworkView]) -> None:
        self.site, self.settings = site, settings
        self._alerts, self._network = alerts, network

    def report(self, what: Report, actor: Actor) -> Incident:
        """Take in a person's report. The same form sent twice is one incident."""
        with self.site.store.transaction() as tx:
            known = tables.find_draft(tx, what.draft_id, actor.account) if what.draft_id else None
            return known or self._report(tx, what, actor).incident

    def from_alert(self, alert_id: str, actor: Actor, say: Say) -> Incident:
        """Make an incident of an alert, which is thereby acknowledged; the one that was made before, or came with it.

        Raises `NotFound` when no such alert is known here.
        """
        answering = self._alerts()
        alert = answering.find(alert_id) if answering else None
        if alert is None:
            raise NotFound("incidents.error.alert", hint="incidents.error.alert.hint")
        with self.site.store.transaction() as tx:
            known = tables.find_by_alert(tx, alert_id) or self._copy_about(tx, alert, actor)
            if known is None:
                known = self._report(tx, _report_of(alert, say), actor).incident
                tx.append(AlertAcknowledged(at=self.site.clock(), alert_id=alert_id, account=actor.account))
            return known

    def triage(self, incident_id: str, kind: Kind, priority: Priority, actor: Actor) -> Incident:
        return self._decide(incident_id, actor, lambda known, now: model.triage(known, kind, priority, actor, now))

    def assign(self, incident_id: str, role: Role | None, account: str, actor: Actor) -> Incident:
        return self._decide(incident_id, actor, lambda known, now: model.assign(known, role, account, actor, now))

    def note(self, incident_id: str, text: str, goes_along: bool, actor: Actor) -> Incident:
        return self._decide(incident_id, actor, lambda known, now: model.note(known, text, goes_along, actor, now))

    def close(self, incident_id: str, cause: Cause, actor: Actor) -> Incident:
        return self._decide(incident_id, actor, lambda known, now: model.close(known, cause, actor, now))

    def preview(self, incident_id: str, choice: Choice, actor: Actor) -> Preview:
        """Who would receive it, by name. Raises `Conflict` when there is no network, or it is not ours to share."""
        known = self.get(incident_id, actor)
        network = self._connected(known)
        return release.preview(choice, self.site.party, network.roster(), network.own_agreements(), self.site.clock())

    def preview_update(self, incident_id: str, actor: Actor) -> Preview:
        """Who would receive the next version under the present label."""
        known = self.get(incident_id, actor)
        network = self._connected(known)
        if known.handling is None:
            raise Conflict("incidents.error.never-shared", hint="incidents.error.never-shared.hint")
        return release.again(known.handling, self.site.party, network.roster(), self.site.clock())

    def share(self, incident_id: str, choice: Choice, actor: Actor) -> Incident:
        """Offer the next version to those whom the choice names. Raises `Conflict` when nobody may have it."""
        return self.send(incident_id, self.preview(incident_id, choice, actor), actor)

    def send_update(self, incident_id: str, actor: Actor) -> Incident:
        """Offer what has changed to the same audience."""
        return self.send(incident_id, self.preview_update(incident_id, actor), actor)

    def send(self, incident_id: str, shown: Preview, actor: Actor) -> Incident:
        """Offer the next version to those who were shown."""
        if shown.is_offence_in_a:
            raise Conflict("incidents.error.offence", hint="incidents.error.offence.hint")
        with self.site.store.transaction() as tx:
            known = self._found(tx, incident_id, actor)
            change = model.share(known, shown.handling, shown.receivers, actor, self.site.clock())
            told = told_of(change.incident, tables.timeline(tx, incident_id), self.site.party.name)
            tx.put_body(incident_id, told.version, write_bundle(told, self.site.party))
            tables.save(tx, change)
            return change.incident

    def get(self, incident_id: str, actor: Actor) -> Incident:
        """One incident. Raises `NotFound` also for what the actor may not know of."""
        with self.site.store.reading() as view:
            found = self._found(view, incident_id, actor)
        self._note_look_up(found, actor)
        return found

    def _note_look_up(self, found: Incident, actor: Actor) -> None:
        """Who opened what is for named readers, or about persons, stands in the audit log."""
        label = found.handling
        if found.origin is Origin.OWN or label is None:
            return
        if label.tlp is Tlp.RED or label.personal_data is not PersonalData.NONE:
            with self.site.store.transaction() as tx:
                tx.append(
                    ObjectConsulted(
                        at=self.site.clock(),
                        object_kind=model.OBJECT_KIND,
                        object_id=found.id,
                        tlp=label.tlp,
                        personal_data=label.personal_data,
                        account=actor.account,
                    )
                )

    def timeline(self, incident_id: str, actor: Actor) -> list[Entry]:
        with self.site.store.reading() as view:
            return tables.timeline(view, self._found(view, incident_id, actor).id)

    def lists(self, actor: Actor) -> Lists:
        now = self.site.clock()
        with self.site.store.reading() as view:
            found = Lists(
                mine=tables.mine(view, actor, now),
                opened=tables.opened(view, now),
                shared=tables.shared(view, now),
                closed=tables.closed(view, now),
            )
        mine = {each.id for each in found.mine}
        return replace(
            found,
            opened=[each for each in found.opened if each.id not in mine],
            shared=self._visible(found.shared, actor),
            closed=[each for each in found.closed if each.id not in mine],
        )

    def all(self, actor: Actor) -> list[Incident]:
        with self.site.store.reading() as view:
            return self._visible(tables.everything(view, self.site.clock()), actor)

    def roster(self) -> Roster | None:
        """Who is in the network; None when nobody answers, or we are in none."""
        network = self._network()
        roster = network.roster() if network else None
        return roster if roster and self.site.party.node_id in roster.parties else None

    def network(self) -> NetworkView | None:
        """Whom to ask about the network; None before this node is in one."""
        return self._network() if self.roster() else None

    def counts(self) -> Mapping[str, object]:
        with self.site.store.reading() as view:
            return tables.counts(view)

    def on_map(self) -> Sequence[Incident]:
        """Open incidents with a position, but none of TLP:RED: the map is for everybody."""
        now = self.site.clock()
        with self.site.store.reading() as view:
            found = tables.opened(view, now, MAX_FEATURES) + tables.shared(view, now, MAX_FEATURES)
        return [each for each in self._visible(found, None) if each.place.position and model.is_open(each)]

    def forget_expired(self) -> int:
        """Delete copies that we may no longer keep."""
        with self.site.store.transaction() as tx:
            return tables.forget_expired(tx, self.site.clock())

    def _report(self, tx: Transaction, what: Report, actor: Actor) -> Change:
        now = self.site.clock()
        reference = f"{self._prefix()}-{now.year}-{tables.next_number(tx, now.year):04d}"
        change = model.report(what, self.site.new_id(), reference, actor, now)
        tables.save(tx, change)
        return change

    def _prefix(self) -> str:
        party = self.site.party
        letters = "".join(char for char in party.short_name.upper() if char.isalnum())
        return self.settings.prefix or party.locode[2:] or letters[:3] or "INC"

    def _copy_about(self, tx: Transaction, alert: AlertRaised, actor: Actor) -> Incident | None:
        """The copy that an alert is about: it is an incident already, and is only acknowledged."""
        if alert.capability != copies.CAPABILITY:
            return None
        known = self._found(tx, alert.subject.removeprefix("incident:"), actor)
        tx.append(AlertAcknowledged(at=self.site.clock(), alert_id=alert.alert_id, account=actor.account))
        return known

    def _decide(self, incident_id: str, actor: Actor, decide: Callable[[Incident, datetime], Change]) -> Incident:
        with self.site.store.transaction() as tx:
            change = decide(self._found(tx, incident_id, actor), self.site.clock())
            tables.save(tx, change)
            return change.incident

    def _found(self, view: Reading, incident_id: str, actor: Actor) -> Incident:
        known = tables.find(view, incident_id)
        if known is None or not self._visible([known], actor) or self._is_over(known):
            raise NotFound("incidents.error.unknown", hint="incidents.error.unknown.hint")
        return known

    def _is_over(self, known: Incident) -> bool:
        is_copy = known.origin is Origin.SHARED and known.handling is not None
        return bool(is_copy and known.handling and known.handling.retain_until <= self.site.clock())

    def _visible(self, found: Sequence[Incident], actor: Actor | None) -> list[Incident]:
        """Without copies of TLP:RED that do not name this person as a reader."""
        us, account = self.site.party.node_id, actor.account if actor else ""
        return [each for each in found if each.origin is Origin.OWN or reader_may_see(each.handling, account, us)]

    def _connected(self, known: Incident) -> NetworkView:
        if known.origin is not Origin.OWN:
            raise Conflict("incidents.error.not-ours", hint="incidents.error.not-ours.hint")
        network = self.network()
        if network is None:
            raise Conflict("incidents.error.no-network", hint="incidents.error.no-network.hint")
        return network


def told_of(known: Incident, timeline: Sequence[Entry], origin_name: str) -> IncidentReport:
    """What one version of an own incident tells receivers."""
    assert known.handling is not None, "what is shared has a label"
    notes = [SharedNote(at=each.at, text=each.text) for each in timeline if each.goes_along]
    return IncidentReport(
        incident_id=known.id,
        reference=known.reference,
        version=known.version,
        kind=known.kind,
        title=known.title,
        description=known.description,
        place=known.place,
        observed_at=known.observed_at,
        reported_at=known.reported_at,
        changed_at=known.changed_at,
        status=known.status,
        priority=known.priority,
        cause=known.cause,
        notes=tuple(notes[-MAX_SHARED_NOTES:]),
        handling=known.handling,
        origin_name=origin_name,
    )


def audience_names(known: Incident, roster: Roster | None) -> list[str]:
    """Who has it, by name, as far as label and roster tell; an empty name is a member not known here.

    Nothing: it is for every member, or for a group that is not known here.
    """
    if known.handling is None or known.handling.audience.scope is Scope.ALL_MEMBERS:
        return []
    audience, parties = known.handling.audience, roster.parties if roster else {}
    group = roster.groups.get(audience.group) if roster else None
    meant = audience.nodes if audience.scope is Scope.NODES else group.members if group else frozenset()
    return sorted(parties[each].name if each in parties else "" for each in meant)


def _report_of(alert: AlertRaised, say: Say) -> Report:
    sentence = one_line(say(alert.sentence, alert.values)[: MAX_TITLE_CHARS * 4], MAX_TITLE_CHARS * 4, "title")
    place = one_line(alert.values.get("place", "")[:MAX_PLACE_CHARS], MAX_PLACE_CHARS, "place")
    title = first_line(sentence, MAX_TITLE_CHARS) or alert.subject_name[:MAX_TITLE_CHARS] or alert.rule
    return Report(
        kind=model.kind_of(alert),
        title=title,
        description=sentence if sentence != title else "",
        place=Place(name=place, position=alert.position),
        observed_at=alert.at,
        priority=alert.priority,
        source_alert_id=alert.alert_id,
    )
