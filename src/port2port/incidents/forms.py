"""What forms and programs send, read strictly: everything that is not on a list is a `BadInput`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from port2port.core.alert import Priority
from port2port.core.errors import BadInput
from port2port.core.handling import (
    Audience,
    LegalBasis,
    Pap,
    PersonalData,
    Purpose,
    Roster,
    Scope,
    Tlp,
    all_members,
    named_nodes,
    sharing_group,
)
from port2port.core.place import Position
from port2port.incidents.limits import (
    MAX_ID_CHARS,
    MAX_NODES,
    MAX_PLACE_CHARS,
    MAX_READERS,
    MAX_RETENTION_MONTHS,
    MAX_TEXT_CHARS,
    MAX_TITLE_CHARS,
)
from port2port.incidents.model import Kind, Place, Report
from port2port.incidents.release import Choice
from port2port.incidents.text import first_line, one_line, paragraphs

E = TypeVar("E", bound=Enum)
Fields = Mapping[str, str]

MINUTES_AGO = (0, 5, 15, 30, 60, 180, 720)
"""What the phone form offers for `when`."""
NODE_FIELD = "node:"


def choice_of(kind: type[E], text: str) -> E:
    """A value of a list. Raises `BadInput`."""
    try:
        return kind(text)
    except ValueError as error:
        raise BadInput("incidents.error.choice", hint="incidents.error.choice.hint") from error


def number_of(text: str, least: int, most: int) -> int:
    """A whole number within limits. Raises `BadInput`."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        raise BadInput("incidents.error.number", hint="incidents.error.number.hint")
    return int(text)


def priority_of(text: str) -> Priority:
    return Priority(number_of(text, Priority.URGENT, Priority.LOW))


def report_of(fields: Fields, kind_word: str, now: datetime) -> Report:
    """The phone form. `kind_word`: the kind in words, the title of a report without any text. Raises `BadInput`."""
    description = paragraphs(fields.get("description", ""), MAX_TEXT_CHARS, "text-long")
    place = one_line(fields.get("place", ""), MAX_PLACE_CHARS, "place-long")
    position = position_of(fields.get("latitude", ""), fields.get("longitude", ""))
    if not place and position is None:
        raise BadInput("incidents.error.place", hint="incidents.error.place.hint")
    minutes = number_of(fields.get("minutes_ago", "0"), 0, MINUTES_AGO[-1])
    return Report(
        kind=choice_of(Kind, fields.get("kind", "")),
        title=first_line(description, MAX_TITLE_CHARS) or kind_word,
        description=description,
        place=Place(name=place, position=position),
        observed_at=now - timedelta(minutes=minutes),
        priority=priority_of(fields.get("priority", str(Priority.MEDIUM.value))),
        draft_id=fields.get("draft_id", "")[:MAX_ID_CHARS],
    )


def position_of(latitude: str, longitude: str) -> Position | None:
    """Two numbers in degrees, or nothing at all. Raises `BadInput`."""
    if not latitude and not longitude:
        return None
    if not all(re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", text) for text in (latitude, longitude)):
        raise BadInput("incidents.error.position")
    return position_at(float(latitude), float(longitude))


def position_at(latitude_deg: float, longitude_deg: float) -> Position:
    """Raises `BadInput` outside the globe."""
    if not (-90 <= latitude_deg <= 90 and -180 <= longitude_deg <= 180):
        raise BadInput("incidents.error.position")
    return Position(latitude_deg, longitude_deg)


def share_choice(fields: Fields, default_months: int, roster: Roster) -> Choice:
    """The form for sharing. Empty fields take the defaults of `Choice`. Raises `BadInput`."""
    purpose, basis = fields.get("purpose", ""), fields.get("legal_basis", "")
    return Choice(
        audience=_audience(fields),
        tlp=choice_of(Tlp, fields.get("tlp") or Tlp.AMBER),
        pap=choice_of(Pap, fields.get("pap") or Pap.GREEN),
        purpose=choice_of(Purpose, purpose) if purpose else None,
        legal_basis=choice_of(LegalBasis, basis) if basis else None,
        personal_data=choice_of(PersonalData, fields.get("personal_data") or PersonalData.NONE),
        retention_months=number_of(fields.get("months") or str(default_months), 1, MAX_RETENTION_MONTHS),
        agreement_id=fields.get("agreement", "")[:MAX_ID_CHARS],
        to_police=fields.get("to_police") == "on",
        readers=readers_of(fields.get("readers", ""), roster),
    )


def _audience(fields: Fields) -> Audience:
    scope, _, group = fields.get("audience", "").partition(":")
    if scope == "group" and 0 < len(group) <= MAX_ID_CHARS:
        return sharing_group(group)
    if scope == "all":
        return all_members()
    if scope in ("nodes", ""):
        return named_nodes(*(key.removeprefix(NODE_FIELD) for key in fields if key.startswith(NODE_FIELD)))
    raise BadInput("incidents.error.choice", hint="incidents.error.choice.hint")


def audience_of(group: str, nodes: list[str], everybody: bool) -> Audience:
    """A program's audience: exactly one of the three forms. Raises `BadInput`."""
    if (bool(group), bool(nodes), everybody).count(True) != 1 or len(nodes) > MAX_NODES:
        raise BadInput("incidents.error.audience", hint="incidents.error.audience.hint")
    if everybody:
        return all_members()
    return sharing_group(group) if group else named_nodes(*nodes)


def readers_of(text: str, roster: Roster) -> frozenset[str]:
    """`account@short name` (or node id), one per line, as `account@node-id`. Raises `BadInput`."""
    ids = {each.short_name.casefold(): node_id for node_id, each in roster.parties.items()}
    lines = [line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()]
    found = set()
    for line in lines[: MAX_READERS + 1]:
        account, _, organisation = line.rpartition("@")
        node_id = organisation if organisation in roster.parties else ids.get(organisation.strip().casefold())
        if node_id is None or not 0 < len(account) <= MAX_ID_CHARS:
            raise BadInput("incidents.error.readers", hint="incidents.error.readers.hint")
        found.add(f"{account}@{node_id}")
    if len(lines) > MAX_READERS:
        raise BadInput("incidents.error.readers", hint="incidents.error.readers.hint")
    return frozenset(found)


def audience_field(audience: Audience) -> str:
    """The form's value of an audience."""
    if audience.scope is Scope.GROUP:
        return f"group:{audience.group}"
    return "all" if audience.scope is Scope.ALL_MEMBERS else "nodes"
