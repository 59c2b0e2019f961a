"""`port2port network`, continued: sharing groups and cooperation agreements."""

from __future__ import annotations

import click

from port2port.capability import Opener
from port2port.cli import table
from port2port.sharing import arranging
from port2port.sharing.book import Book
from port2port.sharing.settings import SharingSettings


@click.command()
@click.argument("title")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 3650), help="How long it holds.")
@click.pass_obj
def agree(opener: Opener, title: str, days: int) -> None:
    """Open a cooperation agreement to every member. Without one that both have signed, nothing is shared."""
    settings = opener.section("sharing", SharingSettings)
    with opener.open_site() as site:
        agreement = arranging.agree(site, settings, Book(), title, days)
    click.echo(f"Signed for this organisation, for {days} days. Members sign with:")
    click.echo(f"  port2port network accede {agreement}")


@click.command()
@click.argument("agreement")
@click.pass_obj
def accede(opener: Opener, agreement: str) -> None:
    """Sign a cooperation AGREEMENT of the network in the name of this organisation."""
    with opener.open_site() as site:
        arranging.accede(site, Book(), agreement)
    click.echo("Signed.")


@click.command()
@click.pass_obj
def agreements(opener: Opener) -> None:
    """The cooperation agreements of the network, with who has signed each."""
    with opener.open_site() as site, site.store.reading() as view:
        known, me = Book().network(view), site.party.node_id
    rows = [
        [
            each.id,
            each.title,
            f"{each.ends:%Y-%m-%d}",
            ", ".join(sorted(known.name(node) for node in each.parties)),
            "ended" if me in known.endings.get(each.id, {}) else ("yes" if me in each.parties else "no"),
        ]
        for each in sorted(known.roster.agreements.values(), key=lambda each: each.title)
    ]
    click.echo(table(["Id", "Title", "Until", "Parties", "Signed by us"], rows, empty="No agreement yet."))


@click.group()
def agreement() -> None:
    """One cooperation agreement."""


@agreement.command()
@click.argument("name")
@click.confirmation_option(prompt="End it for this organisation? It cannot be taken up again.")
@click.pass_obj
def end(opener: Opener, name: str) -> None:
    """End the agreement NAME (id or title) early, for this organisation: nothing more is shared under it."""
    with opener.open_site() as site:
        ended = arranging.end_agreement(site, Book(), name)
    click.echo(f"{ended.title} binds this organisation no longer.")


@click.command()
@click.argument("name")
@click.argument("words", nargs=-1, required=True, metavar="[add|remove|leave] [MEMBERS]...")
@click.pass_obj
def group(opener: Opener, name: str, words: tuple[str, ...]) -> None:
    """Make a sharing group NAME of this organisation and the MEMBERS, by their names.

    NAME add MEMBERS, NAME remove MEMBERS: change a group of ours. NAME leave: be in another's no longer.
    """
    verb, members = (words[0], words[1:]) if words[0] in ("add", "remove", "leave") else ("make", words)
    if (verb == "leave") == bool(members):
        raise click.UsageError("`leave` stands alone; `add` and `remove` name members.")
    with opener.open_site() as site:
        if verb == "leave":
            arranging.leave_group(site, Book(), name)
        elif verb == "make":
            arranging.make_up_group(site, Book(), name, members)
        else:
            change = arranging.add_to_group if verb == "add" else arranging.remove_from_group
            change(site, Book(), name, members)
    said = {
        "make": f"{name}: this organisation and {', '.join(members)}.",
        "add": f"{name}: {', '.join(members)} added.",
        "remove": f"{name}: {', '.join(members)} removed. What is shared from now on is out of their reach.",
        "leave": f"{name}: this organisation has left.",
    }
    click.echo(said[verb])


@click.command()
@click.pass_obj
def groups(opener: Opener) -> None:
    """The sharing groups that this organisation is in."""
    with opener.open_site() as site, site.store.reading() as view:
        known, me = Book().network(view), site.party.node_id
    rows = [
        [each.name, known.name(each.owner), ", ".join(sorted(known.name(node) for node in each.members))]
        for each in sorted(known.roster.groups.values(), key=lambda each: each.name)
        if me in each.members
    ]
    click.echo(table(["Group", "Owner", "Members"], rows, empty="No group yet."))


def add_commands(network: click.Group) -> None:
    """Put them under `port2port network`."""
    for each in (agree, accede, agreements, agreement, group, groups):
        network.add_command(each)
