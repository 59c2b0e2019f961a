"""Nothing lost, nothing leaked, and how soon a partitioned network is equal again."""

from __future__ import annotations

import os

from port2port.bench.figures import Figure, limit_figure
from port2port.chaos import mutants
from port2port.chaos.namespaces import require_lab
from port2port.chaos.simulate import Clean, Summary, hunt, simulate, stage
from port2port.chaos.storm import StormReport, run_storm
from port2port.core.errors import Unavailable

HISTORIES, HISTORIES_LONG = 20, 1_000
STORM_S, STORM_LONG_S = 20.0, 60.0
SEEDS, SEEDS_LONG = (1,), (1, 2, 3)
NODES = 9
MOST_HISTORIES = 20
"""In so many histories a planted bug must have shown."""


def measure(long: bool = False) -> dict[str, Figure]:
    """Faults by the thousand in the simulation, and storms over real processes where this machine allows it."""
    summary = simulate(range(HISTORIES_LONG if long else HISTORIES), os.cpu_count() or 1)
    figures = _figures(summary, _storms(long))
    if long:
        figures["chaos_mutants_missed"] = _mutants()
    return figures


def _storms(long: bool) -> list[StormReport]:
    """None where there is no root, or no network namespaces."""
    try:
        require_lab()
    except Unavailable:
        return []
    return [run_storm(STORM_LONG_S if long else STORM_S, seed, NODES) for seed in (SEEDS_LONG if long else SEEDS)]


def _figures(summary: Summary, storms: list[StormReport]) -> dict[str, Figure]:
    found = [each.as_json() for each in storms]
    faults = summary.faults + sum(sum(each.faults.values()) for each in storms)
    due = summary.counts["due"] + sum(each["due"] for each in found)
    note = f"{summary.histories} simulated histories and {len(storms)} storms over real processes: {faults} faults"
    totals = {
        "lost": summary.counts["lost"] + sum(each["lost"] for each in found),
        "extra": summary.counts["extra"] + sum(each["extra"] for each in found),
        "leaked": summary.leaked + sum(each["leaked"] for each in found),
    }
    figures = {
        f"chaos_{name}": limit_figure(value, "objects", 0, note=f"of {due} due; {note}")
        for name, value in totals.items()
    }
    broken = len(summary.violations) + sum(len(each["violations"]) for each in found)
    figures["chaos_promises_broken"] = limit_figure(broken, "promises", 0, note=note)
    if storms:
        figures["partition_healed_s"] = limit_figure(
            max(each.healed_s for each in storms),
            "s",
            5.0,
            note=f"{NODES} real processes in network namespaces on one machine, apart for 4 s while all share; from "
            "mending the links until all hold everything; the slowest storm",
        )
    return figures


def _mutants() -> Figure:
    clean: Clean = {}
    seeds = range(MOST_HISTORIES)
    with stage() as (template, room):
        missed = [each.name for each in mutants.ALL if hunt(each, seeds, template, room, clean) is None]
    note = f"{len(mutants.ALL)} planted bugs, each in up to {MOST_HISTORIES} histories {' '.join(missed)}".strip()
    return limit_figure(len(missed), "bugs", 0, note=note)
