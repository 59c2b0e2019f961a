"""`port2port vessels`: look at a recording before trusting a receiver or a rule."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from port2port.cli import table
from port2port.core.alert import AlertRaised, AlertRepeated, AlertWorsened
from port2port.core.ids import random_id
from port2port.vessels.drift import DriftLimits
from port2port.vessels.rehearsal import Rehearsal, rehearse
from port2port.vessels.sources.replay import lines_of
from port2port.vessels.zones import Zones, read_zones


@click.group("vessels")
def commands() -> None:
    """Who is on the water: AIS recordings and rules."""


@commands.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--zones", "zones_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GeoJSON.")
@click.option("--no-drift", is_flag=True, help="Leave out the drift rule.")
def replay(file: Path, zones_file: Path | None, no_drift: bool) -> None:
    """Play the recording FILE (plain or .gz): what could be read, who was there, which alerts there would have been."""
    zones = read_zones(zones_file.read_bytes()) if zones_file else Zones()
    result = rehearse(lines_of(file), zones, random_id, None if no_drift else DriftLimits())
    click.echo(table(["lines", "count"], _lines(result)))
    click.echo()
    click.echo(table(["message type", "decoded"], sorted(result.account.by_type.items())))
    click.echo()
    click.echo(table(["refused because of", "lines"], sorted(result.account.refused.items()), empty="Nothing refused."))
    click.echo()
    click.echo(table(["alert", "vessel", "at", "where", "count"], _alerts(result), empty="No alerts."))


def _lines(result: Rehearsal) -> list[tuple[str, object]]:
    account = result.account
    return [
        ("read", account.lines),
        ("wrapping (times and tag blocks)", account.wrappings),
        ("messages decoded", account.decoded),
        ("earlier parts of those", account.parts),
        ("refused", sum(account.refused.values())),
        ("vessels, aids and stations", len(result.traffic.vessels)),
        ("facts", len(result.facts)),
    ]


def _alerts(result: Rehearsal) -> list[tuple[str, str, str, str, int]]:
    counts: Counter[str] = Counter()
    for fact in result.facts:
        if isinstance(fact, AlertRepeated):
            counts[fact.alert_id] = fact.count
    worse = {fact.alert_id for fact in result.facts if isinstance(fact, AlertWorsened)}
    return [
        (
            fact.rule.removeprefix("vessels.rule.") + (" (worse)" if fact.alert_id in worse else ""),
            fact.subject_name,
            f"{fact.at:%Y-%m-%d %H:%M:%S}Z",
            fact.values.get("place", ""),
            counts[fact.alert_id] or 1,
        )
        for fact in result.facts
        if isinstance(fact, AlertRaised)
    ]
