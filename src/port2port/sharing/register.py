"""The register of processing (GDPR art. 30): what is shared under each cooperation agreement. Pure.

One entry for each agreement that this organisation has signed, in force or not: the agreement is what says for
which purpose, on what ground and about whom. What was really sent and received under it is counted beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from csv import writer
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO

from port2port.core.handling import Agreement, Handling, Scope
from port2port.sharing.roster import Network


class State(StrEnum):
    """Whether anything may be shared under an agreement."""

    TO_COME = "to-come"
    IN_FORCE = "in-force"
    OVER = "over"
    ENDED = "ended"
    """By this organisation, before its end."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """What one log under one label holds."""

    handling: Handling
    own: bool
    objects: int
    kept_until: datetime | None
    """The latest date until which one of them is kept."""


@dataclass(frozen=True, kw_only=True)
class Processing:
    """One entry of the register. Letters in brackets: GDPR art. 30(1)."""

    agreement_id: str
    title: str
    state: State
    starts: datetime
    ends: datetime
    """Its end as agreed, or when this organisation ended it."""
    controller: str
    """Who keeps this register (a)."""
    recipients: tuple[str, ...]
    """The other parties, by name (d)."""
    former_recipients: tuple[str, ...]
    """Parties that have ended it."""
    purposes: tuple[str, ...]
    """(b)"""
    legal_basis: tuple[str, ...]
    personal_data: tuple[str, ...]
    """Classes of persons and of data about them (c)."""
    audiences: tuple[str, ...]
    """For whom we, and others for us, have labelled: `all-members`, `nodes`, names of groups."""
    sent: int
    """Objects of ours under it."""
    received: int
    kept_until: datetime | None
    """When the last of them is erased at the latest (f)."""


def register(network: Network, me: str, uses: Iterable[Use], now: datetime) -> list[Processing]:
    """The register of the node `me` at `now`, by title."""
    by_agreement: dict[str, list[Use]] = {}
    for use in uses:
        by_agreement.setdefault(use.handling.agreement_id, []).append(use)
    entries = [
        _entry(network, me, each, by_agreement.get(each.id, []), now)
        for each in network.roster.agreements.values()
        if me in each.parties or me in network.endings.get(each.id, {})
    ]
    return sorted(entries, key=lambda each: (each.title, each.agreement_id))


def _entry(network: Network, me: str, agreement: Agreement, uses: Sequence[Use], now: datetime) -> Processing:
    ended = network.endings.get(agreement.id, {})
    return Processing(
        agreement_id=agreement.id,
        title=agreement.title,
        state=_state(agreement, ended.get(me), now),
        starts=agreement.starts,
        ends=min(agreement.ends, ended.get(me, agreement.ends)),
        controller=_name(network, me),
        recipients=_names(network, agreement.parties - {me}),
        former_recipients=_names(network, ended.keys() - {me}),
        purposes=tuple(sorted(agreement.purposes)),
        legal_basis=tuple(sorted(agreement.legal_basis)),
        personal_data=tuple(sorted(agreement.personal_data)),
        audiences=tuple(sorted({_audience(network, each.handling) for each in uses})),
        sent=sum(each.objects for each in uses if each.own),
        received=sum(each.objects for each in uses if not each.own),
        kept_until=max((each.kept_until for each in uses if each.kept_until), default=None),
    )


def _state(agreement: Agreement, ended: datetime | None, now: datetime) -> State:
    if ended is not None:
        return State.ENDED
    if now < agreement.starts:
        return State.TO_COME
    return State.IN_FORCE if now < agreement.ends else State.OVER


def _audience(network: Network, handling: Handling) -> str:
    if handling.audience.scope is not Scope.GROUP:
        return handling.audience.scope.value
    group = network.roster.groups.get(handling.audience.group)
    return group.name if group else Scope.GROUP.value


def _names(network: Network, nodes: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(_name(network, each) for each in nodes))


def _name(network: Network, node: str) -> str:
    return network.members[node].name if node in network.members else node[:8]


COLUMNS = (
    "agreement",
    "title",
    "state",
    "starts",
    "ends",
    "controller",
    "recipients",
    "former recipients",
    "purposes",
    "legal basis",
    "personal data",
    "audiences",
    "objects sent",
    "objects received",
    "kept until",
)


def as_csv(entries: Iterable[Processing]) -> str:
    """RFC 4180, with a line of column names. A text that a spreadsheet would take for a formula is quoted by `'`."""
    out = StringIO()
    rows = writer(out)
    rows.writerow(COLUMNS)
    for each in entries:
        values = [getattr(each, name) for name in Processing.__dataclass_fields__]
        rows.writerow([_cell(value) for value in values])
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    text = "; ".join(value) if isinstance(value, tuple) else ("" if value is None else str(value))
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
