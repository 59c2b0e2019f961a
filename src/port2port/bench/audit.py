"""The audit log: how fast a tree grows and proves, and how fast entries are recorded and checked."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from port2port.bench.figures import Figure, limit_figure, ratio_figure
from port2port.capability import Site
from port2port.core.fact import Recorded
from port2port.sharing import capability
from port2port.sharing.audit import log, merkle, tables, verify
from port2port.sharing.audit.log import AuditLog
from port2port.sharing.audit.tiles import Tree
from port2port.sharing.facts import MemberInvited
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site

PAGE = 500
_BARE = (
    "CREATE TABLE leaf (place INTEGER PRIMARY KEY, number INTEGER, at INTEGER, kind TEXT, entry BLOB, salt BLOB,"
    " record BLOB) STRICT"
)


def measure(long: bool = False) -> dict[str, Figure]:
    """The figures; `long` for more leaves and rounds."""
    leaves, proofs = (1_000_000, 2_000) if long else (200_000, 500)
    entries = [sha256(number.to_bytes(8, "big")).digest() for number in range(leaves)]
    floor = max(_rate(leaves, lambda: _two_hashes(entries)) for _ in range(3))
    append = max(_rate(leaves, lambda: _grow(entries)) for _ in range(3))
    tree = _grow(entries)
    make_us, check_us = _proofs(tree, entries, proofs)
    with tempfile.TemporaryDirectory() as folder:
        stored, checked, insert = _stored(Path(folder), 100_000 if long else 20_000)
    return {
        "audit_append_per_s": ratio_figure(
            append, floor, "leaves/s", 0.5, note="tree only; floor: two bare SHA-256 a leaf"
        ),
        "audit_proof_us": limit_figure(
            make_us, "us", 1_000.0, note=f"inclusion, {leaves} leaves, from tiles of 256 hashes"
        ),
        "audit_proof_check_us": limit_figure(check_us, "us", 100.0, note="inclusion"),
        "audit_record_per_s": ratio_figure(
            stored,
            insert,
            "entries/s",
            0.1,
            note="journal to log, pages of 500, durable; floor: bare inserts",
        ),
        "audit_check_per_s": ratio_figure(
            checked, floor, "entries/s", 0.01, note="the whole log against its journal and checkpoints"
        ),
    }


def _rate(count: int, work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return count / (perf_counter() - began)


def _two_hashes(entries: list[bytes]) -> None:
    """What no implementation can go below: the leaf, and one node on average."""
    pair = bytes(64)
    for entry in entries:
        sha256(b"\x00" + entry).digest()
        sha256(b"\x01" + pair).digest()


def _grow(entries: list[bytes]) -> Tree:
    tree = Tree(0, lambda level, number: b"")
    tree.append(entries)
    return tree


def _proofs(tree: Tree, entries: list[bytes], count: int) -> tuple[float, float]:
    """Median microseconds to make one, and to check one."""
    random, root, make, check = Random(1), merkle.root(tree.node, tree.size), [], []
    for _ in range(count):
        place = random.randrange(tree.size)
        began = perf_counter()
        proof = merkle.inclusion_proof(tree.node, place, tree.size)
        made = perf_counter()
        assert merkle.is_included(merkle.leaf_hash(entries[place]), place, tree.size, proof, root)
        make.append(made - began)
        check.append(perf_counter() - made)
    return median(make) * 1e6, median(check) * 1e6


def _stored(folder: Path, count: int) -> tuple[float, float, float]:
    """Entries a second: recorded, checked; and bare inserts of the same rows."""
    site = make_site(capabilities=[capability], url=f"sqlite:///{folder / 'node.db'}")
    journal = _journal(site, count)
    kept = AuditLog(site, new_salt=os.urandom)

    def record() -> None:
        for start in range(0, count, PAGE):
            with site.store.transaction() as tx:
                kept.handle(tx, journal[start : start + PAGE])
                tx.move_cursor(log.READER, journal[min(start + PAGE, count) - 1].number)

    stored = _rate(count, record)
    keys = (public_bytes(site.identity),)
    checked = _rate(count, lambda: _check(site, keys))
    with site.store.reading() as view:
        rows = [(e.place, e.number, 0, e.kind, e.entry, e.salt, e.record) for e in tables.all_leaves(view)]
    site.store.close()
    return stored, checked, _rate(count, lambda: _insert(folder / "bare.db", rows))


def _check(site: Site, keys: tuple[bytes, ...]) -> None:
    report = verify.verify(site.store, site.party.node_id, lambda node: keys, site.clock())
    assert not report.problems, report.problems


def _journal(site: Site, count: int) -> list[Recorded]:
    now = site.clock()
    fact = MemberInvited(at=now, invitation="0" * 32, name="Port of Ostend", expires=now)
    for _ in range(0, count, PAGE):
        with site.store.transaction() as tx:
            tx.append(*[fact] * PAGE)
    found: list[Recorded] = []
    while page := site.store.read(len(found), 10_000):
        found.extend(page)
    return found


def _insert(path: Path, rows: Sequence[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute(_BARE)
        for start in range(0, len(rows), PAGE):
            bare.execute("BEGIN")
            bare.executemany("INSERT INTO leaf VALUES (?, ?, ?, ?, ?, ?, ?)", rows[start : start + PAGE])
            bare.execute("COMMIT")
