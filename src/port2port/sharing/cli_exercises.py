"""`port2port network exercise`, `exercises`: take part in an exercise over the real connections."""

from __future__ import annotations

import click

from port2port.capability import Opener
from port2port.cli import table
from port2port.core.party import SYSTEM_ACCOUNT
from port2port.sharing import exercises as verbs
from port2port.sharing.book import Book


@click.command()
@click.argument("id")
@click.option("--name", default="", help="In words, for your own screens.")
@click.option("--end", is_flag=True, help="No longer take part.")
@click.pass_obj
def exercise(opener: Opener, id: str, name: str, end: bool) -> None:
    """Take part in exercise ID. Until then, what others send in it waits and nobody sees it."""
    with opener.open_site() as site:
        if end:
            verbs.end(site, id, SYSTEM_ACCOUNT)
            click.echo(f"This node no longer takes part in {id}.")
            return
        waited = verbs.accept(site, Book(), id, name, SYSTEM_ACCOUNT)
    click.echo(f"This node takes part in {id}. {waited} {'object' if waited == 1 else 'objects'} had waited for it.")


@click.command()
@click.pass_obj
def exercises(opener: Opener) -> None:
    """The exercises that this node takes part in."""
    with opener.open_site() as site, site.store.reading() as view:
        rows = [[exercise, name] for exercise, name in verbs.accepted(view).items()]
    click.echo(table(["Id", "Name"], rows, empty="None. Take part: port2port network exercise ID"))


def add_commands(network: click.Group) -> None:
    """Put these under `port2port network`."""
    for each in (exercise, exercises):
        network.add_command(each)
