"""What people share in a history: labels of every kind, drawn at random, and the papers under which they share."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from port2port.chaos.oracle import Label, Statement

DAY_S = 86_400.0
MAIN, BRIEF = "agreement-main", "agreement-brief"
USUAL_COVER = frozenset(
    {
        "purpose/port-security",
        "purpose/law-enforcement",
        "basis/isps-code",
        "basis/law-enforcement",
        "data/none",
        "data/offence-related",
    }
)


def first_papers(sides: dict[str, str], now_s: float, ends_s: float) -> list[Statement]:
    """A network: its members, one agreement for the whole history, and groups of three."""
    nodes = list(sides)
    members = [Statement("member", each, by=nodes[0], side=sides[each], from_s=now_s) for each in nodes]
    main = agreement(MAIN, nodes, now_s - 60 * DAY_S, ends_s + 60 * DAY_S)
    groups = [
        Statement("group", f"group-{at}", by=nodes[at], among=frozenset(nodes[at : at + 3]), from_s=now_s)
        for at in range(0, len(nodes) - 2, 2)
    ]
    return [*members, main, *groups]


def agreement(name: str, parties: Sequence[str], from_s: float, until_s: float) -> Statement:
    return Statement(
        "agreement", name, by=parties[0], among=frozenset(parties), from_s=from_s, until_s=until_s, covers=USUAL_COVER
    )


def label(
    origin: str, nodes: Sequence[str], groups: Sequence[str], agreements: Sequence[str], now_s: float, random: Random
) -> Label:
    """Most labels release to somebody; some to nobody, and then nobody may have it."""
    others = [each for each in nodes if each != origin]
    scope = random.choices(["all-members", "nodes", "group"], [4, 5, 4])[0]
    tlp = random.choices(["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"], [2, 3, 9, 2, 2])[0]
    named = frozenset(random.sample(others, random.choices([0, 1, 2, 4], [1, 8, 8, 6])[0]))
    compartment, data = random.choices([("A", "none"), ("B", "none"), ("B", "offence-related")], [14, 2, 1])[0]
    police = compartment == "B" and random.random() < 0.5
    short = random.random() < 0.15
    return Label(
        origin=origin,
        tlp=f"TLP:{tlp}",
        scope=scope,
        nodes=named if scope == "nodes" else frozenset(),
        group=random.choice([*groups, "group-unknown"] if random.random() < 0.1 else groups)
        if scope == "group"
        else "",
        retain_until_s=round(now_s + (random.uniform(0.5, 4) if short else 300) * DAY_S),
        agreement=random.choices([MAIN, random.choice(agreements), "agreement-none"], [20, 5, 1])[0],
        compartment=compartment,
        data=data,
        purpose="law-enforcement" if police else "port-security",
        basis="law-enforcement" if police else "isps-code",
        context="exercise-unknown" if random.random() < 0.03 else "live",
        readers=frozenset(f"duty@{each}" for each in sorted(named) or others[:3] if random.random() < 0.6)
        if tlp == "RED"
        else frozenset(),
    )
