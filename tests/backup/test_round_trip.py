"""A node comes back out of its archive whole: database, keys, identity, settings, zones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backup_kit import CONTENT, Opened, body_of, command, offer, tar_inside

from port2port.backup import making
from port2port.backup.database import copy_database
from port2port.backup.keeping import old_archives
from port2port.core.exchange import ObjectOffered
from port2port.store.identity import load_or_create
from port2port.web.facts import BackupMade, NodeRestored


@contextmanager
def serving(folder: Path) -> Iterator[dict[str, object]]:
    """The node runs, in a process of its own."""
    arguments = [sys.executable, "-m", "port2port", "--data", str(folder), "serve"]
    environment = {**os.environ, "PORT2PORT_LIFELINE": "1"}
    with (
        (folder / "node.log").open("wb") as log,
        subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(30)


def archive_in(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def facts(folder: Path, kind: type) -> list[object]:
    with Opened(folder) as store:
        return [each.fact for each in store.read(0, 10_000, {kind.__name__})]


def test_a_node_that_runs_is_backed_up_and_goes_on_elsewhere(harbour: Path, backups: Path, tmp_path: Path) -> None:
    with (harbour / "port2port.toml").open("a") as file:
        file.write('[web]\nport = 0\n[sharing]\nlisten = "127.0.0.1:0"\n')
    with serving(harbour) as said:
        assert said["ready"] == "Port of Ostend"
        assert command("--data", harbour, "backup", "--no-encryption", "--verify", backups) == 0
        assert command("--data", harbour, "backup", "--no-encryption", backups / "second.tar.zst") == 0
        (backups / "second.tar.zst").unlink()
        assert command("--data", harbour, "destroy", "Port of Ostend") == 5
    moved = tmp_path / "moved"
    assert command("--data", moved, "restore", archive_in(backups)) == 0
    assert body_of(moved, "report-1") == CONTENT
    assert (moved / "zones" / "quay.geojson").read_text() == "{}"
    assert load_or_create(moved).node_id == load_or_create(harbour).node_id
    assert len(facts(moved, NodeRestored)) == 1
    assert len(facts(harbour, BackupMade)) == 2
    with serving(moved) as said:
        assert said["ready"] == "Port of Ostend"


def test_foreign_tools_open_an_archive_and_find_no_lock_or_log_in_it(harbour: Path, backups: Path) -> None:
    load_or_create(harbour).next_key()
    with Opened(harbour):
        assert command("--data", harbour, "backup", "--no-encryption", backups) == 0
    assert sorted(tar_inside(archive_in(backups))) == [
        "identity.key",
        "identity.next.key",
        "manifest.json",
        "node.db",
        "node.keys",
        "port2port.toml",
        "zones/quay.geojson",
    ]


def test_what_is_written_during_a_backup_is_in_it_whole_or_not_at_all(
    harbour: Path, backups: Path, tmp_path: Path
) -> None:
    stop, errors, forgotten = threading.Event(), [], set()

    def write(who: int) -> None:
        number = 0
        while not stop.is_set():
            offer(store, f"w{who}-{number}", b"%d " % number * 500)
            if number % 3 == 0:
                forgotten.add(f"w{who}-{number // 2}")
                with store.transaction() as tx:
                    tx.forget_bodies([(f"w{who}-{number // 2}", 1)])
            number += 1

    def guarded(who: int) -> None:
        try:
            write(who)
        except Exception as error:
            errors.append(error)

    with Opened(harbour) as store:
        writers = [threading.Thread(target=guarded, args=(who,)) for who in range(3)]
        for each in writers:
            each.start()
        try:
            before = store.head()
            store.wait(before + 100, 20.0)
            codes = [
                command("--data", harbour, "backup", "--no-encryption", backups / f"{number}.tar.zst")
                for number in range(3)
            ]
        finally:
            stop.set()
            for each in writers:
                each.join()
    assert (codes, errors) == ([0, 0, 0], [])
    for number in range(3):
        _whole(backups / f"{number}.tar.zst", tmp_path / f"moved{number}", forgotten)


def _whole(archive: Path, folder: Path, forgotten: set[str]) -> None:
    assert command("--data", folder, "restore", archive) == 0
    with Opened(folder) as store, store.reading() as view:
        rows = view.rows("SELECT object_id, number FROM store_body WHERE object_id LIKE 'w%'")
        held = view.bodies([(object_id, 1) for object_id, _ in rows])
        keys = (folder / "node.keys").read_bytes()
        offered = {each.fact.object_id for each in store.read(0, 10_000, {"ObjectOffered"}) if _offered(each.fact)}
    assert len(rows) > 20
    for (object_id, number), body in zip(rows, held, strict=True):
        assert object_id in offered
        if body is None:
            assert object_id in forgotten, "the key was never destroyed, and is not there"
            assert keys[number * 32 : (number + 1) * 32] == bytes(32), "a key is there and does not open its body"
        else:
            assert body == b"%d " % int(object_id.partition("-")[2]) * 500


def _offered(fact: object) -> bool:
    return isinstance(fact, ObjectOffered)


def test_keys_are_copied_after_the_database(
    harbour: Path, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So what was written until then has its key, and what was erased meanwhile has none."""

    def copy(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
        offer(store, "just-before", b"written")
        copy_database(source, target, progress)
        with store.transaction() as tx:
            tx.forget_bodies([("report-1", 1)])

    monkeypatch.setattr(making, "copy_database", copy)
    with Opened(harbour) as store:
        assert command("--data", harbour, "backup", "--no-encryption", backups) == 0
    moved = tmp_path / "moved"
    assert command("--data", moved, "restore", archive_in(backups)) == 0
    assert body_of(moved, "just-before") == b"written"
    with Opened(moved) as store, store.reading() as view:
        assert view.rows("SELECT count(*) FROM store_body WHERE object_id = 'report-1'") == [(1,)]
        assert view.body("report-1", 1) is None


def test_what_is_erased_after_a_backup_without_keys_does_not_come_back(
    harbour: Path, backups: Path, tmp_path: Path
) -> None:
    assert command("--data", harbour, "backup", "--no-encryption", "--without-keys", backups / "db.tar.zst") == 0
    with Opened(harbour) as store:
        with store.transaction() as tx:
            tx.forget_bodies([("report-1", 1)])
        offer(store, "report-2", b"later")
    assert command("--data", harbour, "backup", "--no-encryption", "--keys-only", backups / "keys.tar.zst") == 0
    assert "node.keys" not in tar_inside(backups / "db.tar.zst")
    assert all(b"canary" not in each for each in tar_inside(backups / "db.tar.zst").values())

    moved = tmp_path / "moved"
    assert command("--data", moved, "restore", backups / "db.tar.zst") == 2
    assert not moved.exists()
    assert command("--data", moved, "restore", backups / "db.tar.zst", "--keys", backups / "keys.tar.zst") == 0
    with Opened(moved) as store, store.reading() as view:
        assert view.rows("SELECT count(*) FROM store_body WHERE object_id = 'report-1'") == [(1,)]
        assert view.body("report-1", 1) is None


def test_a_body_written_after_the_restore_never_opens_with_an_old_key(
    harbour: Path, backups: Path, tmp_path: Path
) -> None:
    assert command("--data", harbour, "backup", "--no-encryption", "--without-keys", backups / "db.tar.zst") == 0
    with Opened(harbour) as store:
        offer(store, "report-2", b"known to the lost node alone")
    assert command("--data", harbour, "backup", "--no-encryption", "--keys-only", backups / "keys.tar.zst") == 0
    moved = tmp_path / "moved"
    assert command("--data", moved, "restore", backups / "db.tar.zst", "--keys", backups / "keys.tar.zst") == 0
    assert (moved / "node.keys").read_bytes()[2 * 32 : 3 * 32] == bytes(32)
    with Opened(moved) as store:
        offer(store, "report-3", b"new")
    assert body_of(moved, "report-3") == b"new"
    assert body_of(moved, "report-1") == CONTENT


def test_a_passphrase_is_needed_to_read_and_to_restore(
    harbour: Path, backups: Path, secret: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--data", harbour, "backup", backups) == 2
    assert "--passphrase-file" in capsys.readouterr().err
    short = tmp_path / "short"
    short.write_text("crane")
    assert command("--data", harbour, "backup", "--passphrase-file", short, backups) == 2
    assert command("--data", harbour, "backup", "--passphrase-file", secret, "--verify", backups) == 0
    sealed = archive_in(backups)
    assert b"canary" not in sealed.read_bytes()
    assert b"Ostend" not in sealed.read_bytes()

    moved = tmp_path / "moved"
    wrong = tmp_path / "wrong"
    wrong.write_text("an old crane by the road\n")
    assert command("--data", moved, "restore", sealed) == 2
    assert command("--data", moved, "restore", "--passphrase-file", wrong, sealed) == 2
    assert not moved.exists()
    assert command("--data", moved, "restore", "--passphrase-file", secret, sealed) == 0
    assert body_of(moved, "report-1") == CONTENT


def test_a_folder_that_holds_something_is_replaced_only_when_told(
    harbour: Path, backups: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--data", harbour, "backup", "--no-encryption", backups) == 0
    with Opened(harbour) as store:
        offer(store, "later", b"later")
        assert command("--data", harbour, "restore", archive_in(backups)) == 5
        assert "--replace" in capsys.readouterr().err
        assert command("--data", harbour, "restore", "--replace", archive_in(backups)) == 5
        assert "running" in capsys.readouterr().err
    assert body_of(harbour, "later") == b"later"
    assert command("--data", harbour, "restore", "--replace", archive_in(backups)) == 0
    assert body_of(harbour, "later") is None
    (aside,) = tmp_path.glob("harbour.before-*")
    assert body_of(aside, "later") == b"later"


def test_archives_older_than_receipts_promise_are_deleted(
    harbour: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--data", harbour, "backup", "--no-encryption", backups) == 0
    old = archive_in(backups)
    node, now = load_or_create(harbour).node_id, datetime.now(UTC)
    assert old_archives(backups, node, now + timedelta(days=29), 30) == []
    assert old_archives(backups, node, now + timedelta(days=31), 30) == [old]
    assert old_archives(backups, "ab" * 32, now + timedelta(days=31), 30) == []
    assert command("--data", harbour, "backup", "--no-encryption", "--keep-days", "31", backups) == 2
    assert "sharing.backups_kept_days" in capsys.readouterr().err
    (backups / "notes.tar.zst").write_bytes(b"somebody's own")
    new = backups / "new.tar.zst"
    assert command("--data", harbour, "backup", "--no-encryption", "--keep-days", "0", new) == 0
    assert sorted(backups.iterdir()) == [new, backups / "notes.tar.zst"]
    assert [each.deleted for each in facts(harbour, BackupMade)] == [0, 1]  # type: ignore[attr-defined]


def test_a_folder_is_destroyed_with_its_keys_first(harbour: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    os.link(harbour / "node.keys", kept)
    assert any(kept.read_bytes())
    assert command("--data", harbour, "destroy", "Port of Ghent") == 2
    with Opened(harbour):
        assert command("--data", harbour, "destroy", "Port of Ostend") == 5
    assert any(kept.read_bytes())
    assert command("--data", harbour, "destroy", "Port of Ostend") == 0
    assert not harbour.exists()
    assert not any(kept.read_bytes())


@pytest.mark.parametrize("name", ["backup", "restore", "export", "destroy"])
def test_each_command_teaches_by_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(name, "--help") == 0
    assert f"port2port --data harbour {name}" in capsys.readouterr().out


def test_a_database_elsewhere_is_refused_with_what_to_do(
    harbour: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (harbour / "port2port.toml").open("a") as file:
        file.write('store = "postgresql://somewhere/port"\n')
    assert command("--data", harbour, "backup", "--no-encryption", backups) == 2
    assert "pg_dump" in capsys.readouterr().err
