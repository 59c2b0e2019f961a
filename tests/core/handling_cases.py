"""Generated questions for `may_release`, as plain dictionaries, and how to ask them of the real function.

The generator leans towards release: with every dimension drawn evenly almost nothing would pass, and the
rules at the end of the list would never be reached.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from types import ModuleType
from typing import Any

from port2port.core import handling as real
from port2port.core.party import Compartment, Party

Case = dict[str, Any]
NODES = ("antwerp", "ghent", "ostend", "csd", "drugs", "stranger")
GROUPS = ("scheldt", "inland", "unheard")
AGREEMENTS = ("port-2-port", "police", "unsigned")
EXERCISES = ("ex-1", "ex-2")
TLPS = tuple(each.value for each in real.Tlp)
PURPOSES = tuple(each.value for each in real.Purpose)
BASES = tuple(each.value for each in real.LegalBasis)
PAPS = tuple(each.value for each in real.Pap)
CLASSES = tuple(each.value for each in real.PersonalData)
SCOPES = tuple(each.value for each in real.Scope)
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW_S = 1000


def some(source: Random, words: tuple[str, ...], chance: float) -> list[str]:
    return [word for word in words if source.random() < chance]


def mostly(source: Random, usual: str, others: tuple[str, ...], chance: float = 0.85) -> str:
    return usual if source.random() < chance else source.choice(others)


def a_time(source: Random, usual: int) -> int | None:
    return source.choice((usual, usual, usual, usual, usual, usual, NOW_S - 1, NOW_S, NOW_S + 1, None))


def a_label(source: Random) -> Case:
    return {
        "origin": mostly(source, source.choice(NODES[:5]), NODES),
        "tlp": source.choice(TLPS),
        "pap": source.choice(PAPS),
        "scope": source.choice(SCOPES),
        "nodes": some(source, NODES, source.choice((0.0, 0.5, 0.9))),
        "group": source.choice(GROUPS),
        "compartment": mostly(source, source.choice("AAB"), ("A", "B", "C")),
        "basis": source.choice(BASES),
        "purpose": source.choice(PURPOSES),
        "data": mostly(source, source.choice(("none", "none", "staff")), CLASSES, 0.7),
        "retain_until": a_time(source, NOW_S + 50),
        "agreement": mostly(source, "port-2-port", AGREEMENTS),
        "context": mostly(source, "live", EXERCISES),
        "readers": [
            f"{name}@{node}" for node in some(source, NODES, 0.6) for name in some(source, ("", "ann", "b@c"), 0.5)
        ],
    }


def an_agreement(source: Random) -> Case:
    return {
        "parties": some(source, NODES, 0.9),
        "purposes": some(source, PURPOSES, 0.9),
        "basis": some(source, BASES, 0.9),
        "data": some(source, CLASSES, 0.9),
        "starts": a_time(source, NOW_S - 50),
        "ends": a_time(source, NOW_S + 50),
    }


def a_roster(source: Random) -> Case:
    usual = dict(zip(NODES[:5], "AAABB", strict=True))
    parties = {node: mostly(source, usual[node], ("A", "B", "C"), 0.9) for node in some(source, NODES[:5], 0.93)}
    return {
        "parties": parties,
        "groups": {name: some(source, NODES, source.choice((0.0, 0.6, 0.9))) for name in some(source, GROUPS[:2], 0.9)},
        "agreements": {name: an_agreement(source) for name in some(source, AGREEMENTS[:2], 0.95)},
        "revoked": some(source, NODES, 0.06),
        "exercises": some(source, EXERCISES, 0.5),
    }


def a_case(source: Random) -> Case:
    label = a_label(source) if source.random() < 0.97 else None
    own = label["origin"] if label else "antwerp"
    return {
        "handling": label,
        "recipient": own if source.random() < 0.05 else source.choice(NODES),
        "purpose": mostly(source, label["purpose"] if label else PURPOSES[0], PURPOSES, 0.9),
        "at": NOW_S,
        "roster": a_roster(source),
    }


def moment(seconds: int | None) -> datetime:
    """None is a time nobody can place: one without a time zone."""
    return START.replace(tzinfo=None) if seconds is None else START + timedelta(seconds=seconds)


def handling_of(label: Case | None, module: Any = real) -> Any:
    if label is None:
        return None
    audience = module.Audience(module.Scope(label["scope"]), frozenset(label["nodes"]), label["group"])
    return module.Handling(
        origin=label["origin"],
        tlp=module.Tlp(label["tlp"]),
        pap=module.Pap(label["pap"]),
        audience=audience,
        compartment=Compartment(label["compartment"]),
        legal_basis=module.LegalBasis(label["basis"]),
        purpose=module.Purpose(label["purpose"]),
        personal_data=module.PersonalData(label["data"]),
        retain_until=moment(label["retain_until"]),
        agreement_id=label["agreement"],
        context=label["context"],
        readers=frozenset(label["readers"]),
    )


def agreement_of(name: str, agreed: Case, module: Any) -> Any:
    return module.Agreement(
        id=name,
        title=name,
        parties=frozenset(agreed["parties"]),
        purposes=frozenset(module.Purpose(each) for each in agreed["purposes"]),
        legal_basis=frozenset(module.LegalBasis(each) for each in agreed["basis"]),
        personal_data=frozenset(module.PersonalData(each) for each in agreed["data"]),
        starts=moment(agreed["starts"]),
        ends=moment(agreed["ends"]),
    )


def roster_of(plain: Case, module: Any = real) -> Any:
    parties = {
        node: Party(node_id=node, name=node, short_name=node, compartment=Compartment(letter))
        for node, letter in plain["parties"].items()
    }
    groups = {
        name: module.Group(id=name, name=name, owner="antwerp", members=frozenset(members))
        for name, members in plain["groups"].items()
    }
    return module.Roster(
        parties=parties,
        groups=groups,
        agreements={name: agreement_of(name, each, module) for name, each in plain["agreements"].items()},
        revoked=frozenset(plain["revoked"]),
        exercises=frozenset(plain["exercises"]),
    )


def ask(case: Case, module: ModuleType | Any = real) -> str:
    """What the function answers, in the oracle's words."""
    given = module.may_release(
        handling_of(case["handling"], module),
        case["recipient"],
        module.Purpose(case["purpose"]),
        moment(case["at"]),
        roster_of(case["roster"], module),
    )
    if isinstance(given, module.Released):
        return f"released: {given.why}"
    return f"withheld: {given.reason.value}"
