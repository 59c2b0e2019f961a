"""`port2port incidents`: what is open, for a person at a shell. Works beside the running node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from port2port.capability import core_facts
from port2port.cli import table
from port2port.config import FILE_NAME
from port2port.core.clock import system_clock
from port2port.core.errors import BadInput
from port2port.core.handling import Tlp
from port2port.incidents import tables
from port2port.incidents.facts import FACTS
from port2port.incidents.model import Incident
from port2port.incidents.opening import store_of
from port2port.store import open_store


@click.group("incidents")
def commands() -> None:
    """What happened, and who acts."""


@commands.command("list")
@click.pass_obj
def list_incidents(data: Path) -> None:
    """Open incidents, and copies of what others share (TLP:RED only where its readers sign in)."""
    if not (Path(data) / FILE_NAME).exists():
        raise BadInput(f"There is no node in {data}.", hint="Name its folder: port2port --data FOLDER incidents list")
    store = open_store(store_of(Path(data)), [*core_facts(), *FACTS])
    try:
        store.migrate("incidents", Path(__file__).parent / "migrations")
        now = system_clock()
        with store.reading() as view:
            rows = _rows([*tables.opened(view, now), *tables.shared(view, now)])
    finally:
        store.close()
    click.echo(table(["number", "what", "title", "where", "status", "of"], rows, empty="Nothing open."))


def _rows(found: Sequence[Incident]) -> list[list[str]]:
    return [
        [each.reference, each.kind, each.title, each.place.name, each.status, each.origin_name or "us"]
        for each in found
        if each.handling is None or not each.origin_name or each.handling.tlp is not Tlp.RED
    ]
