"""`port2port taxii`: program accounts, and other organisations' servers. Each command works while the node runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import click

from port2port.capability import Opener
from port2port.cli import show_json, table
from port2port.core.errors import BadInput
from port2port.core.handling import Purpose, Tlp
from port2port.sharing.settings import SharingSettings
from port2port.sharing.taxii import accounts
from port2port.sharing.taxii.polling import Poller, Result
from port2port.web.passwords import Passwords
from port2port.web.settings import WebSettings

_CHOICES = {each.name.lower().replace("_", "-"): each for each in Tlp}


@click.group()
def taxii() -> None:
    """Programs that read from this node or hand in (TAXII 2.1), and servers that it polls."""


@taxii.command()
@click.argument("name")
@click.option("--read/--no-read", default=True, show_default=True, help="It may read what its bounds allow.")
@click.option("--write/--no-write", default=False, show_default=True, help="It may hand in; that waits in quarantine.")
@click.option(
    "--purpose",
    type=click.Choice([each.value for each in Purpose]),
    default=Purpose.PORT_SECURITY.value,
    show_default=True,
    help="It sees what is meant for this.",
)
@click.option(
    "--max-tlp", type=click.Choice(list(_CHOICES)), default="green", show_default=True, help="It sees nothing narrower."
)
@click.pass_obj
def add(opener: Opener, name: str, read: bool, write: bool, purpose: str, max_tlp: str) -> None:
    """Make a program account NAME. Its password is printed once."""
    passwords = Passwords(opener.section("web", WebSettings))
    with opener.open_site() as site:
        password = accounts.add(
            site, passwords, name, may_read=read, may_write=write, purpose=Purpose(purpose), max_tlp=_CHOICES[max_tlp]
        )
    click.echo("Password, shown this once:", err=True)
    click.echo(password)


@taxii.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def list_accounts(opener: Opener, as_json: bool) -> None:
    """Program accounts, and what they may do."""
    with opener.open_site() as site, site.store.reading() as view:
        found = accounts.all_accounts(view)
    if as_json:
        show_json(found)
        return
    rows = [[each.name, _may(each.may_read, each.may_write), each.max_tlp.value, each.purpose.value] for each in found]
    click.echo(table(["Program", "May", "Sees up to", "For"], rows, empty="None yet: port2port taxii add NAME"))


def _may(read: bool, write: bool) -> str:
    return " and ".join(word for word, may in (("read", read), ("hand in", write)) if may)


@taxii.command()
@click.argument("name")
@click.pass_obj
def remove(opener: Opener, name: str) -> None:
    """Take away the account NAME, from the next request on. What it handed in stays in quarantine."""
    with opener.open_site() as site:
        accounts.remove(site, name)
    click.echo(f"{name} is no longer known here.")


@taxii.command()
@click.argument("urls", nargs=-1)
@click.pass_obj
def poll(opener: Opener, urls: tuple[str, ...]) -> None:
    """Read what is new at the collections URLS, or at all in the settings. What comes waits in quarantine."""
    settings = opener.section("sharing", SharingSettings)
    wanted = urls or settings.taxii_sources
    unknown = sorted(set(wanted) - set(settings.taxii_sources))
    if unknown or not wanted:
        hint = 'Add it to taxii_sources = ["https://…/collections/ID/"] in the section [sharing] of port2port.toml.'
        raise BadInput(
            f"{unknown[0]} is not in the settings." if unknown else "No server is in the settings.", hint=hint
        )
    with opener.open_site() as site:
        poller = Poller(site, site.folder / settings.taxii_passwords, timedelta(days=settings.quarantine_days))
        for url in wanted:
            _say(url, asyncio.run(poller.poll(url)))


def _say(url: str, result: Result) -> None:
    click.echo(f"{url}: {result.taken} new, {result.known} known, {result.refused} refused")
    if result.problem:
        click.echo(f"  Not read to its end: {result.problem}.", err=True)
