"""`port2port network`: invite, join, agree, group, show, revoke, resume. Each works while the node runs."""

from __future__ import annotations

import asyncio

import click

from port2port.capability import Opener
from port2port.cli import show_json, table
from port2port.sharing import invitation, joining, overview, service
from port2port.sharing.book import Book
from port2port.sharing.documents import AgreementText
from port2port.sharing.settings import SharingSettings


@click.group()
def network() -> None:
    """Other ports: invite, join, see who is there."""


@network.command()
@click.option("--for", "name", default="", help="For whom, e.g. 'Port of Ostend'. For your own memory only.")
@click.option("--address", default="", help="Host and port by which the other reaches this node.")
@click.pass_obj
def invite(opener: Opener, name: str, address: str) -> None:
    """Print a code with which one organisation can join within 48 hours."""
    settings = opener.section("sharing", SharingSettings)
    with opener.open_site() as site:
        code = service.invite(site, settings, Book(), name, address=address)
    click.echo("Give this code to " + (name or "the other port") + ", by a way you trust. It works once, for 48 hours.")
    click.echo("There: port2port network join CODE")
    click.echo(code.text())


@network.command()
@click.argument("code", nargs=-1, required=True)
@click.option("--accede/--no-accede", default=None, help="Sign the cooperation agreements that are open to members.")
@click.pass_obj
def join(opener: Opener, code: tuple[str, ...], accede: bool | None) -> None:
    """Join the network of the one who gave you CODE."""
    read = invitation.read("".join(code))
    settings = opener.section("sharing", SharingSettings)
    with opener.open_site() as site:
        service.announced_address(settings)
        answer = asyncio.run(joining.call_inviter(site, settings, read))
        documents, roster = service.read_answer(site, read, answer)
        agreements = service.open_agreements(documents, roster)
        signs = [each.id for each in agreements] if _wants(agreements, accede) else []
        joined = service.enter(site, Book(), documents, signs)
        others = joined.others(site.party.node_id)
    click.echo(f"Joined: {len(others)} {'partner' if len(others) == 1 else 'partners'}.")
    for each in others:
        click.echo(f"  {each.name}")
    if not signs:
        click.echo("No agreement is signed: nothing is shared with us yet.")


def _wants(agreements: list[AgreementText], accede: bool | None) -> bool:
    """Signing is a decision of a person: asked for each time, unless the command says so."""
    for each in agreements:
        click.echo(f"Open agreement: {each.title} (until {each.ends:%Y-%m-%d})")
    if accede is not None or not agreements:
        return bool(accede)
    return click.confirm("Sign in the name of this organisation?")


@network.command()
@click.argument("title")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="How long it holds.")
@click.pass_obj
def agree(opener: Opener, title: str, days: int) -> None:
    """Open a cooperation agreement to every member. Without one that both have signed, nothing is shared."""
    settings = opener.section("sharing", SharingSettings)
    with opener.open_site() as site:
        agreement = service.agree(site, settings, Book(), title, days)
    click.echo(f"Signed for this organisation, for {days} days. Members sign with:")
    click.echo(f"  port2port network accede {agreement}")


@network.command()
@click.argument("agreement")
@click.pass_obj
def accede(opener: Opener, agreement: str) -> None:
    """Sign a cooperation AGREEMENT of the network in the name of this organisation."""
    with opener.open_site() as site:
        service.accede(site, Book(), agreement)
    click.echo("Signed.")


@network.command()
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@click.pass_obj
def group(opener: Opener, name: str, members: tuple[str, ...]) -> None:
    """Make a sharing group NAME of this organisation and the MEMBERS, by their names."""
    with opener.open_site() as site:
        service.make_up_group(site, Book(), name, members)
    click.echo(f"{name}: this organisation and {', '.join(members)}.")


@network.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def show(opener: Opener, as_json: bool) -> None:
    """Who is in the network, and how far each has read."""
    with opener.open_site() as site, site.store.reading() as view:
        rows = overview.neighbours(view, Book().network(view), site.party.node_id, site.clock())
    if as_json:
        show_json(rows)
        return
    click.echo(
        table(
            ["Partner", "Side", "Address", "Behind by", "Refused by us"],
            [[each.name, each.compartment, each.address, each.behind, sum(each.refused.values())] for each in rows],
            empty="No partners yet. Invite one: port2port network invite",
        )
    )


@network.command()
@click.argument("name")
@click.confirmation_option(prompt="End this membership for everyone?")
@click.pass_obj
def revoke(opener: Opener, name: str) -> None:
    """End the membership of NAME; it reads nothing more from the next request on."""
    with opener.open_site() as site:
        member = service.revoke(site, Book(), name)
    click.echo(f"{member.name} is no longer a member.")


@network.command()
@click.argument("name")
@click.pass_obj
def resume(opener: Opener, name: str) -> None:
    """Read again from NAME what was stopped because it contradicted itself."""
    with opener.open_site() as site:
        count = service.resume(site, Book(), name)
    click.echo(f"{count} stopped {'connection' if count == 1 else 'connections'} of {name} will be tried again.")
