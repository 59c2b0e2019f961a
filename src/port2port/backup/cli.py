"""`port2port backup`, `restore`, `export` and `destroy`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from port2port.backup import destroying, limits, opening
from port2port.backup.exporting import export_everything
from port2port.backup.folder import data_of, work_folder
from port2port.backup.keeping import horizon_days, old_archives
from port2port.backup.making import BOTH, Made, make, require_passphrase
from port2port.backup.manifest import Part
from port2port.backup.opening import AskPassphrase
from port2port.backup.restoring import Order
from port2port.backup.restoring import restore as restore_order
from port2port.core.clock import system_clock
from port2port.core.errors import BadInput, Port2PortError
from port2port.core.fact import Fact
from port2port.core.party import SYSTEM_ACCOUNT
from port2port.opener import DataFolder
from port2port.sharing.settings import SharingSettings
from port2port.web.facts import BackupMade, DataExported

FOLDER = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
MAX_PASSPHRASE_BYTES = 4096
passphrase_option = click.option(
    "--passphrase-file", type=FILE, help="File whose first line is the passphrase. Else it is asked for."
)


@click.command()
@click.argument("folder", type=FOLDER)
@passphrase_option
@click.option("--no-encryption", is_flag=True, help="Whoever gets the archive can read all, and be this node.")
@click.option("--verify", is_flag=True, help="Read the archive back whole, and check the database in it.")
@click.option(
    "--keep-days",
    type=click.IntRange(min=0),
    help="Delete older archives of this node in FOLDER. [default: sharing.backups_kept_days; not longer]",
)
@click.option("--without-keys", is_flag=True, help="All but the keys of shared content: unreadable without them.")
@click.option("--keys-only", is_flag=True, help="Only these keys: small, so copy them often.")
@click.pass_obj
def backup(
    at: DataFolder,
    folder: Path,
    passphrase_file: Path | None,
    no_encryption: bool,
    verify: bool,
    keep_days: int | None,
    without_keys: bool,
    keys_only: bool,
) -> None:
    """Write an archive of this node into FOLDER, while it runs.

    It holds database, keys, identity, settings and all other files of the node's folder: enough to go on elsewhere.

    \b
    Every night:   port2port --data harbour backup --passphrase-file secret --verify /mnt/backups
    Get it back:   port2port --data new-folder restore /mnt/backups/ARCHIVE
    """
    if without_keys and keys_only:
        raise BadInput("--without-keys and --keys-only leave nothing.")
    data = data_of(at.path)
    days = horizon_days(keep_days, at.section("sharing", SharingSettings).backups_kept_days)
    passphrase = _new_passphrase(passphrase_file, no_encryption)
    parts = (Part.DATABASE,) if without_keys else (Part.KEYS,) if keys_only else BOTH
    for each in data.outside:
        click.echo(f"Not in the archive, for it stands outside of the node's folder: {each}", err=True)
    now = system_clock()
    made = make(data, folder, parts, passphrase, now, _progress)
    if verify:
        _verify(made, at.path, passphrase)
    old = old_archives(made.path.parent, data.node_id, now, days)
    for path in old:
        path.unlink()
    _record(at, _fact_of(made, bool(passphrase), len(old), now))
    click.echo(f"{made.path}: {made.files} files, {made.size_bytes:,} bytes{', read back' if verify else ''}.")
    if old:
        click.echo(f"Deleted archives older than {days} days: {len(old)}.")


@click.command()
@click.argument("archive", type=FILE)
@passphrase_option
@click.option("--keys", type=FILE, help="A newer archive with keys, to be used in place of those in ARCHIVE.")
@click.option("--without-keys", is_flag=True, help="Go on although shared content stays unreadable.")
@click.option("--replace", is_flag=True, help="Put it in the place of a folder that is not empty, which is kept aside.")
@click.pass_obj
def restore(
    at: DataFolder, archive: Path, passphrase_file: Path | None, keys: Path | None, without_keys: bool, replace: bool
) -> None:
    """Make a node's folder out of ARCHIVE. All of it is checked before anything is touched.

    The old node must never run again. At its start the restored one asks partners for what it sent after the backup,
    and goes on behind that.

    \b
    On a new machine:   port2port --data harbour restore ARCHIVE
                        port2port --data harbour serve
    """
    done = restore_order(Order(archive, at.path, keys, without_keys, replace), _asker(passphrase_file), system_clock())
    click.echo(f"{done.name} stands in {done.folder} as of {done.backup_of:%Y-%m-%d %H:%M} UTC.")
    if done.keys_of is None:
        click.echo("It has no keys: shared content cannot be read.")
    if done.aside is not None:
        click.echo(f"What stood there before is in {done.aside}. Delete it when all is well.")
    click.echo(f"Next: port2port --data {done.folder} serve")


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--everything", is_flag=True, required=True, help="Say it: all data of this organisation.")
@click.option("--include-named", is_flag=True, help="Also what is for named readers (TLP:RED) or was never examined.")
@click.pass_obj
def export(at: DataFolder, folder: Path, everything: bool, include_named: bool) -> None:
    """Write all data into FOLDER in open formats, while the node runs.

    JSON lines: objects as STIX bundles with their labels, every table, everything that happened. A README explains
    them, manifest.json holds their SHA-256. Keys and passwords are left out, and so is what may no longer be kept.

    \b
    Leave with all:   port2port --data harbour export --everything /mnt/away
    """
    assert everything, "the option is required"
    data = data_of(at.path)
    with at.open_site() as site:
        written = export_everything(data, site.store, folder, system_clock(), include_named)
    fact = DataExported(at=system_clock(), objects=written.objects, named=include_named, account=SYSTEM_ACCOUNT)
    _record(at, fact)
    click.echo(f"{folder}: {written.objects:,} objects, {written.files} files. Begin with README.md.")


@click.command()
@click.argument("name")
@click.pass_obj
def destroy(at: DataFolder, name: str) -> None:
    """Delete this node's folder for good: keys are overwritten first.

    NAME is the organisation's full name, as a sign that you mean it. Stop the node before. Backups and exports
    elsewhere stay; delete them as well.

    \b
    The end:   port2port --data harbour destroy "Port of Ostend"
    """
    destroying.destroy(at.path, name)
    click.echo(f"{at.path} is deleted. Archives and exports elsewhere are not.")


def _verify(made: Made, folder: Path, passphrase: str) -> None:
    try:
        with work_folder(folder) as work:
            opening.check(made.path, lambda: passphrase, work)
    except Port2PortError:
        made.path.unlink(missing_ok=True)
        raise


def _fact_of(made: Made, encrypted: bool, deleted: int, now: datetime) -> BackupMade:
    return BackupMade(
        at=now,
        parts=tuple(each.value for each in made.parts),
        encrypted=encrypted,
        size_bytes=made.size_bytes,
        deleted=deleted,
        account=SYSTEM_ACCOUNT,
    )


def _record(at: DataFolder, fact: Fact) -> None:
    with at.open_site() as site, site.store.transaction() as tx:
        tx.append(fact)


def _new_passphrase(path: Path | None, no_encryption: bool) -> str:
    if no_encryption:
        if path is not None:
            raise BadInput("--no-encryption and --passphrase-file contradict each other.")
        return ""
    if path is not None:
        passphrase = _read_passphrase(path)
    elif sys.stdin.isatty():
        passphrase = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise BadInput(
            "An archive holds this node's keys: it needs a passphrase.",
            hint="Give --passphrase-file FILE. Or --no-encryption when the place itself is secret.",
        )
    require_passphrase(passphrase)
    return passphrase


def _asker(path: Path | None) -> AskPassphrase:
    def ask() -> str:
        if path is not None:
            return _read_passphrase(path)
        if not sys.stdin.isatty():
            raise BadInput("This archive is encrypted.", hint="Give --passphrase-file FILE.")
        return str(click.prompt("Passphrase", hide_input=True, err=True))

    return ask


def _read_passphrase(path: Path) -> str:
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_PASSPHRASE_BYTES).decode().splitlines()
    except (OSError, UnicodeError) as error:
        raise BadInput(f"The passphrase in {path} cannot be read.", hint="Its first line is taken, UTF-8.") from error
    if not lines or not lines[0]:
        raise BadInput(f"{path} holds no passphrase.", hint=f"At least {limits.LEAST_PASSPHRASE_CHARS} characters.")
    return lines[0]


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and total:
        click.echo(f"\r{100 * done // total:3d} %" + ("\n" if done >= total else ""), nl=False, err=True)
