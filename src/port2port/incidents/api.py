"""The same verbs for programs, under /api/incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from msgspec import Meta

from port2port.core.alert import Priority
from port2port.core.clock import require_utc
from port2port.core.errors import BadInput, NotAllowed
from port2port.core.handling import LegalBasis, Pap, PersonalData, Purpose, Reason, Roster, Tlp
from port2port.core.party import Role
from port2port.incidents import forms, view
from port2port.incidents.limits import (
    MAX_FORM_BYTES,
    MAX_ID_CHARS,
    MAX_NODES,
    MAX_PLACE_CHARS,
    MAX_READERS,
    MAX_RETENTION_MONTHS,
    MAX_TEXT_CHARS,
    MAX_TITLE_CHARS,
)
from port2port.incidents.model import Cause, Kind, Place, Report
from port2port.incidents.pages import ACTING, Asked, say_for
from port2port.incidents.release import Choice
from port2port.incidents.service import IncidentService
from port2port.incidents.text import first_line, one_line, paragraphs
from port2port.web import Actor, FromPath, FromQuery, JSONBody, allow

Id = Annotated[str, Meta(max_length=MAX_ID_CHARS)]
ShortQuery = Annotated[str, QueryParameter(max_length=MAX_ID_CHARS)]
Months = Annotated[int, Meta(ge=1, le=MAX_RETENTION_MONTHS)]


class NewIncident(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Either `from_alert` alone, or a report."""

    from_alert: Id = ""
    kind: Kind = Kind.OTHER
    title: Annotated[str, Meta(max_length=MAX_TITLE_CHARS)] = ""
    description: Annotated[str, Meta(max_length=MAX_TEXT_CHARS)] = ""
    place: Annotated[str, Meta(max_length=MAX_PLACE_CHARS)] = ""
    latitude_deg: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude_deg: Annotated[float, Meta(ge=-180, le=180)] | None = None
    observed_at: Annotated[datetime, Meta(tz=True)] | None = None
    priority: Priority = Priority.MEDIUM
    draft_id: Id = ""


class Triage(msgspec.Struct, forbid_unknown_fields=True):
    kind: Kind
    priority: Priority


class Assign(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    role: Role | None = None
    account: Id = ""


class NewNote(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
    goes_along: bool = False


class Close(msgspec.Struct, forbid_unknown_fields=True):
    cause: Cause


class ToWhom(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of the three."""

    group: Id = ""
    nodes: Annotated[list[Id], Meta(max_length=MAX_NODES)] = []
    all: bool = False


class Share(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    audience: ToWhom
    tlp: Tlp = Tlp.AMBER
    pap: Pap = Pap.GREEN
    purpose: Purpose | None = None
    legal_basis: LegalBasis | None = None
    personal_data: PersonalData = PersonalData.NONE
    retention_months: Months | None = None
    agreement_id: Id = ""
    to_police: bool = False
    readers: Annotated[list[Id], Meta(max_length=MAX_READERS)] = []


def api_routes(service: IncidentService) -> list[Any]:
    """The route handlers, bound to one service."""
    everybody: dict[str, Any] = {"guards": [allow()], "sync_to_thread": True}
    anybody: dict[str, Any] = {**everybody, "request_max_body_size": MAX_FORM_BYTES}
    acting: dict[str, Any] = {**anybody, "guards": [allow(*ACTING)], "status_code": 200}

    @get("/api/incidents", **everybody)
    def list_all(actor: Actor) -> dict[str, Any]:
        """All that the caller may know of, newest change first, at most `limits.MAX_ROWS`."""
        roster = service.roster()
        return {"incidents": [view.as_json(each, roster) for each in service.all(actor)]}

    @get("/api/incidents/{incident_id:str}", **everybody)
    def one(actor: Actor, incident_id: FromPath[str]) -> dict[str, Any]:
        entries = [view.entry_json(each) for each in service.timeline(incident_id, actor)]
        return {**view.as_json(service.get(incident_id, actor), service.roster()), "timeline": entries}

    @post("/api/incidents", **anybody)
    def create(request: Asked, actor: Actor, data: JSONBody[NewIncident]) -> dict[str, Any]:
        if data.from_alert:
            if actor.role not in ACTING:
                raise NotAllowed("web.error.role", hint="web.error.role.hint")
            return view.as_json(service.from_alert(data.from_alert, actor, say_for(request)))
        word = say_for(request)(f"incidents.kind.{data.kind}", {})
        return view.as_json(service.report(_report(data, word, service.site.clock()), actor))

    @post("/api/incidents/{incident_id:str}/triage", **acting)
    def triage(actor: Actor, incident_id: FromPath[str], data: JSONBody[Triage]) -> dict[str, Any]:
        return view.as_json(service.triage(incident_id, data.kind, data.priority, actor))

    @post("/api/incidents/{incident_id:str}/assign", **acting)
    def assign(actor: Actor, incident_id: FromPath[str], data: JSONBody[Assign]) -> dict[str, Any]:
        return view.as_json(service.assign(incident_id, data.role, data.account, actor))

    @post("/api/incidents/{incident_id:str}/notes", **anybody)
    def note(actor: Actor, incident_id: FromPath[str], data: JSONBody[NewNote]) -> dict[str, Any]:
        text = paragraphs(data.text, MAX_TEXT_CHARS, "text-long")
        return view.as_json(service.note(incident_id, text, data.goes_along and actor.role in ACTING, actor))

    @post("/api/incidents/{incident_id:str}/close", **acting)
    def close(actor: Actor, incident_id: FromPath[str], data: JSONBody[Close]) -> dict[str, Any]:
        return view.as_json(service.close(incident_id, data.cause, actor))

    @get("/api/incidents/{incident_id:str}/recipients", guards=[allow(*ACTING)], sync_to_thread=True)
    def recipients(
        request: Asked,
        actor: Actor,
        incident_id: FromPath[str],
        group: ShortQuery = "",
        nodes: Annotated[str, QueryParameter(max_length=MAX_NODES * 65)] = "",
        everybody: FromQuery[bool] = False,
        tlp: FromQuery[Tlp] = Tlp.AMBER,
        personal_data: FromQuery[PersonalData] = PersonalData.NONE,
        agreement_id: ShortQuery = "",
        to_police: FromQuery[bool] = False,
    ) -> dict[str, Any]:
        """Who would receive it, by name. `nodes`: ids separated by commas; `everybody`: all members."""
        audience = forms.audience_of(group, [each for each in nodes.split(",") if each], everybody)
        choice = Choice(
            audience=audience,
            tlp=tlp,
            personal_data=personal_data,
            retention_months=service.settings.retention_months,
            agreement_id=agreement_id,
            to_police=to_police,
        )
        return view.preview_json(service.preview(incident_id, choice, actor), _reasons(request))

    @post("/api/incidents/{incident_id:str}/share", **acting)
    def share(actor: Actor, incident_id: FromPath[str], data: JSONBody[Share]) -> dict[str, Any]:
        choice = _choice(data, service.settings.retention_months, service.roster() or Roster())
        return view.as_json(service.share(incident_id, choice, actor), service.roster())

    @post("/api/incidents/{incident_id:str}/update", **acting)
    def send_update(actor: Actor, incident_id: FromPath[str]) -> dict[str, Any]:
        """Send what has changed to the same audience."""
        return view.as_json(service.send_update(incident_id, actor), service.roster())

    return [list_all, one, create, triage, assign, note, close, recipients, share, send_update]


def _report(data: NewIncident, word: str, now: datetime) -> Report:
    if (data.latitude_deg is None) != (data.longitude_deg is None):
        raise BadInput("incidents.error.position")
    known = data.latitude_deg is not None and data.longitude_deg is not None
    place = one_line(data.place, MAX_PLACE_CHARS, "place-long")
    if not place and not known:
        raise BadInput("incidents.error.place", hint="incidents.error.place.hint")
    description = paragraphs(data.description, MAX_TEXT_CHARS, "text-long")
    title = one_line(data.title, MAX_TITLE_CHARS, "title") or first_line(description, MAX_TITLE_CHARS)
    return Report(
        kind=data.kind,
        title=title or word,
        description=description,
        place=Place(
            name=place,
            position=forms.position_at(data.latitude_deg or 0.0, data.longitude_deg or 0.0) if known else None,
        ),
        observed_at=require_utc(data.observed_at) if data.observed_at else now,
        priority=data.priority,
        draft_id=data.draft_id,
    )


def _choice(data: Share, default_months: int, roster: Roster) -> Choice:
    return Choice(
        audience=forms.audience_of(data.audience.group, data.audience.nodes, data.audience.all),
        tlp=data.tlp,
        pap=data.pap,
        purpose=data.purpose,
        legal_basis=data.legal_basis,
        personal_data=data.personal_data,
        retention_months=data.retention_months or default_months,
        agreement_id=data.agreement_id,
        to_police=data.to_police,
        readers=forms.readers_of("\n".join(data.readers), roster),
    )


def _reasons(request: Asked) -> dict[str, str]:
    say = say_for(request)
    return {"receives": "", **{reason.value: say(f"incidents.reason.{reason}", {}) for reason in Reason}}
