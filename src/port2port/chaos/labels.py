"""The oracle's labels and statements in the product's own types."""

from __future__ import annotations

from datetime import UTC, datetime

from port2port.chaos.oracle import Label, Statement
from port2port.core.handling import Agreement, Audience, Group, Handling, LegalBasis, PersonalData, Purpose, Scope, Tlp
from port2port.core.party import Compartment


def moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def handling_of(label: Label) -> Handling:
    """The product's label."""
    return Handling(
        origin=label.origin,
        tlp=Tlp(label.tlp),
        audience=Audience(Scope(label.scope), label.nodes, label.group),
        compartment=Compartment(label.compartment),
        legal_basis=LegalBasis(label.basis),
        purpose=Purpose(label.purpose),
        personal_data=PersonalData(label.data),
        retain_until=moment(label.retain_until_s),
        agreement_id=label.agreement,
        context=label.context,
        readers=label.readers,
    )


def label_of(handling: Handling) -> Label:
    """The oracle's label, read off the product's."""
    return Label(
        origin=handling.origin,
        tlp=handling.tlp.value,
        scope=handling.audience.scope.value,
        retain_until_s=handling.retain_until.timestamp(),
        agreement=handling.agreement_id,
        nodes=handling.audience.nodes,
        group=handling.audience.group,
        compartment=handling.compartment.value,
        basis=handling.legal_basis.value,
        purpose=handling.purpose.value,
        data=handling.personal_data.value,
        context=handling.context,
        readers=handling.readers,
    )


def group_of(said: Statement) -> Group:
    return Group(id=said.about, name=said.about, owner=said.by, members=said.among)


def agreement_of(said: Statement) -> Agreement:
    def covered(kind: str) -> list[str]:
        return [each.partition("/")[2] for each in sorted(said.covers) if each.startswith(kind + "/")]

    return Agreement(
        id=said.about,
        title=said.about,
        parties=said.among,
        purposes=frozenset(map(Purpose, covered("purpose"))),
        legal_basis=frozenset(map(LegalBasis, covered("basis"))),
        personal_data=frozenset(map(PersonalData, covered("data"))),
        starts=moment(said.from_s),
        ends=moment(said.until_s),
    )
