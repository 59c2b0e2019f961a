"""Taking back: until every connected partner has confirmed, and a hundred thousand erasures.

Floors in the same run: two durable commits at both ends and two TLS round trips; plain sqlite3 deleting as many rows
by key, in transactions of a thousand.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from port2port.bench.delivery import _commits_ms, _tls_round_trip_ms
from port2port.bench.figures import Figure, limit_figure
from port2port.bench.lanes import peers

PARTNERS, ROUNDS, ROUNDS_LONG = 3, 40, 400
ERASURES = 100_000


def measure(long: bool = False) -> dict[str, Figure]:
    """Receipts of all partners, and mass erasure with one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        receipts_s = _receipts(folder / "few", ROUNDS_LONG if long else ROUNDS)
        erased_s, confirmed_s = _erasures(folder / "many")
        floor_s = (_commits_ms(folder) + 2 * asyncio.run(_tls_round_trip_ms())) / 1000
        deleted_s = _plain_deletes(folder / "floor.db")
    p99_s = quantiles(receipts_s, n=100, method="inclusive")[98]
    note = f"{len(receipts_s)} withdrawals, {PARTNERS} partners, from the order to the last receipt"
    return {
        "recall_receipts_p99_s": limit_figure(p99_s, "s", 5.0, floor_s, note),
        "erasures_100k_s": limit_figure(erased_s, "s", 10.0, deleted_s, "keys destroyed, index and bodies gone here"),
        "erasures_100k_confirmed_s": limit_figure(confirmed_s, "s", 20.0, deleted_s, "and at a partner, with receipts"),
    }


def _receipts(folder: Path, rounds: int) -> list[float]:
    folder.mkdir()
    with peers(folder, PARTNERS + 1) as (here, *there):
        for each in (here, *there):
            each.ask("network", path=str(folder / "network"))
        here.ask("offer", first=0, count=rounds)
        for each in there:
            each.ask("watch", names=[f"o{number}" for number in range(rounds)], after=0)
        times_s = []
        for number in range(rounds):
            began = here.ask("take_back", first=number, count=1, op="withdraw")
            times_s.append(here.ask("confirmed", receipts=PARTNERS * (number + 1)) - began)
        return times_s


def _erasures(folder: Path) -> tuple[float, float]:
    folder.mkdir()
    with peers(folder, 2) as (here, there):
        for each in (here, there):
            each.ask("network", path=str(folder / "network"))
        here.ask("offer", first=0, count=ERASURES)
        here.ask("published", count=ERASURES)
        there.ask("arrived", count=ERASURES)
        began = here.ask("take_back", first=0, count=ERASURES, op="erase")
        erased = here.ask("erased", count=ERASURES)
        confirmed = here.ask("confirmed", receipts=here.ask("issued"))
    return erased - began, confirmed - began


def _plain_deletes(path: Path) -> float:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA secure_delete = ON")
    database.execute("CREATE TABLE body (id TEXT PRIMARY KEY, body BLOB)")
    database.execute("BEGIN")
    database.executemany("INSERT INTO body VALUES (?, zeroblob(800))", [(f"o{n}",) for n in range(ERASURES)])
    database.execute("COMMIT")
    began = time.perf_counter()
    for first in range(0, ERASURES, 1000):
        database.execute("BEGIN")
        database.executemany("DELETE FROM body WHERE id = ?", [(f"o{n}",) for n in range(first, first + 1000)])
        database.execute("COMMIT")
    took_s = time.perf_counter() - began
    database.close()
    return took_s
