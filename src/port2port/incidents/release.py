"""From a person's choice to a label, and from the label to names: who will receive it, and why the others will not.

Pure. `core.handling.may_release` decides; here its answer is put beside each member's name before anything is sent.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from port2port.core.handling import (
    Agreement,
    Audience,
    Handling,
    LegalBasis,
    Pap,
    PersonalData,
    Purpose,
    Reason,
    Released,
    Roster,
    Scope,
    Tlp,
    may_release,
)
from port2port.core.party import Compartment, Party
from port2port.incidents.limits import DEFAULT_RETENTION_MONTHS

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person chose; None and empty take a sensible default."""

    audience: Audience
    tlp: Tlp = Tlp.AMBER
    pap: Pap = Pap.GREEN
    purpose: Purpose | None = None
    legal_basis: LegalBasis | None = None
    personal_data: PersonalData = PersonalData.NONE
    retention_months: int = DEFAULT_RETENTION_MONTHS
    agreement_id: str = ""
    """Empty: the agreement under which most of the audience may have it."""
    to_police: bool = False
    """Handed over to the police side (compartment B) instead of shared for security management."""
    readers: frozenset[str] = frozenset()
    """TLP:RED only: `account@node-id`."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One member, and whether he will receive it."""

    party: Party
    reason: Reason | None
    """Why not; None: he will."""

    @property
    def receives(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Preview:
    """What stands on the screen before anything is sent."""

    handling: Handling
    recipients: tuple[Recipient, ...]
    agreement: Agreement | None
    police: tuple[Party, ...]
    """Members on the police side, for the hand-over."""

    @property
    def receivers(self) -> dict[str, str]:
        """Node id -> name of those who will receive it."""
        return {each.party.node_id: each.party.name for each in self.recipients if each.receives}

    @property
    def is_offence_in_a(self) -> bool:
        """Refused whatever the audience: such data goes to the police side only (GDPR art. 10)."""
        return (
            self.handling.compartment is Compartment.A and self.handling.personal_data is PersonalData.OFFENCE_RELATED
        )

    @property
    def fingerprint(self) -> str:
        """Equal when label and receivers are: what is sent is what was shown."""
        label = self.handling
        parts = [
            label.tlp, label.pap, label.compartment,
            label.audience.scope, *sorted(label.audience.nodes), label.audience.group,
            label.legal_basis, label.purpose, label.personal_data, label.retain_until.isoformat(), label.agreement_id,
            label.context, *sorted(label.readers), "to", *sorted(self.receivers),
        ]  # fmt: skip
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def preview(choice: Choice, own: Party, roster: Roster, agreements: Sequence[Agreement], now: datetime) -> Preview:
    """The label that follows from a choice, and every member by name."""
    wanted = [each for each in agreements if not choice.agreement_id or each.id == choice.agreement_id]
    shown = [_under(choice, own, roster, each, now) for each in wanted]
    return max(shown, key=lambda each: len(each.receivers), default=_under(choice, own, roster, None, now))


def again(handling: Handling, own: Party, roster: Roster, now: datetime) -> Preview:
    """Who would receive another version under the label of the last one."""
    return _shown(handling, own, roster, roster.agreements.get(handling.agreement_id), now)


def default_audience(own: Party, roster: Roster) -> Audience:
    """Our first group by name; without one, nobody: widening is a person's decision."""
    ours = sorted((each.name, each.id) for each in roster.groups.values() if own.node_id in each.members)
    return Audience(Scope.GROUP, group=ours[0][1]) if ours else Audience(Scope.NODES)


def _under(choice: Choice, own: Party, roster: Roster, agreement: Agreement | None, now: datetime) -> Preview:
    return _shown(label(choice, own, agreement, now), own, roster, agreement, now)


def _shown(handling: Handling, own: Party, roster: Roster, agreement: Agreement | None, now: datetime) -> Preview:
    others = [each for node_id, each in roster.parties.items() if node_id != own.node_id]
    others.sort(key=lambda each: (each.name, each.node_id))
    recipients = tuple(Recipient(each, _reason(handling, each, roster, now)) for each in others)
    police = tuple(each for each in others if each.compartment is Compartment.B)
    return Preview(handling, recipients, agreement, police)


def _reason(handling: Handling, party: Party, roster: Roster, now: datetime) -> Reason | None:
    answer = may_release(handling, party.node_id, handling.purpose, now, roster)
    return None if isinstance(answer, Released) else answer.reason


def label(choice: Choice, own: Party, agreement: Agreement | None, now: datetime) -> Handling:
    """The label of a choice under one agreement; without an agreement it releases to nobody."""
    purposes = (Purpose.LAW_ENFORCEMENT, Purpose.PORT_SECURITY) if choice.to_police else (Purpose.PORT_SECURITY,)
    bases = (
        (LegalBasis.LAW_ENFORCEMENT, LegalBasis.LEGAL_OBLIGATION, LegalBasis.MARITIME_SECURITY_LAW)
        if choice.to_police
        else (LegalBasis.ISPS_CODE, LegalBasis.MARITIME_SECURITY_LAW)
    )
    return Handling(
        origin=own.node_id,
        tlp=choice.tlp,
        pap=choice.pap,
        audience=choice.audience,
        compartment=Compartment.B if choice.to_police else own.compartment,
        legal_basis=choice.legal_basis or _first(bases, agreement.legal_basis if agreement else ()),
        purpose=choice.purpose or _first(purposes, agreement.purposes if agreement else ()),
        personal_data=choice.personal_data,
        retain_until=months_after(now, choice.retention_months),
        agreement_id=agreement.id if agreement else choice.agreement_id,
        readers=choice.readers if choice.tlp is Tlp.RED else frozenset(),
    )


def _first(preferred: Sequence[T], covered: Iterable[T]) -> T:
    """The first preferred value that is covered, else any that is covered, else the first preferred."""
    found = set(covered)
    return next((each for each in preferred if each in found), min(found, key=str, default=preferred[0]))


def months_after(now: datetime, months: int) -> datetime:
    """The end (UTC midnight) of the day that many calendar months later."""
    month = now.month - 1 + months
    year, month = now.year + month // 12, month % 12 + 1
    day = min(now.day, calendar.monthrange(year, month)[1])
    return datetime.combine(datetime(year, month, day, tzinfo=UTC).date(), time(), UTC) + timedelta(days=1)
