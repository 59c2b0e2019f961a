"""Delivery between two nodes in processes of their own, over mutual TLS: quiet, catching up, and urgent meanwhile.

Floors, in the same run: two durable commits and a TLS round trip (quiet); plain sqlite3 inserting the same bytes in
pages of 256, one after the other, with `synchronous = FULL` (catching up); SHA-256 and one signature a page in a plain
loop (verification).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.bench.delivery import _commits_ms, _tls_round_trip_ms
from port2port.bench.figures import Figure, least_figure, limit_figure
from port2port.bench.peer_process import AGREEMENT, BODY
from port2port.core.handling import Agreement, LegalBasis, PersonalData, Purpose
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.sharing import entry, verify
from port2port.sharing.bootstrap import make_agreement, make_statement, write_bootstrap
from port2port.sharing.entry import GENESIS, Cursor, Entry, Header
from port2port.store.identity import public_bytes

BACKLOG, BACKLOG_LONG = 100_000, 700_000
QUIET, URGENT = 200, 100
PAGE = 256


class PeerProcess:
    """The parent's end of one node."""

    def __init__(self, folder: Path, seed: int, port: int) -> None:
        folder.mkdir()
        self.seed, self.address = seed, f"127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "port2port.bench.peer_process", str(folder), str(seed), self.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **values: Any) -> Any:
        self.tell(do, **values)
        return self.answer()

    def tell(self, do: str, **values: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **values}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "a node of the measurement ended"
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def peers(folder: Path, count: int = 2) -> Iterator[list[PeerProcess]]:
    """Nodes that know each other under one agreement; the first ones begin, `meet` makes the others listen."""
    made = [PeerProcess(folder / str(seed), seed, free_port()) for seed in range(1, count + 1)]
    try:
        write_bootstrap(folder / "network", _papers(made))
        yield made
    finally:
        for each in made:
            each.close()


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


def _papers(made: list[PeerProcess]) -> list[Any]:
    now = datetime.now(UTC)
    keys = {each: Ed25519PrivateKey.from_private_bytes(each.seed.to_bytes(32, "big")) for each in made}
    first = keys[made[0]]
    papers = []
    for number, (each, key) in enumerate(keys.items()):
        party = Party(
            node_id=node_id(public_bytes(key)),
            name=f"Port {each.seed}",
            short_name=f"P{each.seed}",
            compartment=Compartment.A,
            roles=frozenset({AuthorityRole.INVITES}) if not number else frozenset(),
        )
        papers.append(make_statement(party, public_bytes(key), each.address, now, first))
    text = Agreement(
        id=AGREEMENT,
        title="Bench",
        parties=frozenset(node_id(public_bytes(key)) for key in keys.values()),
        purposes=frozenset({Purpose.PORT_SECURITY}),
        legal_basis=frozenset({LegalBasis.ISPS_CODE}),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now - timedelta(days=1),
        ends=now + timedelta(days=30),
    )
    return [*papers, make_agreement(text, *keys.values())]


def measure(long: bool = False) -> dict[str, Figure]:
    """Quiet delivery, catching up with one peer, an urgent one meanwhile, and verification alone."""
    backlog = BACKLOG_LONG if long else BACKLOG
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        quiet_ms = _quiet(folder / "quiet")
        rate, _ = _catching_up(folder / "late", backlog, urgent=0)
        _, urgent_ms = _catching_up(folder / "urgent", backlog, urgent=URGENT)
        floor_ms = _commits_ms(folder) / 2 + asyncio.run(_tls_round_trip_ms())
        floor_rate = _plain_inserts(folder / "floor.db")
    verified, hashed = _verification()
    return {
        "two_nodes_quiet_p99_ms": limit_figure(_p99(quiet_ms), "ms", 100.0, floor_ms, f"{QUIET} objects, one by one"),
        "catch_up_entries_per_s": least_figure(
            rate, "entries/s", 8_000, floor_rate, f"{backlog} entries of {len(BODY)} bytes, one peer"
        ),
        "flash_during_catch_up_p99_ms": limit_figure(
            _p99(urgent_ms), "ms", 500.0, floor_ms, f"{len(urgent_ms)} urgent objects while {backlog} entries travel"
        ),
        "verify_entries_per_s": least_figure(
            verified, "entries/s", 100_000, hashed, f"pages of {PAGE}, one signature each; floor: the hashes alone"
        ),
    }


def _p99(times_ms: list[float]) -> float:
    return quantiles(times_ms, n=100, method="inclusive")[98]


def _quiet(folder: Path) -> list[float]:
    folder.mkdir()
    with peers(folder) as (here, there):
        for each in (here, there):
            each.ask("network", path=str(folder / "network"))
        here.ask("offer", first=0, count=1, urgent=True)
        there.ask("watch", names=["o0"], after=0)
        return [_one(here, there, number) for number in range(1, QUIET + 1)]


def _one(here: PeerProcess, there: PeerProcess, number: int) -> float:
    after = there.ask("head")
    there.tell("watch", names=[f"o{number}"], after=after)
    began = here.ask("offer", first=number, count=1, urgent=True)
    return float(there.answer()[f"o{number}"] - began) * 1000


def _catching_up(folder: Path, backlog: int, urgent: int) -> tuple[float, list[float]]:
    """The origin writes while the other is away; then it comes. Meanwhile, so many urgent objects."""
    folder.mkdir()
    with peers(folder) as (here, there):
        here.ask("network", path=str(folder / "network"))
        here.ask("offer", first=0, count=backlog)
        ready = here.ask("published", count=backlog)
        after = there.ask("head")
        began = there.ask("network", path=str(folder / "network"))
        there.tell("watch", names=[f"o{backlog + number}" for number in range(urgent)], after=after)
        sent = {}
        for number in range(backlog, backlog + urgent):
            sent[f"o{number}"] = here.ask("offer", first=number, count=1, urgent=True)
            time.sleep(0.03)  # a rhythm, not a wait for anything
        heard = there.answer()
        ended = there.ask("arrived", count=ready + urgent)
    return backlog / (ended - began), [(heard[name] - at) * 1000 for name, at in sent.items()]


def _plain_inserts(path: Path, rounds: int = 80) -> float:
    """The same bytes into one table, a page a transaction."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE entry (lane BLOB, sequence INTEGER, body BLOB, PRIMARY KEY (lane, sequence))")
    body, began = BODY.encode(), time.perf_counter()
    for page in range(rounds):
        database.execute("BEGIN")
        rows = [(b"lane", page * PAGE + number, body) for number in range(PAGE)]
        database.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")
    took_s = time.perf_counter() - began
    database.close()
    return rounds * PAGE / took_s


def _verification(pages: int = 400) -> tuple[float, float]:
    """Entries a second through `follow_page`, and through the hashes alone."""
    key, lane, body = Ed25519PrivateKey.generate(), bytes(16), BODY.encode()
    cursor, made = Cursor(), []
    for _ in range(pages):
        entries = []
        for _ in range(PAGE):
            commitment = entry.commitment(bytes(16), body)
            each = Entry(Header(lane, cursor.sequence + 1, 1, 0, commitment), bytes(16), body)
            cursor = entry.follow(cursor, each.header)
            entries.append(each)
        made.append((entries, entry.sign(key, lane, cursor, 0)))
    keys, at = [public_bytes(key)], Cursor()
    began = time.perf_counter()
    for entries, checkpoint in made:
        followed = verify.follow_page(at, entries, checkpoint, keys, lambda _: None)
        assert isinstance(followed, verify.Followed)
        at = Cursor(checkpoint.sequence, checkpoint.chain)
    verified = pages * PAGE / (time.perf_counter() - began)
    began, chain = time.perf_counter(), GENESIS
    for entries, _ in made:
        for each in entries:
            hashlib.sha256(bytes(16) + body).digest()
            chain = hashlib.sha256(chain + each.header.commitment).digest()
    return verified, pages * PAGE / (time.perf_counter() - began)
