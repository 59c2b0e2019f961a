"""Migrations: each owner (a capability, or the store itself) has a folder of revisions and a version table.

Most starts find nothing to do, and then Alembic is not even imported: eleven nodes may start at once on
two cores.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from port2port.core.errors import Conflict

STORE_MIGRATIONS = Path(__file__).parent / "migrations"

_OWNER = re.compile(r"[a-z][a-z0-9_]{0,40}")
_REVISION = re.compile(r"""^revision(?:\s*:[^=]+)?\s*=\s*["']([^"']+)["']""", re.MULTILINE)


def stored_revision(connection: Connection, owner: str) -> str | None:
    """The revision that the tables of `owner` are at, or None before the first."""
    table = version_table(owner)
    if not inspect(connection).has_table(table):
        return None
    return connection.execute(text(f"SELECT version_num FROM {table}")).scalar()  # noqa: S608 - checked by pattern


def known_revisions(migrations: Path) -> list[str]:
    """The revision ids in a folder, oldest first: files are named `0001_first.py`, `0002_...py`."""
    found = [_REVISION.search(path.read_text("utf-8")) for path in sorted(migrations.glob("[0-9]*.py"))]
    return [match[1] for match in found if match]


def is_newest(connection: Connection, owner: str, migrations: Path) -> bool:
    """Whether there is nothing to do. A database of a newer version than ours is a `Conflict`."""
    stored, known = stored_revision(connection, owner), known_revisions(migrations)
    if stored is not None and stored not in known:
        raise Conflict(
            f"The data of '{owner}' was last used by a newer version of Port2Port (revision {stored}).",
            hint="Install that version, or restore the backup made before the upgrade. Nothing was changed.",
        )
    return stored == (known[-1] if known else None)


def run(connection: Connection, owner: str, migrations: Path, target: str = "head") -> None:
    """Bring the tables of `owner` to revision `target` ("head", "base" or an id) on this connection.

    The caller holds the transaction.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(migrations), version_locations=[str(migrations)])

    def steps(revision: Any, _: Any) -> Any:
        going_down = target == "base" or _is_older(migrations, target, revision)
        return script._downgrade_revs(target, revision) if going_down else script._upgrade_revs(target, revision)

    with EnvironmentContext(Config(), script, fn=steps, destination_rev=target) as environment:
        environment.configure(connection=connection, version_table=version_table(owner), render_as_batch=True)
        environment.run_migrations()


def version_table(owner: str) -> str:
    """The table that holds the revision of `owner`."""
    assert _OWNER.fullmatch(owner), f"{owner!r} cannot own tables"
    return f"{owner}_version"


def _is_older(migrations: Path, target: str, revision: Any) -> bool:
    known = known_revisions(migrations)
    present = revision if isinstance(revision, str) else next(iter(revision or ()), None)
    return target in known and present in known and known.index(target) < known.index(present)
