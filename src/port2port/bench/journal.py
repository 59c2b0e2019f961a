"""The journal: durable appends by 64 callers and pages read, beside plain `sqlite3` doing the same in the same run.

The floor appends the same bytes with one writer thread, a queue and `synchronous=FULL`: the least machinery that
can commit for many callers at once. A second pair of page figures decodes every row into its fact on both sides,
because the store decodes only what a reader looks at.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from threading import Barrier, Lock, Thread

import msgspec

from port2port.bench.figures import Figure, ratio_figure
from port2port.core.alert import AlertRaised, Priority
from port2port.core.place import Position
from port2port.store import Store, open_store

CALLERS = 64
APPENDS = 6_400
"""In one round; a multiple of `CALLERS`."""

ROWS, PAGE = 20_000, 500
TARGET_RATIO = 0.5

FACT = AlertRaised(
    at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    alert_id="8f14e45f-ceea-467f-ab1c-000000000001",
    capability="vessels",
    rule="vessels.rule.drift",
    priority=Priority.HIGH,
    subject="vessel:205123000",
    subject_name="ZEEMEEUW",
    position=Position(51.3, 4.2),
    sentence="vessels.sentence.drift",
    values={"name": "ZEEMEEUW", "speed": "2.1"},
    source="ais-scheldt",
)
DATA = msgspec.json.encode(FACT)

_CREATE = """
CREATE TABLE journal (
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL
) STRICT"""
_INSERT = "INSERT INTO journal VALUES (?, ?, ?, ?)"
_PAGE = "SELECT number, at, kind, data FROM store_journal WHERE number > ? ORDER BY number LIMIT ?"


def measure(long: bool = False) -> dict[str, Figure]:
    """Appends and pages; see the module."""
    rounds = 15 if long else 5
    with tempfile.TemporaryDirectory() as folder:
        appends = _alternate(rounds, lambda: _append(Path(folder)), lambda: _append_floor(Path(folder)))
        pages, facts = _pages(Path(folder), 3 * rounds)
    return {
        "journal_append_per_s": ratio_figure(
            *appends, "appends/s", TARGET_RATIO, f"{CALLERS} callers, each durable before it goes on; {len(DATA)} bytes"
        ),
        "journal_page_rows_per_s": ratio_figure(
            *pages, "rows/s", TARGET_RATIO, f"pages of {PAGE}, facts decoded when asked for"
        ),
        "journal_page_facts_per_s": ratio_figure(
            *facts, "facts/s", TARGET_RATIO, "the same, every fact decoded on both sides"
        ),
    }


def _alternate(rounds: int, ours: Callable[[], float], floor: Callable[[], float]) -> tuple[float, float]:
    """The median rate of each, taken in turns so that a busy machine hinders both."""
    ours(), floor()  # warm
    pairs = [(ours(), floor()) for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def _append(folder: Path) -> float:
    store = open_store(f"sqlite:///{_fresh(folder)}", [AlertRaised])

    def append() -> None:
        with store.transaction() as tx:
            tx.append(FACT)

    rate = _rate(append)
    assert store.head() == APPENDS
    store.close()
    return rate


def _append_floor(folder: Path) -> float:
    connection = _plain(_fresh(folder))
    queue: SimpleQueue[tuple[bytes, Lock] | None] = SimpleQueue()
    writer = Thread(target=_write_floor, args=(connection, queue))
    writer.start()

    def append() -> None:
        durable = Lock()
        durable.acquire()
        queue.put((DATA, durable))
        durable.acquire()

    rate = _rate(append)
    queue.put(None)
    writer.join()
    assert connection.execute("SELECT max(number) FROM journal").fetchone() == (APPENDS,)
    connection.close()
    return rate


def _write_floor(connection: sqlite3.Connection, queue: SimpleQueue[tuple[bytes, Lock] | None]) -> None:
    number = 0
    while (first := queue.get()) is not None:
        batch = [first]
        try:
            while len(batch) < CALLERS and (following := queue.get_nowait()) is not None:
                batch.append(following)
        except Empty:
            pass
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, [(number + i, i, "AlertRaised", data) for i, (data, _) in enumerate(batch, 1)])
        connection.execute("COMMIT")
        number += len(batch)
        for _, durable in batch:
            durable.release()


def _rate(append: Callable[[], None]) -> float:
    """Appends a second by all callers together."""
    ready = Barrier(CALLERS + 1)

    def call() -> None:
        ready.wait()
        for _ in range(APPENDS // CALLERS):
            append()

    threads = [Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    ready.wait()
    started_s = time.perf_counter()
    for thread in threads:
        thread.join()
    return APPENDS / (time.perf_counter() - started_s)


def _pages(folder: Path, rounds: int) -> tuple[tuple[float, float], tuple[float, float]]:
    path = _fresh(folder)
    store = open_store(f"sqlite:///{path}", [AlertRaised])
    for _ in range(ROWS // PAGE):
        with store.transaction() as tx:
            tx.append(*[FACT] * PAGE)
    connection = sqlite3.connect(path)
    rows = _alternate(rounds, lambda: _read(store, decode=False), lambda: _read_floor(connection, decode=False))
    facts = _alternate(rounds, lambda: _read(store, decode=True), lambda: _read_floor(connection, decode=True))
    connection.close()
    store.close()
    return rows, facts


def _read(store: Store, *, decode: bool) -> float:
    after, started_s = 0, time.perf_counter()
    while page := store.read(after, PAGE):
        after = page[-1].number
        if decode:
            assert [entry.fact for entry in page]
    assert after == ROWS
    return ROWS / (time.perf_counter() - started_s)


def _read_floor(connection: sqlite3.Connection, *, decode: bool) -> float:
    statement, decoder = _PAGE, msgspec.json.Decoder(AlertRaised)
    after, started_s = 0, time.perf_counter()
    while page := connection.execute(statement, (after, PAGE)).fetchall():
        after = page[-1][0]
        if decode:
            assert [decoder.decode(row[3]) for row in page]
    assert after == ROWS
    return ROWS / (time.perf_counter() - started_s)


def _plain(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(_CREATE)
    return connection


def _fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder)) / "node.sqlite"


if __name__ == "__main__":
    for name, figure in measure().items():
        print(name, figure)
