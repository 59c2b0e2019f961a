"""`port2port audit`: verify, show, export, erase, accept. Each works while the node runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from port2port.capability import Opener, Site
from port2port.cli import show_json, table
from port2port.core.errors import NotFound
from port2port.core.party import SYSTEM_ACCOUNT
from port2port.sharing.audit import bundle, present, tables, verify, verify_bundle
from port2port.sharing.audit.log import AuditLog
from port2port.sharing.audit.running import known_keys
from port2port.sharing.book import Book
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import Pulse
from port2port.sharing.settings import SharingSettings
from port2port.store import Reading

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def audit() -> None:
    """The audit log: who gave, got, decided and was let in; confirmed by partners, and erasable."""


@audit.command("verify")
@click.option("--bundle", "folder", type=FOLDER, help="Check an exported FOLDER in place of this node's own log.")
@click.option("--key", "keys", multiple=True, help="With --bundle: a key that you trust, as name+id+base64.")
@click.pass_context
def verify_log(context: click.Context, folder: Path | None, keys: tuple[str, ...]) -> None:
    """Check that nothing was changed, taken away or put in. Ends with 1 when something was."""
    if folder is not None:
        found = verify_bundle.verify(folder, keys)
        said, is_wrong = found.sentences(), bool(found.problems)
    else:
        said, is_wrong = _verify_own(context.obj)
    for sentence in said:
        click.echo(sentence)
    context.exit(1 if is_wrong else 0)


def _verify_own(opener: Opener) -> tuple[list[str], bool]:
    with opener.open_site() as site, _reading(site) as (view, keys, name):
        report = verify.verify(site.store, site.party.node_id, keys, site.clock())
        contradictions = [each for each in tables.all_seen(view) if each.witness]
        said = verify.sentences(report, name)
        said += [
            f"The log of {name(each.node)} contradicts itself; see: port2port audit accept" for each in contradictions
        ]
    return said, report.count > 0


@audit.command()
@click.option("-n", "--number", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--kind", default="", help="Only entries of this kind, e.g. ObjectPublished.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def show(opener: Opener, number: int, kind: str, as_json: bool) -> None:
    """The newest entries: when, what, who."""
    with opener.open_site() as site, site.store.reading() as view:
        names = {each.node_id: each.name for each in Book().network(view).members.values()}
        shown = [present.shown(each, names) for each in tables.newest_leaves(view, number, kind)]
    if as_json:
        show_json(shown)
        return
    rows = [[each.place, f"{each.at:%Y-%m-%d %H:%M:%S}", each.kind, each.who, each.what] for each in shown]
    click.echo(table(["Entry", "When (UTC)", "What", "Who", "About"], rows))


@audit.command()
@click.argument("folder", type=FOLDER)
@click.pass_obj
def export(opener: Opener, folder: Path) -> None:
    """Write the log into FOLDER, for an auditor who has no node."""
    with opener.open_site() as site, _reading(site) as (view, keys, _):
        size = bundle.export(view, folder, site.party.node_id, site.party.name, keys)
    click.echo(f"{size} entries are in {folder}. Check them: port2port audit verify --bundle {folder}")


@audit.command()
@click.argument("entries", nargs=-1, required=True, type=click.IntRange(0))
@click.option("--reason", required=True, help="Why, e.g. 'request of the person of 3 May'. It is recorded.")
@click.pass_obj
def erase(opener: Opener, entries: tuple[int, ...], reason: str) -> None:
    """Erase the content of ENTRIES for good. Their places stay, so the log can still be checked."""
    with opener.open_site() as site, site.store.transaction() as tx:
        count = AuditLog(site).erase(tx, entries, reason, SYSTEM_ACCOUNT)
    click.echo(f"The content of {count} {'entry' if count == 1 else 'entries'} is erased.")


@audit.command()
@click.argument("name")
@click.confirmation_option(prompt="Has the organisation explained why its log is another one?")
@click.pass_obj
def accept(opener: Opener, name: str) -> None:
    """Begin anew with the log of NAME after a contradiction, e.g. when its node was restored from a backup."""
    with opener.open_site() as site, site.store.transaction() as tx:
        member = Book().network(tx).find(name)
        node = site.party.node_id if name == site.party.short_name else member.node_id if member else ""
        if not tables.forget_seen(tx, node):
            raise NotFound(f"Nothing is known of the log of {name!r}.", hint="See: port2port network show")
    click.echo(f"The log of {name} will be confirmed again from now on.")


@contextmanager
def _reading(site: Site) -> Iterator[tuple[Reading, verify.Keys, Callable[[str], str]]]:
    peers = Peers(site, SharingSettings(), Book(), Pulse(site.store))
    with site.store.reading() as view:
        network = peers.book.network(view)
        yield view, lambda node: known_keys(peers, view, node), network.name
