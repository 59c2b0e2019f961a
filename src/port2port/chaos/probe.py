"""Looking at nodes from outside: their files, their copies of each other's connections, what they say is confirmed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Collection, Mapping, Set
from contextlib import closing
from typing import Any

from port2port.chaos.ledger import Ledger
from port2port.chaos.node import DATABASE, KEYS, SimulatedNode, open_files
from port2port.chaos.oracle import Label, may_have
from port2port.store import Reading

FOREVER_S = 4e11


def is_opening(line: bytes) -> bool:
    """Whether the line says that a connection exists."""
    return line.startswith(b'{"type":"lane"')


def label_of_lane(line: bytes) -> Label | None:
    """The label that a line speaks of, when it says that a connection exists; None for all other lines."""
    if not is_opening(line):
        return None
    opening = json.loads(line)
    return _label_of_audience(opening["origin"], opening["audience"])


def _label_of_audience(origin: str, audience: str) -> Label | None:
    said = json.loads(audience)
    if "network" in said:
        return None
    if "member" in said:  # a recall for one who may no longer read where the recalled things are: it holds no object
        return None
    return Label(
        origin=origin,
        tlp=said["tlp"],
        scope=said["scope"],
        retain_until_s=FOREVER_S,
        agreement=said["agreement"],
        nodes=frozenset(said["to_nodes"]),
        group=said["to_group"],
        compartment=said["compartment"],
        basis=said["legal_basis"],
        purpose=said["purpose"],
        data=said["personal_data"],
        context=said["context"],
        readers=frozenset(said["readers"]),
    )


def everything_at(node: SimulatedNode) -> dict[str, bytes]:
    """All that lies at a node: raw files with their log, and every body that it can still open."""
    found = {path.name: path.read_bytes() for path in sorted(node.folder.iterdir())}
    with node.site.store.reading() as view:
        found["a body"] = _bodies(view)
    return found


def check_everything_stored(ledger: Ledger, node: SimulatedNode, present: Collection[str]) -> None:
    """Nothing lies at the node that may not."""
    for where, data in everything_at(node).items():
        ledger.check_raw(node.id, data, where, node.clock().timestamp(), present)


def check_old_copy(ledger: Ledger, node: SimulatedNode, present: Collection[str]) -> None:
    """What an older copy of the database gives away together with the key file of today."""
    if not node.old_copy.exists():
        return
    shutil.copyfile(node.folder / KEYS, node.old_copy / KEYS)
    store = open_files(node.old_copy, node.clock)
    try:
        with store.reading() as view:
            bodies = _bodies(view)
    finally:
        store.close()
    ledger.check_raw(node.id, bodies, "an older copy", node.clock().timestamp(), present)


def _bodies(view: Reading) -> bytes:
    """Every body that can still be opened."""
    keys = [(row[0], row[1]) for row in view.rows("SELECT object_id, version FROM store_body")]
    return b"\n".join(body or b"" for body in view.bodies(keys))


def recalled_numbers(node: SimulatedNode, recall: str) -> tuple[str, list[int]]:
    """Connection and numbers that a recall of this node means."""
    query = "SELECT hex(lane), entries FROM sharing_recall WHERE own = 1 AND hex(id) = upper(?)"
    with node.site.store.reading() as view:
        lane, entries = view.rows(query, (recall,))[0]
    return lane.lower(), json.loads(entries)


def receipts_of(nodes: Mapping[str, SimulatedNode]) -> dict[str, set[str]]:
    """Recall -> who has confirmed it to its origin."""
    found: dict[str, set[str]] = {}
    for node in nodes.values():
        for recall, peer in _rows(node, "SELECT lower(hex(recall)), peer FROM sharing_receipt"):
            found.setdefault(recall, set()).add(peer)
    return found


def _rows(node: SimulatedNode, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{node.folder / DATABASE}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def check_copies(ledger: Ledger, nodes: Mapping[str, SimulatedNode], forked: Collection[bytes]) -> None:
    """Every copy of a connection is dense from 1, and says what every other copy says at the same number.

    `forked`: where an origin was made to sign two histories.
    """
    said: dict[tuple[bytes, int], bytes] = {}
    for node in nodes.values():
        last: dict[bytes, int] = {}
        for lane, sequence, chain in _rows(node, "SELECT lane, sequence, chain FROM sharing_entry ORDER BY 1, 2"):
            ledger.counts["entries"] += 1
            if sequence != last.get(lane, 0) + 1:
                ledger.broken("I2", f"{node.who.name} has number {sequence} after {last.get(lane, 0)}")
            if lane not in forked and said.setdefault((lane, sequence), chain) != chain:
                ledger.broken("I3", f"{node.who.name} has another entry {sequence} than its neighbours")
            last[lane] = sequence


def check_confirmed(
    ledger: Ledger,
    nodes: Mapping[str, SimulatedNode],
    meddled: Set[tuple[str, str]] = frozenset(),
    forged: Set[str] = frozenset(),
) -> None:
    """What an origin believes to be confirmed is what the reader has, for all that the reader may still read.

    `meddled`: (reader, origin) where somebody else wrote with the origin's key: it finds out, and takes it as its own.
    """
    query = "SELECT origin, audience, id, sequence FROM sharing_lane WHERE own = 0 AND sequence > 0"
    confirmed = {node: _confirmations(each) for node, each in nodes.items()}
    real = {row[0] for each in nodes.values() for row in _rows(each, "SELECT id FROM sharing_lane WHERE own = 1")}
    for reader in nodes.values():
        for origin, audience, lane, sequence in _rows(reader, query):
            if (
                lane.hex() in forged
                or (reader.id, origin) in meddled
                or lane not in real
                or origin not in nodes
                or not _may_read(nodes[origin], reader.id, str(audience))
            ):
                continue
            ledger.counts["confirmed"] += 1
            if confirmed[origin].get((reader.id, lane), 0) != sequence:
                ledger.broken("I9", f"{reader.who.name} has {sequence}, which {nodes[origin].who.name} does not know")


def _confirmations(node: SimulatedNode) -> dict[tuple[object, object], object]:
    return {(peer, lane): number for peer, lane, number in _rows(node, "SELECT peer, lane, sequence FROM sharing_ack")}


def _may_read(origin: SimulatedNode, reader: str, audience: str) -> bool:
    view, label = origin.view(), _label_of_audience(origin.id, audience)
    return label is None or may_have(label, reader, view.at_s, view.known)
