"""What may stand in a MISP feed directory. Pure.

Whoever can read the directory can read all of it, so a feed is not a member of the network and has no name in an
audience. Two kinds of directory:

    for others      objects of ours only, meant for all members, under an agreement in force; TLP:CLEAR of anybody
    for ourselves   read by this organisation's own MISP: whatever this node itself may have, up to TLP:AMBER+STRICT

TLP:RED, the police side, personal data, exercises and what is over its retention date are in neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from port2port.core.errors import BadInput
from port2port.core.handling import LIVE, Handling, PersonalData, Roster, Scope, Tlp, Withheld, may_release
from port2port.core.party import Compartment
from port2port.sharing.misp.core_format import Event
from port2port.sharing.misp.tags import read_tags

_PERSONAL = ("road-vehicle", "access-badge", "natural-person", "phone-number", "user-account", "email-message")
"""Types that say something about a person as soon as they stand beside a suspicion."""
_WIDEST_FIRST = list(Tlp)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided for one directory."""

    tlp_at_most: Tlp = Tlp.GREEN
    for_ourselves: bool = False

    def __post_init__(self) -> None:
        if self.tlp_at_most is Tlp.RED:
            raise BadInput("TLP:RED names its readers one by one: it never stands in a feed.")
        if self.tlp_at_most is Tlp.AMBER_STRICT and not self.for_ourselves:
            hint = "Add --for-ourselves if only this organisation's own MISP reads the folder."
            raise BadInput("TLP:AMBER+STRICT stays within one organisation.", hint=hint)

    def problem(self, handling: Handling, us: str, at: datetime, roster: Roster) -> str:
        """Why an object may not stand in the directory now; empty: it may."""
        return (
            self._never(handling)
            or self._outside(handling, us, at, roster)
            or _withheld(handling, us, at, roster)
            or ""
        )

    def _never(self, handling: Handling) -> str | None:
        if _WIDEST_FIRST.index(handling.tlp) > _WIDEST_FIRST.index(self.tlp_at_most):
            return "tlp-too-strict"
        if handling.compartment is not Compartment.A:
            return "police-side"
        if handling.personal_data is not PersonalData.NONE:
            return "personal-data"
        return "exercise" if handling.context != LIVE else None

    def _outside(self, handling: Handling, us: str, at: datetime, roster: Roster) -> str | None:
        """What keeps an object from readers outside this organisation."""
        if self.for_ourselves or handling.tlp is Tlp.CLEAR:
            return None
        if handling.origin != us:
            return "not-ours"
        if handling.audience.scope is not Scope.ALL_MEMBERS:
            return "not-for-all-members"
        agreement = roster.agreements.get(handling.agreement_id)
        return None if agreement is not None and agreement.starts <= at < agreement.ends else "no-agreement"


def _withheld(handling: Handling, us: str, at: datetime, roster: Roster) -> str | None:
    """Whether this node itself may (still) have it: retention, revoked members, ended agreements."""
    answer = may_release(handling, us, handling.purpose, at, roster)
    return answer.reason.value if isinstance(answer, Withheld) else None


def is_marked_stricter(event: Event, handling: Handling) -> bool:
    """Whether something in the event has a stricter colour than the label under which it was shared."""
    names = [tag.name for tag in event.tags]
    names += [tag.name for each in event.all_attributes() for tag in each.tags]
    tlp, _, _ = read_tags(names)
    return tlp is None or _WIDEST_FIRST.index(tlp) > _WIDEST_FIRST.index(handling.tlp)


def is_about_a_person(objects: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the objects hold what a label `no personal data` does not fit: such a body is not exported."""
    return any(
        each.get("type") in _PERSONAL
        or (each.get("type") == "uas" and "operator_id" in each)
        or (each.get("type") == "identity" and each.get("identity_class") == "individual")
        or (each.get("type") == "indicator" and _names_person(str(each.get("pattern", ""))))
        for each in objects
    )


def _names_person(pattern: str) -> bool:
    return any(f"{kind}:" in pattern for kind in _PERSONAL) or "uas:operator_id" in pattern
