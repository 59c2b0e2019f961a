"""`port2port incidents`: what is open, for a person at a shell. Works beside the running node."""

from __future__ import annotations

from collections.abc import Sequence

import click

from port2port.capability import Opener
from port2port.cli import table
from port2port.core.handling import Tlp
from port2port.incidents import tables
from port2port.incidents.model import Incident


@click.group("incidents")
def commands() -> None:
    """What happened, and who acts."""


@commands.command("list")
@click.pass_obj
def list_incidents(opener: Opener) -> None:
    """Open incidents, and copies of what others share (TLP:RED only where its readers sign in)."""
    with opener.open_site() as site, site.store.reading() as view:
        now = site.clock()
        rows = _rows([*tables.opened(view, now), *tables.shared(view, now)])
    click.echo(table(["number", "what", "title", "where", "status", "of"], rows, empty="Nothing open."))


def _rows(found: Sequence[Incident]) -> list[list[str]]:
    return [
        [each.reference, each.kind, each.title, each.place.name, each.status, each.origin_name or "us"]
        for each in found
        if each.handling is None or not each.origin_name or each.handling.tlp is not Tlp.RED
    ]
