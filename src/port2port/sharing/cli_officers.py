"""`port2port network`, continued: officers, what they sign together, roles and keys."""

from __future__ import annotations

from datetime import timedelta

import click

from port2port.capability import Opener
from port2port.cli import show_json, table
from port2port.core.errors import BadInput
from port2port.core.party import AuthorityRole
from port2port.sharing import deciding, recovering, rotation
from port2port.sharing.book import Book
from port2port.sharing.documents import Grant, KeyText, Member, Revocation, RootText
from port2port.sharing.roster import Network
from port2port.sharing.standing import Proposal


@click.command()
@click.argument("names", nargs=-1)
@click.option("--threshold", type=int, help="How many of them decide together.")
@click.pass_obj
def officers(opener: Opener, names: tuple[str, ...], threshold: int | None) -> None:
    """Who decides about members. With NAMES and --threshold: propose who does from now on."""
    with opener.open_site() as site:
        if not names:
            with site.store.reading() as view:
                _show_officers(Book().network(view))
            return
        if threshold is None:
            raise click.UsageError("Say how many of them decide together: --threshold 2")
        missing = deciding.name_officers(site, Book(), names, threshold)
    _tell(missing)


def _show_officers(known: Network) -> None:
    root = known.root
    click.echo(
        table(["Officer", "Node id"], [[known.name(each), each] for each in root.officers], empty="No network yet.")
    )
    if root.version:
        click.echo(f"{root.threshold} of {len(root.officers)} decide together. List {root.version}, ", nl=False)
        click.echo(f"to be renewed before {root.expires:%Y-%m-%d}.")
    elif root.officers:
        click.echo("Each decides alone, and so does who holds the role `invites`.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def proposals(opener: Opener, as_json: bool) -> None:
    """What waits for signatures of officers."""
    with opener.open_site() as site, site.store.reading() as view:
        known = Book().network(view)
    if as_json:
        show_json([{"id": each.mark, "text": each.text, "missing": each.missing} for each in known.pending])
        return
    rows = [
        [each.mark[:8], in_words(each, known), ", ".join(sorted(map(known.name, each.signed_by))), each.missing]
        for each in known.pending
    ]
    click.echo(table(["Id", "What", "Signed by", "Missing"], rows, empty="Nothing waits."))


@click.command()
@click.argument("id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def sign(opener: Opener, id: str, yes: bool) -> None:
    """Sign what another officer proposed under ID, in the name of this organisation."""
    with opener.open_site() as site:
        with site.store.reading() as view:
            known = Book().network(view)
        click.echo(in_words(deciding.find_proposal(known, id), known))
        if not yes:
            click.confirm("Sign?", abort=True)
        missing = deciding.sign_proposal(site, Book(), id)
    _tell(missing)


@click.command()
@click.argument("name")
@click.argument("roles", nargs=-1, type=click.Choice([each.value for each in AuthorityRole]))
@click.pass_obj
def grant(opener: Opener, name: str, roles: tuple[str, ...]) -> None:
    """Let NAME decide for others what ROLES say, and nothing else; without ROLES, nothing at all."""
    with opener.open_site() as site:
        missing = deciding.grant(site, Book(), name, [AuthorityRole(each) for each in roles])
    _tell(missing)


@click.command("rotate-key")
@click.option("--days", default=rotation.NOTICE.days, show_default=True, type=click.IntRange(1, 60), help="Notice.")
@click.pass_obj
def rotate_key(opener: Opener, days: int) -> None:
    """Announce a new key for this node. The running node changes over by itself when the notice is over."""
    with opener.open_site() as site:
        moment = rotation.rotate(site, Book(), timedelta(days=days))
    click.echo(f"Announced. The new key comes into use on {moment:%Y-%m-%d %H:%M} UTC; the node must run before that,")
    click.echo("so that every partner hears of it. Back up the folder after it.")


@click.command("new-key")
@click.argument("name")
@click.confirmation_option(prompt="Make a new key in place of the one that was lost or stolen?")
@click.pass_obj
def new_key(opener: Opener, name: str) -> None:
    """On the node of member NAME, stopped: a new key in place of a lost or stolen one. Officers must vouch for it."""
    with opener.open_site() as site:
        public_key = recovering.new_key(site, Book(), name)
    click.echo("Read this to the officers, by a number that they know, and start the node again:")
    click.echo(f"  port2port network recover {name} {public_key.hex()}")


@click.command()
@click.argument("name")
@click.argument("key")
@click.pass_obj
def recover(opener: Opener, name: str, key: str) -> None:
    """As an officer: vouch for the new KEY (64 hexadecimal digits) of NAME, whose old one was lost or stolen."""
    try:
        public_key = bytes.fromhex("".join(key.split()))
        assert len(public_key) == 32
    except (ValueError, AssertionError) as error:
        raise BadInput("A key has 64 hexadecimal digits.", hint="Have it read again.") from error
    with opener.open_site() as site:
        missing = deciding.recover(site, Book(), name, public_key)
    _tell(missing)


def in_words(proposal: Proposal, known: Network) -> str:
    """What an officer signs, in one line."""
    text = proposal.text
    if isinstance(text, RootText):
        names = ", ".join(sorted(known.name(each.node_id) for each in text.officers))
        return f"{text.threshold} of these decide from now on: {names}"
    if isinstance(text, Member):
        can = f", may: {', '.join(text.roles)}" if text.roles else ""
        return f"{text.name} ({text.short_name}, side {text.compartment}) becomes a member{can}"
    if isinstance(text, Grant):
        return f"{known.name(text.node_id)} may from now on: {', '.join(text.roles) or 'nothing'}"
    if isinstance(text, Revocation):
        return f"the membership of {known.name(text.node_id)} ends"
    assert isinstance(text, KeyText)
    return f"{known.name(text.node_id)} has a new key: {text.public_key}"


def _tell(missing: int) -> None:
    if missing:
        click.echo(
            f"Proposed. It counts when {missing} more {'officer has' if missing == 1 else 'officers have'} signed."
        )
    else:
        click.echo("Done: it counts from now on.")


def add_commands(network: click.Group) -> None:
    """Put them under `port2port network`."""
    for each in (officers, proposals, sign, grant, rotate_key, new_key, recover):
        network.add_command(each)
