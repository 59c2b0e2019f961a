"""How incidents look to templates, programs and the map. Pure but for `as_features`, which asks the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from port2port.core.handling import Roster
from port2port.incidents.model import Entry, Incident, Origin, Status
from port2port.incidents.release import Preview, Recipient
from port2port.incidents.service import IncidentService, audience_names
from port2port.incidents.text import where


def next_step(known: Incident) -> str:
    """Word key of what to do now."""
    if known.origin is Origin.SHARED:
        return "incidents.next.copy"
    if known.unsent:
        return "incidents.next.update"
    return f"incidents.next.{known.status}"


def state(known: Incident) -> str:
    """Word key of who has it."""
    if known.status is Status.ASSIGNED and known.origin is Origin.SHARED:
        return "incidents.state.assigned-there"
    if known.status is Status.CLOSED and known.cause is not None:
        return f"incidents.state.closed.{known.cause}"
    return f"incidents.state.{known.status}"


def where_of(known: Incident) -> str:
    """The place for people."""
    return where(known.place.name, known.place.position)


def tlp_class(tlp: str) -> str:
    """`TLP:AMBER+STRICT` as the end of a word key or a style class: `amber-strict`."""
    return tlp.removeprefix("TLP:").lower().replace("+", "-")


def as_json(known: Incident, roster: Roster | None = None) -> dict[str, Any]:
    """One incident for programs. Times are RFC 3339, positions degrees."""
    position = known.place.position
    return {
        "id": known.id,
        "reference": known.reference,
        "kind": known.kind,
        "title": known.title,
        "description": known.description,
        "place": known.place.name,
        "position": {"latitude_deg": position.latitude_deg, "longitude_deg": position.longitude_deg}
        if position
        else None,
        "observed_at": known.observed_at,
        "reported_at": known.reported_at,
        "changed_at": known.changed_at,
        "status": known.status,
        "priority": known.priority,
        "assigned_role": known.assigned_role,
        "assigned_account": known.assigned_account,
        "cause": known.cause,
        "origin": known.origin,
        "origin_name": known.origin_name,
        "source_alert": known.source_alert_id,
        "version": known.version,
        "unsent": known.unsent,
        "handling": known.handling,
        "notes": [{"at": each.at, "text": each.text} for each in known.notes],
        "audience": audience_names(known, roster) if known.handling else [],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One line of a timeline for programs: word keys, not sentences."""
    return {
        "number": entry.number,
        "at": entry.at,
        "what": entry.what,
        "account": entry.account,
        "values": entry.values,
        "text": entry.text,
        "goes_along": entry.goes_along,
    }


def preview_json(shown: Preview, words: Mapping[str, str]) -> dict[str, Any]:
    """Who will receive it. `words`: reason -> sentence in the caller's language."""
    return {
        "recipients": [_recipient_json(each, words) for each in shown.recipients],
        "handling": shown.handling,
        "agreement": shown.agreement.title if shown.agreement else None,
        "refused": "offence-data-in-a" if shown.is_offence_in_a else None,
        "police": [each.name for each in shown.police],
    }


def _recipient_json(each: Recipient, words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "node_id": each.party.node_id,
        "name": each.party.name,
        "short_name": each.party.short_name,
        "receives": each.receives,
        "reason": each.reason,
        "why": words.get(each.reason or "receives", ""),
    }


def as_features(service: IncidentService) -> dict[str, Any]:
    """Open incidents on the map: a GeoJSON FeatureCollection (RFC 7946) of points."""
    return {"type": "FeatureCollection", "features": [_feature(each) for each in service.on_map()]}


def _feature(known: Incident) -> dict[str, Any]:
    position = known.place.position
    assert position is not None
    name = f"{known.reference} {known.title}"
    return {
        "type": "Feature",
        "id": known.id,
        "geometry": {"type": "Point", "coordinates": [position.longitude_deg, position.latitude_deg]},
        "properties": {"id": known.id, "name": name, "style": "incident"},
    }
