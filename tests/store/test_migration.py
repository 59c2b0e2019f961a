"""Tables of capabilities and of the store itself, up and down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from port2port.core.errors import Conflict
from port2port.store import migration, open_store
from port2port.store.migration import STORE_MIGRATIONS

FIRST = """
import sqlalchemy as sa
from alembic import op
from port2port.store.types import Integer, Text
revision = "locks_0001"
down_revision = None
def upgrade():
    op.create_table("locks_lock", sa.Column("name", Text, primary_key=True), sqlite_strict=True)
    op.create_table("locks_door", sa.Column("lock", Text, sa.ForeignKey("locks_lock.name", ondelete="CASCADE")),
                    sqlite_strict=True)
def downgrade():
    op.drop_table("locks_door")
    op.drop_table("locks_lock")
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
from port2port.store.types import Text
revision: str = "locks_0002"
down_revision = "locks_0001"
def upgrade():
    with op.batch_alter_table("locks_lock", recreate="always") as batch:
        batch.add_column(sa.Column("river", Text, nullable=False, server_default="Scheldt"))
def downgrade():
    with op.batch_alter_table("locks_lock") as batch:
        batch.drop_column("river")
"""
BROKEN = FIRST.replace("def downgrade", "    raise ZeroDivisionError\ndef downgrade")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.py").write_text(FIRST)
    return folder


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'node.sqlite'}"


def test_a_capability_gets_its_tables_once(url: str, folder: Path) -> None:
    for _ in range(2):
        store = open_store(url, [])
        store.migrate("locks", folder)
        store.migrate("locks", folder)
        with store.reading() as view:
            assert view.execute(sa.text("SELECT version_num FROM locks_version")).scalar() == "locks_0001"
        store.close()


def test_a_table_may_be_rebuilt_without_losing_what_points_to_it(url: str, folder: Path) -> None:
    store = open_store(url, [])
    store.migrate("locks", folder)
    with store.transaction() as tx:
        tx.execute(sa.text("INSERT INTO locks_lock VALUES ('Kieldrecht')"))
        tx.execute(sa.text("INSERT INTO locks_door VALUES ('Kieldrecht')"))
    (folder / "0002_second.py").write_text(SECOND)
    store.migrate("locks", folder)
    with store.reading() as view:
        assert view.execute(sa.text("SELECT * FROM locks_lock")).all() == [("Kieldrecht", "Scheldt")]
        assert view.execute(sa.text("SELECT * FROM locks_door")).all() == [("Kieldrecht",)]
    with pytest.raises(sa.exc.IntegrityError), store.transaction() as tx:
        tx.execute(sa.text("INSERT INTO locks_door VALUES ('nowhere')"))
    store.close()


def test_a_migration_that_fails_changes_nothing(url: str, folder: Path) -> None:
    store = open_store(url, [])
    (folder / "0001_first.py").write_text(BROKEN)
    with pytest.raises(ZeroDivisionError):
        store.migrate("locks", folder)
    (folder / "0001_first.py").write_text(FIRST)
    store.migrate("locks", folder)
    store.close()


def test_data_of_a_newer_version_is_refused_and_left_alone(url: str, folder: Path) -> None:
    store = open_store(url, [])
    (folder / "0002_second.py").write_text(SECOND)
    store.migrate("locks", folder)
    (folder / "0002_second.py").unlink()
    with pytest.raises(Conflict, match="newer version"):
        store.migrate("locks", folder)
    with store.reading() as view:
        assert view.execute(sa.text("SELECT version_num FROM locks_version")).scalar() == "locks_0002"
    store.close()


def test_an_owner_is_a_plain_word(url: str, folder: Path) -> None:
    store = open_store(url, [])
    with pytest.raises(AssertionError):
        store.migrate("locks; DROP TABLE store_journal", folder)
    store.close()


@pytest.mark.parametrize("owner", ["locks", "store"])
def test_up_then_down_then_up_ends_where_it_began(folder: Path, owner: str) -> None:
    (folder / "0002_second.py").write_text(SECOND)
    engine = sa.create_engine("sqlite://")
    migrations = folder if owner == "locks" else STORE_MIGRATIONS
    with engine.connect() as connection:
        migration.run(connection, owner, migrations)
        tables = _schema(connection)
        assert len(tables) > 1
        migration.run(connection, owner, migrations, "base")
        assert [name for name, _ in _schema(connection)] == [f"{owner}_version"]
        migration.run(connection, owner, migrations)
        assert _schema(connection) == tables
    engine.dispose()


def test_one_step_down_is_possible(folder: Path) -> None:
    (folder / "0002_second.py").write_text(SECOND)
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        migration.run(connection, "locks", folder)
        migration.run(connection, "locks", folder, "locks_0001")
        assert migration.stored_revision(connection, "locks") == "locks_0001"
    engine.dispose()


def test_a_start_with_nothing_to_do_does_not_load_alembic(url: str, folder: Path) -> None:
    store = open_store(url, [])
    store.migrate("locks", folder)
    store.close()
    code = (
        "import sys; from pathlib import Path; from port2port.store import open_store;"
        f"store = open_store({url!r}, []); store.migrate('locks', Path({str(folder)!r})); store.close();"
        "sys.exit('alembic' in sys.modules or 'psycopg' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _schema(connection: sa.Connection) -> list[tuple[str, str]]:
    own = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name != 'sqlite_sequence' ORDER BY name"
    rows = connection.execute(sa.text(own))
    return [(name, sql) for name, sql in rows]
