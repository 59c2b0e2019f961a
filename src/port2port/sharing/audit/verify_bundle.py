"""Check an exported audit log, with no network and no node.

This one file needs Python 3.11 and the package `cryptography`, nothing of Port2Port: an auditor can read it and run it
alone. It shares no code with what it checks.

    python verify_bundle.py FOLDER [--key VKEY ...]

`--key` names a key that you trust, as the organisation or a partner told you by another way. Without it, the keys in
the bundle are used, and you are told to compare them.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_FILE_BYTES = 64 * 1024
MAX_LINE_CHARS = 4 * 1024 * 1024
MAX_SENTENCES = 20
WIDTH = 256
LOG, WITNESS = 1, 4


class Malformed(Exception):
    """A file of the bundle does not follow its format."""


@dataclass
class Findings:
    """What was found; the log is whole when `problems` is empty."""

    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        if not self.problems:
            return ["The log is whole.", *self.facts]
        more = len(self.problems) - MAX_SENTENCES
        rest = [f"… and {more} more."] if more > 0 else []
        return [f"The log is NOT whole: {len(self.problems)} found.", *self.problems[:MAX_SENTENCES], *rest]


@dataclass(frozen=True)
class Key:
    """A verifier key (C2SP signed-note)."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]


def read_key(text: str) -> Key:
    try:
        name, id, material = text.strip().split("+", 2)
        raw = base64.b64decode(material, validate=True)
    except ValueError as error:
        raise Malformed(f"{text[:60]!r} is not a key") from error
    key = Key(name, raw[0] if raw else 0, raw[1:])
    if len(key.public) != 32 or key.type not in (LOG, WITNESS) or key.id.hex() != id:
        raise Malformed(f"{text[:60]!r} is not a key")
    return key


def read_note(data: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Text, and signatures as name, key id and what follows."""
    try:
        text, blank, lines = data.decode().rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise ValueError
        found = []
        for line in lines[:-1].split("\n"):
            dash, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded, validate=True)
            if dash != "\N{EM DASH}" or len(raw) < 5:
                raise ValueError
            found.append((name, raw[:4], raw[4:]))
    except ValueError as error:
        raise Malformed("a checkpoint is not a signed note") from error
    return text + "\n", found


def read_checkpoint(text: str) -> tuple[str, int, bytes]:
    """Origin, size and root (C2SP tlog-checkpoint)."""
    try:
        origin, size, root = text.split("\n")[:3]
        raw = base64.b64decode(root, validate=True)
        if len(raw) != 32 or not size.isascii() or not size.isdigit() or str(int(size)) != size:
            raise ValueError
    except ValueError as error:
        raise Malformed("a checkpoint has no origin, size and root") from error
    return origin, int(size), raw


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_cosigned(key: Key, data: bytes, text: str) -> bool:
    """C2SP tlog-cosignature: eight bytes of time, then a signature over time and text."""
    seconds = int.from_bytes(data[:8], "big")
    return len(data) == 72 and is_signed(key.public, data[8:], f"cosignature/v1\ntime {seconds}\n{text}".encode())


class Tree:
    """A growing tree of which the right edge is kept (RFC 9162, section 2.1)."""

    def __init__(self) -> None:
        self.size = 0
        self.edge: list[bytes] = []

    def append(self, entry: bytes) -> None:
        carry, size = hashlib.sha256(b"\x00" + entry).digest(), self.size
        while size % 2:
            carry = hashlib.sha256(b"\x01" + self.edge.pop() + carry).digest()
            size //= 2
        self.edge.append(carry)
        self.size += 1

    def root(self) -> bytes:
        if not self.edge:
            return hashlib.sha256(b"").digest()
        found = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            found = hashlib.sha256(b"\x01" + left + found).digest()
        return found


def path_of(level: str, number: int) -> str:
    """Where a full tile stands (C2SP tlog-tiles)."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.insert(0, f"x{number % 1000:03d}")
    return f"tile/{level}/{'/'.join(parts)}"


def tiles_of(leaf_hashes: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every tile of a tree, as path and hashes."""
    level, hashes = 0, leaf_hashes
    while hashes:
        above = []
        for number in range((len(hashes) + WIDTH - 1) // WIDTH):
            row = hashes[number * WIDTH : (number + 1) * WIDTH]
            partial = f".p/{len(row)}" if len(row) < WIDTH else ""
            yield path_of(str(level), number) + partial, b"".join(row)
            while len(row) > 1 and not partial:
                row = [hashlib.sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)]
            above += [] if partial else row
        level, hashes = level + 1, above


class Bundle:
    """A folder that `port2port audit export` wrote; or that somebody altered."""

    def __init__(self, folder: Path, trusted: Iterable[str] = ()) -> None:
        self.folder = folder
        self.findings = Findings()
        self.about = self._about()
        told = [read_key(each) for each in trusted]
        own = [read_key(each) for each in self._read("keys.txt").decode("utf-8", "replace").splitlines()]
        self.keys = told or own
        self.trusts_itself = not told
        self.erased: set[int] = set()
        self.allowed: set[int] = set()

    def verify(self) -> Findings:
        """Check everything."""
        roots, tree, leaf_hashes = self._roots(), Tree(), []
        records = self._records()
        for entry in self._entries():
            place = tree.size
            tree.append(entry)
            leaf_hashes.append(hashlib.sha256(b"\x00" + entry).digest())
            self._check_record(place, entry, next(records, None))
            if tree.size in roots and roots.pop(tree.size) != tree.root():
                self._wrong(f"The first {tree.size} entries are not those that were signed: the log was rewritten.")
        for size in sorted(roots):
            self._wrong(f"The bundle has {tree.size} entries, and a checkpoint of {size}: entries are missing.")
        if next(records, None) is not None:
            self._wrong("There are more records than entries.")
        for place in sorted(self.erased - self.allowed):
            self._wrong(f"The content of entry {place} is gone, and no entry says who erased it.")
        for path, hashes in tiles_of(leaf_hashes):
            if self._read(path) != hashes:
                self._wrong(f"{path} does not hold the hashes of the entries.")
        self._say(tree.size)
        return self.findings

    def _roots(self) -> dict[int, bytes]:
        """Size -> root of every checkpoint that the log's key signed."""
        names = sorted(path.name for path in (self.folder / "checkpoints").glob("*"))
        found: dict[int, bytes] = {}
        self.confirmed: dict[int, set[str]] = {}
        for path in ["checkpoint", *(f"checkpoints/{name}" for name in names)]:
            text, signatures = read_note(self._read(path))
            origin, size, root = read_checkpoint(text)
            if origin != self.about.get("origin") or not self._is_from_log(text, signatures):
                self._wrong(f"{path} is not signed by the log's key.")
            elif found.setdefault(size, root) != root:
                self._wrong(f"There are two different checkpoints of {size} entries.")
            else:
                self.confirmed.setdefault(size, set()).update(self._witnesses(path, text, signatures))
        return found

    def _is_from_log(self, text: str, signatures: list[tuple[str, bytes, bytes]]) -> bool:
        keys = [key for key in self.keys if key.type == LOG and key.name == self.about.get("origin")]
        return any(
            is_signed(key.public, data, text.encode())
            for key in keys
            for name, id, data in signatures
            if (name, id) == (key.name, key.id)
        )

    def _witnesses(self, path: str, text: str, signatures: list[tuple[str, bytes, bytes]]) -> set[str]:
        found = set()
        for key in self.keys:
            for name, id, data in signatures:
                if key.type == WITNESS and (name, id) == (key.name, key.id):
                    if is_cosigned(key, data, text):
                        found.add(name)
                    else:
                        self._wrong(f"A confirmation in {path} is not genuine.")
        return found

    def _entries(self) -> Iterator[bytes]:
        """The entries of all bundles, in order (C2SP tlog-tiles)."""
        number = 0
        while (data := self._bundle(number)) is not None:
            found = list(self._split(data, number))
            yield from found
            if len(found) != WIDTH:
                return
            number += 1

    def _bundle(self, number: int) -> bytes | None:
        path = self.folder / path_of("entries", number)
        partial = sorted(path.with_name(path.name + ".p").glob("*"))
        found = path if path.is_file() else partial[-1] if partial else None
        return None if found is None else self._read(str(found.relative_to(self.folder)))

    def _split(self, data: bytes, number: int) -> Iterator[bytes]:
        while data:
            length = int.from_bytes(data[:2], "big")
            if len(data) < 2 + length:
                self._wrong(f"Bundle {number} of entries is cut off.")
                return
            yield data[2 : 2 + length]
            data = data[2 + length :]

    def _records(self) -> Iterator[dict[str, Any]]:
        with (self.folder / "records.jsonl").open(encoding="utf-8", errors="replace") as file:
            while line := file.readline(MAX_LINE_CHARS):
                try:
                    found = json.loads(line)
                except (ValueError, RecursionError):
                    found = None
                yield found if isinstance(found, dict) else {}

    def _check_record(self, place: int, entry: bytes, said: dict[str, Any] | None) -> None:
        if said is None or said.get("entry") != place:
            self._wrong(f"The record of entry {place} is missing.")
            return
        if "record" not in said:
            self.erased.add(place)
            return
        try:
            salt, record = base64.b64decode(said["salt"], validate=True), said["record"].encode()
        except (KeyError, ValueError, TypeError, AttributeError):
            salt = record = b""
        if hashlib.sha256(b"p2p-audit-1\x00" + salt + record).digest() != entry:
            self._wrong(f"The record of entry {place} was changed.")
        elif b'"AuditErased"' in record:
            self._note_erased(place, record)

    def _note_erased(self, place: int, record: bytes) -> None:
        try:
            said = json.loads(record)
            if said["kind"] == "AuditErased":
                self.allowed.update(each for each in said["fact"]["entries"] if each < place)
        except (ValueError, KeyError, TypeError, RecursionError):
            self._wrong("A record about erasing cannot be read.")

    def _about(self) -> dict[str, Any]:
        try:
            found = json.loads(self._read("about.json"))
        except (ValueError, RecursionError) as error:
            raise Malformed("about.json is not JSON") from error
        if not isinstance(found, dict) or found.get("format") != "port2port-audit-1":
            raise Malformed("this is not an exported audit log")
        return found

    def _read(self, name: str) -> bytes:
        try:
            with (self.folder / name).open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise Malformed(f"{name} cannot be read") from error
        if len(data) > MAX_FILE_BYTES:
            raise Malformed(f"{name} is larger than agreed")
        return data

    def _wrong(self, sentence: str) -> None:
        self.findings.problems.append(sentence)

    def _say(self, size: int) -> None:
        said = self.findings.facts
        said.append(f"{size} entries of {self.about.get('name')!r} ({self.about.get('origin')}).")
        if self.erased:
            said.append(f"The content of {len(self.erased)} was erased, and the log says by whom.")
        best = max(self.confirmed, key=lambda each: (min(len(self.confirmed[each]), 3), each), default=0)
        witnesses = sorted(self.confirmed.get(best, ()))
        said.append(f"Confirmed to entry {best} by {len(witnesses)}:" if witnesses else "Nobody has confirmed it.")
        said.extend(f"  {name}" for name in witnesses[:MAX_SENTENCES])
        if self.trusts_itself:
            said.append("The keys are those of the bundle. Compare keys.txt with what you were told by another way.")


def verify(folder: Path, trusted: Iterable[str] = ()) -> Findings:
    """Check a bundle. What cannot even be read is a problem like any other."""
    try:
        return Bundle(folder, trusted).verify()
    except (Malformed, OSError) as error:
        return Findings([f"It cannot be read: {error}."])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an exported audit log.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", action="append", default=[], help="a key that you trust (name+id+base64)")
    given = parser.parse_args(arguments)
    found = verify(given.folder, given.key)
    sys.stdout.write("\n".join(found.sentences()) + "\n")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
