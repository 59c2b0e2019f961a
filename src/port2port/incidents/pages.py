"""What the templates get, and the two steps of sharing: first the names, then the sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from litestar import Request
from litestar.response import Redirect, Template

from port2port.core.errors import BadInput, Conflict, Port2PortError
from port2port.core.handling import (
    LIVE,
    Agreement,
    LegalBasis,
    Pap,
    PersonalData,
    Purpose,
    Roster,
    Scope,
    Tlp,
    named_nodes,
)
from port2port.core.party import Actor, Compartment, Role
from port2port.incidents import forms, view
from port2port.incidents.limits import MAX_PLACE_CHARS, MAX_TEXT_CHARS
from port2port.incidents.model import Cause, Entry, Incident, Kind, Origin, is_open
from port2port.incidents.release import Choice, Preview, default_audience
from port2port.incidents.service import IncidentService, Say, audience_names
from port2port.web import accounts_of, page, see_other
from port2port.web.pages import language_of
from port2port.web.state import shared

ACTING = (Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR)
"""Who may triage, assign, close and share. Reporting and noting is for everybody."""

Asked: TypeAlias = Request[Any, Any, Any]
Answer: TypeAlias = Template | Redirect


def say_for(request: Asked) -> Say:
    """Words in the language of the person who asks: key and values to text."""
    words, language = shared(request).surface.words, language_of(request)

    def say(key: str, values: Mapping[str, str]) -> str:
        return words.say(language, key, **values)

    return say


def is_fragment(request: Asked) -> bool:
    """Whether the console's detail pane asks (htmx), which wants the fragment alone."""
    return request.headers.get("hx-request") == "true"


class Pages:
    """Answers for one service."""

    def __init__(self, service: IncidentService) -> None:
        self._service = service

    def helpers(self) -> dict[str, Any]:
        return {
            "state": view.state,
            "next_step": view.next_step,
            "where": view.where_of,
            "tlp_class": view.tlp_class,
            "is_open": is_open,
            "is_copy": lambda known: known.origin is Origin.SHARED,
            "LIVE": LIVE,
        }

    def detail(
        self, request: Asked, actor: Actor, incident_id: str, refused: Port2PortError | None = None
    ) -> dict[str, Any]:
        """One incident with everything that can be done with it."""
        known = self._service.get(incident_id, actor)
        names = {each.id: each.name for each in accounts_of(request.app).all()}
        say = say_for(request)
        return {
            **self.helpers(),
            "incident": known,
            "refused": refused,
            "holder": _holder(known, names, say),
            "lines": _lines(known, self._service.timeline(incident_id, actor), names, say),
            "audience": audience_names(known, self._service.roster()),
            "to_all": known.handling is not None and known.handling.audience.scope is Scope.ALL_MEMBERS,
            "may_act": actor.role in ACTING,
            "update": self._update(known, actor),
            "kinds": list(Kind),
            "roles": [Role.OPERATOR, Role.SECURITY_OFFICER, Role.READER],
            "causes": list(Cause),
            "most_chars": MAX_TEXT_CHARS,
        }

    def after(self, request: Asked, actor: Actor, incident_id: str, verb: Callable[[], object]) -> Answer:
        """Do it; then the fragment for the console, with what was refused, and the page for everybody else."""
        if not is_fragment(request):
            verb()
            return see_other(f"/incidents/{incident_id}")
        refused: Port2PortError | None = None
        try:
            verb()
        except (BadInput, Conflict) as error:
            refused = error
        return page("incidents/detail.html", **self.detail(request, actor, incident_id, refused))

    def report_form(self) -> dict[str, Any]:
        return {
            "kinds": list(Kind),
            "minutes": forms.MINUTES_AGO,
            "draft_id": self._service.site.new_id(),
            "most_chars": MAX_TEXT_CHARS,
            "most_place_chars": MAX_PLACE_CHARS,
        }

    def send_update(self, actor: Actor, incident_id: str, seen: str) -> Incident:
        """Send to exactly those who were shown."""
        shown = self._service.preview_update(incident_id, actor)
        if seen != shown.fingerprint:
            raise Conflict("incidents.error.audience-changed", hint="incidents.error.audience-changed.hint")
        return self._service.send(incident_id, shown, actor)

    def share(self, request: Asked, actor: Actor, incident_id: str, data: Mapping[str, str]) -> Answer:
        """Show the names again, or send to exactly those who were shown."""
        choice = self._choice(data)
        if data.get("step") != "send":
            return self.share_form(request, actor, incident_id, choice)
        shown = self._service.preview(incident_id, choice, actor)
        if data.get("seen") != shown.fingerprint:
            return self.share_form(request, actor, incident_id, choice, notice="incidents.share.changed")
        return self.after(request, actor, incident_id, lambda: self._service.send(incident_id, shown, actor))

    def share_form(
        self, request: Asked, actor: Actor, incident_id: str, choice: Choice | None = None, notice: str = ""
    ) -> Template:
        """What would be sent, how, and every member by name; or why it cannot be shared."""
        known = self._service.get(incident_id, actor)
        network = self._service.network()
        template = "incidents/share_fragment.html" if is_fragment(request) else "incidents/share.html"
        if network is None or known.origin is not Origin.OWN:
            return page(template, incident=known, shown=None, **self.helpers())
        roster = network.roster()
        choice = choice or self._default_choice(known, roster)
        return page(
            template,
            incident=known,
            notes=[each for each in self._service.timeline(incident_id, actor) if each.goes_along],
            shown=self._service.preview(incident_id, choice, actor),
            choice=choice,
            audience=forms.audience_field(choice.audience),
            notice=notice,
            **self._options(roster, network.own_agreements()),
            **self.helpers(),
        )

    def _choice(self, data: Mapping[str, str]) -> Choice:
        """The form's choice; from the refusal of offence data one step leads to the police members alone."""
        roster = self._service.roster() or Roster()
        choice = forms.share_choice(data, self._service.settings.retention_months, roster)
        if data.get("step") != "police":
            return choice
        police = [each.node_id for each in roster.parties.values() if each.compartment is Compartment.B]
        return replace(choice, audience=named_nodes(*police), to_police=True, purpose=None, legal_basis=None)

    def _default_choice(self, known: Incident, roster: Roster) -> Choice:
        """The usual one; what was shared before is proposed no wider than it was."""
        months, last = self._service.settings.retention_months, known.handling
        usual = Choice(audience=default_audience(self._service.site.party, roster), retention_months=months)
        if last is None:
            return usual
        return replace(usual, tlp=last.tlp, pap=last.pap, personal_data=last.personal_data, readers=last.readers)

    def _options(self, roster: Roster, agreements: Sequence[Agreement]) -> dict[str, Any]:
        us = self._service.site.party.node_id
        return {
            "groups": sorted(roster.groups.values(), key=lambda each: each.name),
            "members": sorted((each for each in roster.parties.values() if each.node_id != us), key=lambda p: p.name),
            "agreements": agreements,
            "tlps": list(Tlp),
            "paps": list(Pap),
            "purposes": list(Purpose),
            "bases": list(LegalBasis),
            "classes": list(PersonalData),
        }

    def _update(self, known: Incident, actor: Actor) -> Preview | None:
        """Who would receive an update, when there is something to send and somebody to send it to."""
        if not known.unsent or known.origin is not Origin.OWN or self._service.network() is None:
            return None
        return self._service.preview_update(known.id, actor)


def _holder(known: Incident, names: Mapping[str, str], say: Say) -> str:
    """Who has it, in words."""
    if known.assigned_role:
        return say(f"web.role.{known.assigned_role}", {})
    return names.get(known.assigned_account, known.assigned_account)


def _lines(known: Incident, entries: Sequence[Entry], names: Mapping[str, str], say: Say) -> list[dict[str, Any]]:
    """The timeline in words, with the notes that came along with a copy at their own time."""
    written = say("incidents.entry.note-from", {"origin": known.origin_name})
    came = [{"at": each.at, "who": "", "what": written, "text": each.text, "goes_along": False} for each in known.notes]
    return sorted([_line(each, names, say) for each in entries] + came, key=lambda line: line["at"])


def _line(entry: Entry, names: Mapping[str, str], say: Say) -> dict[str, Any]:
    """One line of the timeline in words."""
    values = {key: names.get(value, value) if key == "who" else value for key, value in entry.values.items()}
    words = {key: say(word, {}) for key, word in entry.words.items()}
    return {
        "at": entry.at,
        "who": names.get(entry.account, entry.account),
        "what": say(entry.what, {**values, **words}),
        "text": entry.text,
        "goes_along": entry.goes_along,
    }
