"""What only the SQLite store does: settings, checks after a crash, a bounded log, its words when the disk is full."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest
import sqlalchemy as sa

from port2port.core.alert import AlertEnded
from port2port.core.errors import BadInput, Unavailable
from port2port.store import open_store
from port2port.store.sqlite import READERS, SqliteStore
from port2port.store.sqlite.file import WAL_LIMIT_BYTES

FACT = AlertEnded(at=datetime(2026, 3, 1, tzinfo=UTC), alert_id="a", reason="vessels.ended.moving")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "er" / "node.sqlite"


def say(store: SqliteStore) -> None:
    with store.transaction() as tx:
        tx.append(FACT)


def test_every_connection_is_set_for_durability_and_forgetting(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    with store.transaction() as tx, store.reading() as view:
        for name, wanted in (
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("secure_delete", 1),
            ("foreign_keys", 1),
            ("busy_timeout", 10_000),
            ("journal_size_limit", WAL_LIMIT_BYTES),
        ):
            assert tx.execute(sa.text(f"PRAGMA {name}")).scalar() == wanted
            assert view.execute(sa.text(f"PRAGMA {name}")).scalar() == wanted
    store.close()


def test_all_tables_are_strict(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    with store.reading() as view:
        rows = view.execute(sa.text("SELECT name, strict FROM pragma_table_list WHERE name LIKE 'store_%'")).all()
    store.close()
    assert {name for name, strict in rows if strict} == {"store_journal", "store_cursor", "store_body"}


def test_only_the_owner_can_read_the_file(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    say(store)
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.glob("node.sqlite*")} == {0o600}
    store.close()


def test_a_store_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr("port2port.store.sqlite.memory_folder", lambda: folder)
    store = open_store("memory://", [AlertEnded])
    assert not folder.exists()
    for _ in range(3):
        with store.transaction() as tx:
            tx.append(FACT)
            tx.put_body("large", store.head(), bytes(3_000_000))
    assert [entry.fact for entry in store.read(0)] == [FACT] * 3
    store.close()


def test_closing_leaves_one_file_and_its_lock(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    say(store)
    store.wait(5, 0.01)
    store.close()
    assert {each.name for each in path.parent.iterdir()} == {"node.keys", "node.sqlite", "node.sqlite-lock"}


def test_a_file_damaged_in_a_crash_is_refused_with_what_to_do(path: Path) -> None:
    _crash(path, damage=True)
    with pytest.raises(Unavailable, match="restore the newest backup"):
        SqliteStore(path, [AlertEnded])


def test_a_file_that_was_not_closed_is_checked_and_opens(path: Path) -> None:
    _crash(path, damage=False)
    store = SqliteStore(path, [AlertEnded])
    assert store.head() == 200
    store.close()


def test_something_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"these are not the bytes you are looking for" * 100)
    with pytest.raises(Unavailable):
        SqliteStore(path, [AlertEnded])


def test_the_log_stays_small_although_a_question_stood_in_the_way(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    started = monotonic()
    with store.reading() as view:
        view.cursor("x")
        for version in range(12):
            with store.transaction() as tx:
                tx.put_body("large", version, os.urandom(2 * 1024 * 1024))
        assert _wal(path) > WAL_LIMIT_BYTES, "the question holds it"
    assert monotonic() - started < 9, "writers do not wait for questions"
    store._cut_again_s = 0.0
    say(store)
    assert _wal(path) <= WAL_LIMIT_BYTES
    store.close()


def test_rows_left_unread_hold_nobody_back(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    for _ in range(300):
        say(store)
    with store.reading() as view:
        left = view.execute(sa.text("SELECT number FROM store_journal"))
        left.fetchone()
    with pytest.raises(sa.exc.ResourceClosedError):
        left.fetchone()
    with store.transaction() as tx:
        tx.execute(sa.text("INSERT INTO store_cursor VALUES ('a', 1), ('b', 1) RETURNING reader")).fetchone()
    with store.reading() as view:
        assert view.cursor("b") == 1
    store.close()


def test_a_question_that_finds_no_connection_is_told_to_try_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("port2port.store.sqlite.READER_WAIT_S", 0.05)
    store = SqliteStore(path, [AlertEnded])
    views = [store.reading() for _ in range(READERS)]
    for view in views:
        view.__enter__()
    with pytest.raises(Unavailable, match="Try again"):
        store.head()
    for view in views:
        view.__exit__(None, None, None)
    assert store.head() == 0
    store.close()


def test_a_file_held_by_another_program_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("port2port.store.sqlite.file.BUSY_TIMEOUT_S", 0.05)
    store = SqliteStore(path, [AlertEnded])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="holds the node's database"):
        say(store)
    other.execute("ROLLBACK")
    other.close()
    say(store)
    assert store.head() == 1
    store.close()


def test_a_commit_that_fails_tells_its_whole_group_and_the_store_goes_on(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    _limit_pages(store, 0)
    with ThreadPoolExecutor(8) as threads:
        for told in [threads.submit(_say_much, store) for _ in range(8)]:
            with pytest.raises(Unavailable, match="Make room"):
                told.result()
    assert store.head() == 0
    _limit_pages(store, 2**30)
    _say_much(store)
    assert store.head() == 2000
    store.close()


def test_a_member_whose_statement_fills_the_disk_takes_nobody_s_confirmation_with_it(path: Path) -> None:
    store = SqliteStore(path, [AlertEnded])
    say(store)
    _limit_pages(store, 0)
    with pytest.raises(Unavailable), store.transaction() as tx:
        tx.put_body("large", 1, bytes(1_000_000))
    with pytest.raises(Unavailable), store.transaction() as tx:  # noqa: PT012 - swallowed on purpose
        with pytest.raises(Unavailable):
            tx.put_body("large", 1, bytes(1_000_000))
        tx.cursor("x")
    _limit_pages(store, 2**30)
    say(store)
    assert store.head() == 2
    store.close()


@pytest.mark.parametrize("url", ["", "node.sqlite", "mysql://x", "sqlite://node.sqlite"])
def test_an_address_that_is_no_store_is_refused_with_examples(url: str) -> None:
    with pytest.raises(BadInput, match="sqlite:///PATH"):
        open_store(url, [])


def test_a_node_without_the_postgresql_driver_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(BadInput, match=r"port2port\[postgres\]"):
        open_store("postgresql://127.0.0.1/node", [], keys=Path("absent.keys"))


def test_a_postgresql_server_that_is_away_is_said() -> None:
    with pytest.raises(Unavailable, match="Check that PostgreSQL runs"):
        open_store("postgresql://nobody@127.0.0.1:1/node", [], keys=Path("absent.keys"))


def _say_much(store: SqliteStore) -> None:
    with store.transaction() as tx:
        tx.append(*[FACT] * 2000)


def _limit_pages(store: SqliteStore, pages: int) -> None:
    """SQLite's own full disk: the file may not grow beyond so many pages, or its present size."""
    with store._turns.alone():
        store._raw.execute(f"PRAGMA max_page_count = {pages or 1}").fetchall()


def _wal(path: Path) -> int:
    return Path(f"{path}-wal").stat().st_size


def _crash(path: Path, *, damage: bool) -> None:
    """What a killed process leaves: the file and a log that was not folded into it."""
    store = SqliteStore(path, [AlertEnded])
    for _ in range(200):
        say(store)
    kept = {each: each.read_bytes() for each in (path, Path(f"{path}-wal"))}
    store.close()
    for file, content in kept.items():
        file.write_bytes(content)
    if damage:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        content = path.read_bytes()
        path.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
        Path(f"{path}-wal").write_bytes(bytes(32))
