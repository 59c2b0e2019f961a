"""Pages about incidents: thin handlers that parse, call one verb, and show what `pages` puts together."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Redirect, Template

from port2port.core.party import Role
from port2port.incidents import forms
from port2port.incidents.limits import MAX_FORM_BYTES, MAX_TEXT_CHARS
from port2port.incidents.model import Cause, Kind
from port2port.incidents.pages import ACTING, Answer, Asked, Pages, say_for
from port2port.incidents.service import IncidentService
from port2port.incidents.text import paragraphs
from port2port.web import Actor, Form, FromPath, FromQuery, allow, page, see_other


def routes(service: IncidentService) -> list[Any]:
    """The route handlers, bound to one service."""
    pages = Pages(service)
    anybody: dict[str, Any] = {"guards": [allow()], "sync_to_thread": True, "request_max_body_size": MAX_FORM_BYTES}
    acting: dict[str, Any] = {**anybody, "guards": [allow(*ACTING)]}

    @get("/incidents", guards=[allow()], sync_to_thread=True)
    def list_incidents(actor: Actor, closed: FromQuery[bool] = False) -> Template:
        return page("incidents/list.html", lists=service.lists(actor), closed=closed, **pages.helpers())

    @get("/incidents/{incident_id:str}", guards=[allow()], sync_to_thread=True)
    def show(request: Asked, actor: Actor, incident_id: FromPath[str]) -> Template:
        return page("incidents/page.html", **pages.detail(request, actor, incident_id))

    @get("/incidents/{incident_id:str}/detail", guards=[allow()], sync_to_thread=True)
    def show_detail(request: Asked, actor: Actor, incident_id: FromPath[str]) -> Template:
        return page("incidents/detail.html", **pages.detail(request, actor, incident_id))

    @post("/incidents/from-alert/{alert_id:str}", **acting)
    def from_alert(request: Asked, actor: Actor, alert_id: FromPath[str]) -> Redirect:
        return see_other(f"/incidents/{service.from_alert(alert_id, actor, say_for(request)).id}")

    @get("/report", guards=[allow()], sync_to_thread=True)
    def report_form() -> Template:
        return page("incidents/report.html", **pages.report_form())

    @post("/report", **anybody)
    def report(request: Asked, actor: Actor, data: Form) -> Redirect:
        kind = forms.choice_of(Kind, data.get("kind", ""))
        word = say_for(request)(f"incidents.kind.{kind}", {})
        told = forms.report_of(data, word, service.site.clock())
        return see_other(f"/incidents/{service.report(told, actor).id}")

    @post("/incidents/{incident_id:str}/triage", **acting)
    def triage(request: Asked, actor: Actor, incident_id: FromPath[str], data: Form) -> Answer:
        kind, priority = forms.choice_of(Kind, data.get("kind", "")), forms.priority_of(data.get("priority", ""))
        return pages.after(request, actor, incident_id, lambda: service.triage(incident_id, kind, priority, actor))

    @post("/incidents/{incident_id:str}/assign", **acting)
    def assign(request: Asked, actor: Actor, incident_id: FromPath[str], data: Form) -> Answer:
        named = data.get("role", "")
        role, account = (forms.choice_of(Role, named), "") if named else (None, actor.account)
        return pages.after(request, actor, incident_id, lambda: service.assign(incident_id, role, account, actor))

    @post("/incidents/{incident_id:str}/notes", **anybody)
    def note(request: Asked, actor: Actor, incident_id: FromPath[str], data: Form) -> Answer:
        text = paragraphs(data.get("text", ""), MAX_TEXT_CHARS, "text-long")
        along = data.get("goes_along") == "on" and actor.role in ACTING
        return pages.after(request, actor, incident_id, lambda: service.note(incident_id, text, along, actor))

    @post("/incidents/{incident_id:str}/close", **acting)
    def close(request: Asked, actor: Actor, incident_id: FromPath[str], data: Form) -> Answer:
        cause = forms.choice_of(Cause, data.get("cause", ""))
        return pages.after(request, actor, incident_id, lambda: service.close(incident_id, cause, actor))

    @get("/incidents/{incident_id:str}/share", guards=[allow(*ACTING)], sync_to_thread=True)
    def share_form(request: Asked, actor: Actor, incident_id: FromPath[str]) -> Template:
        return pages.share_form(request, actor, incident_id)

    @post("/incidents/{incident_id:str}/share", **acting)
    def share(request: Asked, actor: Actor, incident_id: FromPath[str], data: Form) -> Answer:
        return pages.share(request, actor, incident_id, data)

    @post("/incidents/{incident_id:str}/update", **acting)
    def send_update(request: Asked, actor: Actor, incident_id: FromPath[str], data: Form) -> Answer:
        seen = data.get("seen", "")
        return pages.after(request, actor, incident_id, lambda: pages.send_update(actor, incident_id, seen))

    return [
        list_incidents, show, show_detail, from_alert, report_form, report, triage, assign, note, close, share_form,
        share, send_update,
    ]  # fmt: skip
