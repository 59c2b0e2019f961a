"""`port2port bench AREA`: a table for people, and one JSON object on the last line for programs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import click

from port2port.bench.figures import Figure, rows
from port2port.cli import show_json, table

Measure = Callable[[bool], dict[str, Figure]]

AREAS: dict[str, tuple[str, ...]] = {
    "first-run": (
        "port2port.bench.ais",
        "port2port.bench.journal",
        "port2port.bench.stream",
        "port2port.bench.delivery",
        "port2port.bench.startup",
    ),
    "sharing": (
        "port2port.bench.lanes",
        "port2port.bench.recalls",
        "port2port.bench.taxii",
        "port2port.bench.stix",
        "port2port.bench.audit",
        "port2port.bench.chaos",
    ),
}


@click.command()
@click.argument("area", type=click.Choice([*AREAS, "all"]))
@click.option("--json", "as_json", is_flag=True, help="Only the JSON object, on the last line.")
@click.option("--long", "long_form", is_flag=True, help="More rounds and longer runs.")
def bench(area: str, as_json: bool, long_form: bool) -> None:
    """Measure an AREA: our figure beside a floor in the same run.

    Ends with 0 when every figure could be measured, whether or not it met its target.
    """
    figures: dict[str, Figure] = {}
    for name in AREAS if area == "all" else (area,):
        for module in AREAS[name]:
            if not as_json:
                click.echo(f"· {module.rpartition('.')[2]} …", err=True)
            figures.update(import_module(module).measure(long_form))
    if not as_json:
        click.echo(table(["figure", "value", "unit", "floor", "ratio", "target", "met"], rows(figures)))
        for name, figure in figures.items():
            if figure.get("note"):
                click.echo(f"  {name}: {figure['note']}")
    show_json(figures)
