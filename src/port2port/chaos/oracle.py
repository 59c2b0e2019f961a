"""Who may have what, said a second time: slowly, from the design alone. Imports nothing of the program.

Labels and rosters are plain values, times are seconds since 1970. Every rule is a sentence with the word for its
refusal; all of them are asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Label:
    """What is written on an object."""

    origin: str
    tlp: str
    scope: str
    """`all-members`, `nodes` or `group`."""
    retain_until_s: float
    agreement: str
    nodes: frozenset[str] = frozenset()
    group: str = ""
    compartment: str = "A"
    basis: str = "isps-code"
    purpose: str = "port-security"
    data: str = "none"
    context: str = "live"
    readers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Statement:
    """One thing that somebody signed for all members to know."""

    what: str
    """`member`, `revocation`, `group`, `agreement`."""
    about: str
    """The node, group or agreement."""
    by: str = ""
    side: str = "A"
    among: frozenset[str] = frozenset()
    """Members of the group; signers of the agreement."""
    from_s: float = 0.0
    until_s: float = 0.0
    covers: frozenset[str] = frozenset()
    """What the agreement is about: `purpose/…`, `basis/…` and `data/…`."""


@dataclass
class Knowledge:
    """What a set of statements adds up to."""

    sides: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    agreements: dict[str, Statement] = field(default_factory=dict)

    def members(self) -> set[str]:
        return set(self.sides) - self.revoked


def known_from(statements: Iterable[Statement]) -> Knowledge:
    """Add up statements; of a group, the newest word of its owner holds, while the owner is a member."""
    said = list(statements)
    known = Knowledge(
        sides={each.about: each.side for each in said if each.what == "member"},
        revoked={each.about for each in said if each.what == "revocation"},
        agreements={each.about: each for each in said if each.what == "agreement"},
    )
    newest: dict[str, Statement] = {}
    for each in said:
        if each.what == "group" and (each.about not in newest or each.from_s >= newest[each.about].from_s):
            newest[each.about] = each
    present = known.members()
    known.groups = {name: each.among & present for name, each in newest.items() if each.by in present}
    return known


def objection(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    """The first reason why `reader` may not have an object so labelled at `at_s`; empty when it may."""
    for rule in RULES:
        if word := rule(label, reader, at_s, known):
            return word
    return ""


def may_have(label: Label, reader: str, at_s: float, known: Knowledge) -> bool:
    return not objection(label, reader, at_s, known)


def readers_of(label: Label, at_s: float, known: Knowledge) -> set[str]:
    """Every other member who may have it."""
    return {each for each in known.members() if each != label.origin and may_have(label, each, at_s, known)}


def _classified(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    return "classified" if label.compartment not in ("A", "B") else ""


def _offence_in_a(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    """Offence-related personal data has no place on the security side."""
    return "offence-data" if label.compartment == "A" and label.data == "offence-related" else ""


def _too_old(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    return "too-old" if at_s >= label.retain_until_s else ""


def _other_world(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    """No node of these histories has accepted any exercise."""
    return "exercise" if label.context != "live" else ""


def _strangers(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    return "" if {label.origin, reader} <= known.members() else "stranger"


def _sides(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    """Police to police, and security to police: anything. Security to security: nothing of the police side.
    Police to security: feedback, which says nothing of persons and is no police work."""
    if known.sides[reader] == "B":
        return ""
    if known.sides[label.origin] == "A":
        return "side" if label.compartment == "B" else ""
    is_police_work = "law-enforcement" in (label.purpose, label.basis)
    is_feedback = label.data == "none" and not (label.compartment == "B" and is_police_work)
    return "" if is_feedback else "side"


def _audience(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    """An empty group means nobody, a group that is not known means nobody."""
    meant = {
        "all-members": known.members(),
        "nodes": label.nodes,
        "group": known.groups.get(label.group, frozenset()),
    }[label.scope]
    return "" if reader in meant else "audience"


def _strict(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    """What is for those who are named cannot be for everybody; TLP:RED names persons at the receiving node."""
    if label.tlp in ("TLP:AMBER+STRICT", "TLP:RED") and label.scope == "all-members":
        return "nobody-named"
    has_reader = any(len(each) > len(reader) + 1 and each.endswith("@" + reader) for each in label.readers)
    return "no-reader" if label.tlp == "TLP:RED" and not has_reader else ""


def _agreement(label: Label, reader: str, at_s: float, known: Knowledge) -> str:
    """None, or one that is not in force, or that does not cover it, or that one of the two did not sign: nothing."""
    agreement = known.agreements.get(label.agreement)
    if agreement is None or not {label.origin, reader} <= agreement.among:
        return "no-agreement"
    if not agreement.from_s <= at_s < agreement.until_s:
        return "agreement-not-in-force"
    asked = {f"purpose/{label.purpose}", f"basis/{label.basis}", f"data/{label.data}"}
    return "" if asked <= agreement.covers else "not-covered"


RULES = (
    _classified,
    _offence_in_a,
    _too_old,
    _other_world,
    _strangers,
    _sides,
    _audience,
    _strict,
    _agreement,
)
