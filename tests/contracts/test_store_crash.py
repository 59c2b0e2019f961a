"""Whatever was confirmed is there after a kill, a power cut and a full disk: once, in order, without holes.

A kill alone proves little: the kernel still has the pages, so it passes even with synchronous=OFF. The
power-cut tests take the disk away from under the node, and one of them shows that they can fail.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from port2port.core.alert import AlertEnded
from port2port.core.errors import Port2PortError, Unavailable
from port2port.store import Store, open_store
from port2port.testing.postgres import PostgresServer

WRITER = Path(__file__).with_name("store_writer.py")
DEADLINE_S = 30.0


class Writers:
    """Writers that can be started and killed, and the file where they note what was confirmed."""

    def __init__(self, url: str, acknowledged: Path, synchronous: str = "FULL") -> None:
        self._acknowledged = acknowledged
        self._acknowledged.touch()
        command = [sys.executable, str(WRITER), url, str(acknowledged), synchronous]
        self._parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._writer = 0

    def start(self, run: str) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"{run}\n")
        self._parent.stdin.flush()
        self._writer = int(self._answer())

    def kill(self) -> None:
        if self._writer:
            os.kill(self._writer, signal.SIGKILL)
            self._writer = 0
            assert self._answer() == "gone"

    def acknowledged(self) -> list[str]:
        """What was confirmed up to now; a kill may have cut the last line short."""
        return [line for line in self._acknowledged.read_text().split("\n")[:-1] if line]

    def more(self, count: int) -> None:
        """Wait until `count` more were confirmed."""
        wanted, end = len(self.acknowledged()) + count, time.monotonic() + DEADLINE_S
        while len(self.acknowledged()) < wanted:
            assert time.monotonic() < end, "the writer does not get on"
            time.sleep(0.002)

    def close(self) -> None:
        self.kill()
        self._parent.communicate()

    def _answer(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline().strip()


@contextmanager
def writers(url: str, acknowledged: Path, synchronous: str = "FULL") -> Iterator[Writers]:
    these = Writers(url, acknowledged, synchronous)
    try:
        yield these
    finally:
        these.close()


def stored(store: Store) -> list[str]:
    """Every name in the journal; checks that numbers are dense, names once, each thread in order, bodies whole."""
    names: list[str] = []
    while page := store.read(len(names), 5000):
        assert [entry.number for entry in page] == list(range(len(names) + 1, len(names) + len(page) + 1))
        names += [entry.fact.alert_id for entry in page if isinstance(entry.fact, AlertEnded)]
    assert len(names) == len(set(names))
    last: dict[str, int] = {}
    for name in names:
        thread, count = name.rsplit("-", 1)
        assert int(count) == last.get(thread, 0) + 1
        last[thread] = int(count)
    with store.reading() as view:
        for name in names[-200:]:
            odd = int(name.rsplit("-", 1)[1]) % 2
            assert view.body(name, 1) == (name.encode() * 20 if odd else None)
    return names


@pytest.mark.parametrize("kills", [pytest.param(12, id="12 kills")])
def test_sqlite_keeps_what_was_confirmed_through_kills(tmp_path: Path, kills: int) -> None:
    url = f"sqlite:///{tmp_path / 'node.sqlite'}"
    _kill_again_and_again(url, tmp_path, kills)
    store = open_store(url, [AlertEnded])
    _nothing_lost(store, tmp_path)
    store.close()


@pytest.mark.postgres
def test_postgresql_keeps_what_was_confirmed_through_kills_of_the_node(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.emptied()
    _kill_again_and_again(url, tmp_path, 4)
    store = open_store(url, [AlertEnded], keys=tmp_path / "acknowledged.keys")
    _drain(store)
    _nothing_lost(store, tmp_path)
    store.close()


@pytest.mark.postgres
def test_postgresql_keeps_what_was_confirmed_when_the_server_crashes_and_the_store_works_again(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    store = open_store(postgres.emptied(), [AlertEnded], keys=tmp_path / "node.keys")
    confirmed = []
    for i in range(3):
        confirmed.append(_say(store, f"0-0-{2 * i + 1}"))
        postgres.stop("immediate")
        with pytest.raises(Unavailable):
            _say(store, "never")
        postgres.start()
        confirmed.append(_say(store, f"0-0-{2 * i + 2}"))
    _drain(store)
    names = [entry.fact.alert_id for entry in store.read(0) if isinstance(entry.fact, AlertEnded)]
    store.close()
    assert names == confirmed


@pytest.mark.root
def test_a_power_cut_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    lost = _cut_power(tmp_path, snapshots=6, synchronous="FULL")
    assert lost == [0] * 6


@pytest.mark.root
def test_the_power_cut_test_can_fail(tmp_path: Path) -> None:
    lost = _cut_power(tmp_path, snapshots=2, synchronous="OFF")
    assert any(lost), "without fsync a cut must lose something, else these tests prove nothing"


@pytest.mark.root
def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    with _mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=6m", "tmpfs") as folder:
        store = open_store(f"sqlite:///{folder / 'node.sqlite'}", [AlertEnded])
        confirmed: list[str] = []
        for _ in range(3):
            confirmed += _fill(store, folder / "filler", len(confirmed))
            assert [entry.fact.alert_id for entry in _all(store)] == confirmed
            (folder / "filler").unlink()
            confirmed.append(_say(store, f"0-0-{len(confirmed) + 1}"))
        assert [entry.fact.alert_id for entry in _all(store)] == confirmed
        store.close()
        again = open_store(f"sqlite:///{folder / 'node.sqlite'}", [AlertEnded])
        assert [entry.fact.alert_id for entry in _all(again)] == confirmed
        again.close()


def _kill_again_and_again(url: str, folder: Path, kills: int) -> None:
    source = random.Random(4)
    with writers(url, folder / "acknowledged") as these:
        for run in range(kills):
            these.start(str(run))
            these.more(source.randint(1, 300))
            time.sleep(source.random() / 50)  # anywhere within a commit
            these.kill()


def _nothing_lost(store: Store, folder: Path) -> None:
    confirmed = (folder / "acknowledged").read_text().split()
    assert len(confirmed) > 100
    assert set(confirmed) <= set(stored(store))


def _drain(store: Store) -> None:
    """On PostgreSQL the numbers follow the commits: wait until the head rests."""
    head = -1
    while head != (head := store.wait(store.head(), 1.0)):
        pass


def _say(store: Store, name: str) -> str:
    with store.transaction() as tx:
        tx.append(AlertEnded(at=datetime.now(UTC), alert_id=name, reason="vessels.ended.moving"))
        tx.put_body(name, 1, name.encode() * 2000)
    return name


def _fill(store: Store, filler: Path, count: int) -> list[str]:
    """Record until the disk is full; answers what was confirmed."""
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):  # noqa: PT012
        while True:
            file.write(bytes(4096))
    confirmed = []
    with pytest.raises(Unavailable, match="Make room"):  # noqa: PT012
        while True:
            confirmed.append(_say(store, f"0-0-{count + len(confirmed) + 1}"))
    return confirmed


def _all(store: Store) -> list:  # type: ignore[type-arg]
    return list(store.read(0, 10_000))


def _cut_power(folder: Path, snapshots: int, synchronous: str) -> list[int]:
    """SQLite on ext4 inside an image on XFS; an atomic copy of the image is the disk after a cut.

    Answers for each cut how many confirmed facts are not there; all of them when the database is unreadable.
    """
    with _xfs(folder) as outer:
        image = outer / "disk.ext4"
        _run("truncate", "-s", "48M", str(image))
        _run("mkfs.ext4", "-q", "-F", str(image))
        confirmed = []
        with (
            _mounted(folder / "inner", "-o", "loop", str(image)) as inner,
            writers(f"sqlite:///{inner / 'node.sqlite'}", folder / "acknowledged", synchronous) as these,
        ):
            these.start("0")
            for cut in range(snapshots):
                these.more(200)
                confirmed.append(these.acknowledged())
                _run("cp", "--reflink=always", str(image), str(outer / f"cut-{cut}.ext4"))
            these.kill()
        return [_lost(folder, outer / f"cut-{cut}.ext4", names) for cut, names in enumerate(confirmed)]


def _lost(folder: Path, image: Path, confirmed: list[str]) -> int:
    with _mounted(folder / "after", "-o", "loop", str(image)) as disk:
        if not (disk / "node.sqlite").exists():
            return len(confirmed)
        try:
            store = open_store(f"sqlite:///{disk / 'node.sqlite'}", [AlertEnded])
        except Port2PortError:
            return len(confirmed)
        names = set(stored(store))
        store.close()
        return len(set(confirmed) - names)


@contextmanager
def _xfs(folder: Path) -> Iterator[Path]:
    image = folder / "disk.xfs"
    _run("truncate", "-s", "512M", str(image))
    _run("mkfs.xfs", "-q", "-m", "reflink=1", str(image))
    with _mounted(folder / "outer", "-o", "loop", str(image)) as outer:
        yield outer


@contextmanager
def _mounted(at: Path, *what: str) -> Iterator[Path]:
    """Mount for the length of a `with` block. Skips where that is not possible."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    at.mkdir(exist_ok=True)
    _run("mount", *what, str(at))
    try:
        yield at
    finally:
        _run("umount", str(at))


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (Debian: xfsprogs, e2fsprogs, mount)")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and command[0] == "mount" and "loop" in command:
        pytest.skip(f"no loop devices here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
