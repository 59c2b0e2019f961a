"""`port2port misp`: export, import, list, show, forget. Each works while the node runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

from port2port.capability import Opener
from port2port.cli import show_json, table
from port2port.core.errors import NotFound
from port2port.core.handling import Tlp
from port2port.sharing.book import Book
from port2port.sharing.misp import tables
from port2port.sharing.misp.choice import Choice
from port2port.sharing.misp.core_format import decode_event
from port2port.sharing.misp.export import export as write_feed
from port2port.sharing.misp.from_misp import objects_of
from port2port.sharing.misp.ids import derived
from port2port.sharing.misp.sources import source_of
from port2port.sharing.misp.taking_in import forget_feed, require_name, take_in

_TLP = {tlp.value.removeprefix("TLP:").lower(): tlp for tlp in Tlp if tlp is not Tlp.RED}


@click.group()
def misp() -> None:
    """MISP: write a feed directory for it, read feeds of others."""


@misp.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--tlp", default="green", show_default=True, type=click.Choice(list(_TLP)), help="At most this colour.")
@click.option("--for-ourselves", is_flag=True, help="Only this organisation's own MISP reads the folder.")
@click.pass_obj
def export_feed(opener: Opener, folder: Path, tlp: str, for_ourselves: bool) -> None:
    """Bring the feed directory FOLDER to what may stand in it now; what may not any more is taken out."""
    choice = Choice(_TLP[tlp], for_ourselves)
    with opener.open_site() as site:
        done = write_feed(site, Book(), folder, choice)
    click.echo(f"{done.written} written, {done.unchanged} unchanged, {done.withdrawn} taken out.")
    _echo_counts("Not in the folder:", done.held_back)
    if done.left_out:
        click.echo(f"{done.left_out} objects or properties inside written events have no place in MISP.")


@misp.command("import")
@click.argument("source")
@click.option("--name", default="", help="Name of the feed here. Left out: the folder's, or the server's.")
@click.pass_obj
def import_feed(opener: Opener, source: str, name: str) -> None:
    """Read the feed at SOURCE, a folder or an https address, into quarantine: only what changed."""
    feed = require_name(name or urlsplit(source).hostname or Path(source).absolute().name)
    with opener.open_site() as site:
        done = asyncio.run(take_in(site, feed, source_of(source)))
    click.echo(f"{feed}: {done.fetched} fetched, {done.unchanged} unchanged, {done.gone} dropped.")
    if done.left_for_next_run:
        click.echo(f"{done.left_for_next_run} more with the next run.")
    _echo_counts("Refused:", done.refused)


@misp.command("list")
@click.option("--feed", default=None, help="Only this feed.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_events(opener: Opener, feed: str | None, as_json: bool) -> None:
    """What came from feeds and stands in quarantine."""
    with opener.open_site() as site, site.store.reading() as view:
        rows = tables.arrived(view, feed)
    if as_json:
        show_json(rows)
        return
    cells = [[row.feed, row.event, row.tlp, row.state, row.organisation, row.info] for row in rows]
    click.echo(table(["Feed", "Event", "TLP", "State", "From", "About"], cells, empty="Nothing came from a feed yet."))


@misp.command()
@click.argument("feed")
@click.argument("event")
@click.pass_obj
def show(opener: Opener, feed: str, event: str) -> None:
    """Print EVENT of FEED as a STIX 2.1 bundle. It stays in quarantine."""
    with opener.open_site() as site, site.store.reading() as view:
        row = tables.find_arrived(view, feed, event)
        body = view.body(row.body_id, row.version) if row else None
    if body is None:
        raise NotFound("There is no such event in quarantine.", hint="See: port2port misp list")
    read = objects_of(decode_event(body))
    show_json({"type": "bundle", "id": f"bundle--{derived('bundle', event)}", "objects": read.objects})
    for each in read.left_out:
        click.echo(f"Left out: {each}", err=True)


@misp.command()
@click.argument("feed")
@click.pass_obj
def forget(opener: Opener, feed: str) -> None:
    """Drop all that came from FEED."""
    with opener.open_site() as site:
        count = forget_feed(site, feed)
    click.echo(f"{count} {'event' if count == 1 else 'events'} of {feed} dropped.")


def _echo_counts(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        click.echo(f"{title} {', '.join(f'{count} {reason}' for reason, count in sorted(counts.items()))}.")
