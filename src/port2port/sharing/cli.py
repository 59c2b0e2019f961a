"""`port2port network`: invite, join, show, leave, revoke, resume. Each works while the node runs."""

from __future__ import annotations

import asyncio
import time

import click

from port2port.capability import Opener, Site
from port2port.cli import show_json, table
from port2port.core.errors import BadInput
from port2port.sharing import book, invitation, joining, knocking, leaving, overview, service, short_code
from port2port.sharing.announcing import announced_address
from port2port.sharing.book import Book
from port2port.sharing.cli_exercises import add_commands as add_exercises
from port2port.sharing.cli_officers import add_commands as add_officers
from port2port.sharing.cli_terms import add_commands as add_terms
from port2port.sharing.documents import AgreementText, Document
from port2port.sharing.invitation import Code
from port2port.sharing.roster import Network
from port2port.sharing.settings import SharingSettings, host_and_port
from port2port.sharing.short_code import ShortCode

USUAL_PORT = 8201
ASK_EVERY_S = 5.0
LOOK_EVERY_S = 1.0


@click.group()
def network() -> None:
    """Other ports: invite, join, see who is there."""


@network.command()
@click.option("--for", "name", default="", help="For whom, e.g. 'Port of Ostend'. For your own memory only.")
@click.option("--address", default="", help="Host and port by which the other reaches this node.")
@click.option("--phone", is_flag=True, help="A short code to read over the phone, good for half an hour.")
@click.option("--wait/--no-wait", default=True, help="With --phone: wait, and say who came.")
@click.pass_obj
def invite(opener: Opener, name: str, address: str, phone: bool, wait: bool) -> None:
    """Print a code with which one organisation can join within 48 hours."""
    settings = opener.section("sharing", SharingSettings)
    with opener.open_site() as site:
        if phone:
            short = knocking.open_code(site, settings, Book(), name, address=address)
            _read_out(short, address or announced_address(settings))
            if wait:
                _wait_for_guest(site, short)
            return
        code = service.invite(site, settings, Book(), name, address=address)
    click.echo("Give this code to " + (name or "the other port") + ", by a way you trust. It works once, for 48 hours.")
    click.echo("There: port2port network join CODE")
    click.echo(code.text())


def _read_out(code: ShortCode, address: str) -> None:
    click.echo("Call the other port, by a number that you know, and read this out. It works once, for half an hour.")
    click.echo(f"  {code.spoken()}")
    click.echo(f"There: port2port network join {address} {code.text()}")


def _wait_for_guest(site: Site, code: ShortCode) -> None:
    """Stay on the line: the caller is told who came, or how many tries are left."""
    before, tries = _members(site), 0
    while True:
        with site.store.reading() as view:
            found = next((each for each in book.codes(view) if each.code == code), None)
        come = _members(site) - before
        if come or found is None:
            break
        if not found.is_open(site.clock()):
            click.echo("The code opens nothing any more: " + ("too many tries." if found.tries else "time is over."))
            return
        if found.tries > tries:
            tries = found.tries
            click.echo(f"Somebody called with it. Tries left: {short_code.MAX_TRIES - tries}.")
        time.sleep(LOOK_EVERY_S)
    for name in sorted(come):
        click.echo(f"{name} has joined. Is that who you are talking to? If not: port2port network revoke '{name}'")
    if not come:
        click.echo("It was used. Other officers must sign: port2port network show --pending")


def _members(site: Site) -> set[str]:
    with site.store.reading() as view:
        return {each.name for each in Book().network(view).others(site.party.node_id)}


@network.command()
@click.argument("code", nargs=-1, required=True)
@click.option("--accede/--no-accede", default=None, help="Sign the cooperation agreements that are open to members.")
@click.pass_obj
def join(opener: Opener, code: tuple[str, ...], accede: bool | None) -> None:
    """Join the network of the one who gave you CODE.

    A short code that was read to you follows the address of who invites: HOST CODE, or HOST:PORT CODE.
    """
    settings = opener.section("sharing", SharingSettings)
    with opener.open_site() as site:
        announced_address(settings)
        read = _code(site, code)
        documents, roster = _ask(site, settings, read)
        agreements = service.open_agreements(documents, roster)
        signs = [each.id for each in agreements] if _wants(agreements, accede) else []
        joined = service.enter(site, Book(), documents, signs)
        others = joined.others(site.party.node_id)
    click.echo(f"Joined: {len(others)} {'partner' if len(others) == 1 else 'partners'}.")
    for each in others:
        click.echo(f"  {each.name}")
    if not signs:
        click.echo("No agreement is signed: nothing is shared with us yet.")


def _code(site: Site, words: tuple[str, ...]) -> Code:
    """A long code as it is, or what a short one is exchanged for."""
    if "".join(words).upper().startswith("P2P1"):
        return invitation.read("".join(words))
    if len(words) < 2:
        raise BadInput(
            "A short code needs the address of who invites before it.",
            hint="For example: port2port network join p2p.port.example K7Q-M4X-RT9",
        )
    host, port = host_and_port(words[0] if ":" in words[0] else f"{words[0]}:{USUAL_PORT}")
    return asyncio.run(joining.exchange(site, short_code.read("".join(words[1:])), host, port))


def _ask(site: Site, settings: SharingSettings, code: Code) -> tuple[list[Document], Network]:
    """Ask to be admitted, and again until enough officers have signed."""
    told = False
    while True:
        documents, roster = service.read_answer(site, code, asyncio.run(joining.call_inviter(site, settings, code)))
        if roster.is_member(site.party.node_id):
            return documents, roster
        if not told:
            click.echo("Officers of the network must sign first. This command goes on by itself when they have.")
            click.echo(f"If it is interrupted: port2port network join {code.text()}")
            told = True
        time.sleep(ASK_EVERY_S)


def _wants(agreements: list[AgreementText], accede: bool | None) -> bool:
    """Signing is a decision of a person: asked for each time, unless the command says so."""
    for each in agreements:
        click.echo(f"Open agreement: {each.title} (until {each.ends:%Y-%m-%d})")
    if accede is not None or not agreements:
        return bool(accede)
    return click.confirm("Sign in the name of this organisation?")


@network.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--pending", is_flag=True, help="What waits for signatures of officers.")
@click.pass_context
def show(context: click.Context, as_json: bool, pending: bool) -> None:
    """Who is in the network, and how far each has read."""
    if pending:
        context.invoke(network.commands["proposals"], as_json=as_json)
        return
    with context.obj.open_site() as site, site.store.reading() as view:
        known, now = Book().network(view), site.clock()
        rows = overview.neighbours(view, known, site.party.node_id, now)
    if as_json:
        show_json(rows)
        return
    ended = known.ended.get(site.party.node_id)
    if ended is not None:
        by = "this organisation itself" if ended.by == ended.node_id else known.name(ended.by)
        click.echo(f"Our membership was ended on {ended.at:%Y-%m-%d} by {by}.")
    click.echo(
        table(
            ["Partner", "Side", "Address", "Behind by", "Refused by us"],
            [[each.name, each.compartment, each.address, each.behind, sum(each.refused.values())] for each in rows],
            empty="No partners yet. Invite one: port2port network invite",
        )
    )
    if known.pending:
        click.echo(f"Waiting for signatures: {len(known.pending)}. See: port2port network show --pending")
    if known.root.is_stale(now):
        click.echo("The list of officers is older than it should be. Ask one of them whether there is a newer one.")


@network.command()
@click.argument("name")
@click.confirmation_option(prompt="End this membership for everyone?")
@click.pass_obj
def revoke(opener: Opener, name: str) -> None:
    """End the membership of NAME; it reads nothing more from the next request on."""
    with opener.open_site() as site:
        member, missing = service.revoke(site, Book(), name)
    if missing:
        click.echo(f"Proposed. It counts when {missing} more officers have signed.")
        return
    click.echo(f"{member.name} is no longer a member.")


@network.command()
@click.confirmation_option(prompt="End our own membership, and tell everyone?")
@click.pass_obj
def leave(opener: Opener) -> None:
    """End this organisation's own membership. Keep the node running a while, so that all hear of it."""
    with opener.open_site() as site:
        leaving.leave(site, Book())
    click.echo("This organisation has left the network. What we shared stays with who has it, until its date.")


@network.command()
@click.argument("new")
@click.pass_obj
def address(opener: Opener, new: str) -> None:
    """Tell every member that this node is reached at NEW (host:port) from now on."""
    with opener.open_site() as site:
        service.move(site, Book(), new)
    click.echo(f"Told. Put announce = {new!r} into [sharing] too, for codes that you make.")


@network.command()
@click.argument("name")
@click.pass_obj
def resume(opener: Opener, name: str) -> None:
    """Read again from NAME what was stopped because it contradicted itself."""
    with opener.open_site() as site:
        count = service.resume(site, Book(), name)
    click.echo(f"{count} stopped {'connection' if count == 1 else 'connections'} of {name} will be tried again.")


add_terms(network)
add_exercises(network)
add_officers(network)
