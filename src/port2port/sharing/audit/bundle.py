"""The log as a folder that an auditor can check alone: see `verify_bundle.py`, and docs/reference/audit-log.md."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from port2port.core.errors import Conflict, NotFound
from port2port.sharing.audit import checkpoint, log, tables
from port2port.sharing.audit.log import with_cosignatures
from port2port.sharing.audit.tables import Leaf, StoredCheckpoint
from port2port.sharing.audit.tiles import HEIGHT, WIDTH, bundle_of, path_of, widths
from port2port.sharing.audit.verify import Keys
from port2port.store import Reading

FORMAT = "port2port-audit-1"


def export(view: Reading, folder: Path, node: str, name: str, keys: Keys) -> int:
    """Write the log up to its newest checkpoint; answers how many entries. Raises `NotFound`, `Conflict`."""
    newest = tables.newest_checkpoint(view)
    if newest is None:
        raise NotFound("The log has no checkpoint yet.", hint="Let the node run for a moment, and try again.")
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty.", hint="Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "about.json", _about(node, name, newest))
    _write(folder / "checkpoint", with_cosignatures(view, newest).encode())
    _export_checkpoints(view, folder)
    _write(folder / "keys.txt", "".join(f"{each}\n" for each in _keys(view, node, keys)).encode())
    _export_leaves(view, folder, newest.size)
    _export_tiles(view, folder, newest.size)
    return newest.size


def _about(node: str, name: str, newest: StoredCheckpoint) -> bytes:
    said = {"format": FORMAT, "origin": checkpoint.origin_of(node), "name": name, "size": newest.size}
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def _export_checkpoints(view: Reading, folder: Path) -> None:
    """Every checkpoint that was ever signed, with the confirmations that it got."""
    for each in tables.all_checkpoints(view):
        _write(folder / "checkpoints" / f"{each.size:012d}", with_cosignatures(view, each).encode())


def _keys(view: Reading, node: str, keys: Keys) -> Iterable[str]:
    yield from (checkpoint.log_key(node, key).vkey() for key in keys(node))
    for witness in sorted({each.witness for each in tables.all_cosignatures(view)}):
        yield from (checkpoint.witness_key(witness, key).vkey() for key in keys(witness))


def _export_leaves(view: Reading, folder: Path, size: int) -> None:
    """Entry bundles hold hashes alone; what they stand for is in `records.jsonl`, where it was not erased."""
    leaves = tables.all_leaves(view, size)
    with (folder / "records.jsonl").open("w", encoding="utf-8") as file:
        for number, part in enumerate(_parts(leaves)):
            _write(folder / path_of("entries", number, len(part)), bundle_of(each.entry for each in part))
            file.writelines(_line(each) for each in part)


def _parts(leaves: Iterator[Leaf]) -> Iterator[list[Leaf]]:
    while part := list(islice(leaves, WIDTH)):
        yield part


def _line(leaf: Leaf) -> str:
    if leaf.salt is None or leaf.record is None:
        return json.dumps({"entry": leaf.place}) + "\n"
    said = {"entry": leaf.place, "salt": base64.b64encode(leaf.salt).decode(), "record": leaf.record.decode()}
    return json.dumps(said, ensure_ascii=False) + "\n"


def _export_tiles(view: Reading, folder: Path, size: int) -> None:
    tree = log.tree(view, size)
    for level, hashes in widths(size).items():
        for number in range((hashes - 1 >> HEIGHT) + 1):
            width = min(WIDTH, hashes - number * WIDTH)
            _write(folder / path_of(level, number, width), bytes(tree.tile(level, number)[: width * 32]))
            tree.forget(level, number)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
