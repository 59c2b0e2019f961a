"""What a log says of itself, and what a witness confirms (C2SP tlog-checkpoint, tlog-cosignature). Pure."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.core.errors import DecodeError
from port2port.sharing.audit import note
from port2port.sharing.audit.merkle import HASH_BYTES
from port2port.sharing.audit.note import COSIGNATURE, ED25519, Key, Note, Signature

MAX_SIZE = 2**63 - 1
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_PREFIX = "port2port/"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's size and root under the name of its log."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note's text."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "\n".join(lines) + "\n"


def origin_of(node: str) -> str:
    """The name of a node's log, and of its key as a witness."""
    return _PREFIX + node


def node_of(origin: str) -> str:
    """The node whose log this is."""
    return origin.removeprefix(_PREFIX)


def log_key(node: str, public_key: bytes) -> Key:
    """The key that signs a node's checkpoints."""
    return Key(origin_of(node), ED25519, public_key)


def witness_key(node: str, public_key: bytes) -> Key:
    """The key with which a node confirms the checkpoints of others."""
    return Key(origin_of(node), COSIGNATURE, public_key)


def read(text: str) -> Checkpoint:
    """A checkpoint from a note's text. Raises `DecodeError` (reason `checkpoint`)."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] != "" or not all(lines[:-1]):
        raise _bad("it has fewer than three lines, or an empty one")
    origin, size, root = lines[:3]
    return Checkpoint(origin, number(size), hash_of(root), tuple(lines[3:-1]))


def number(text: str) -> int:
    """A size as ASCII decimal without leading zeroes. Raises `DecodeError`."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_SIZE:
        raise _bad("a size is not a number")
    return int(text)


def hash_of(text: str) -> bytes:
    """A hash in base64. Raises `DecodeError`."""
    raw = note.read_base64(text)
    if len(raw) != HASH_BYTES:
        raise _bad("a hash has another length")
    return raw


def cosign(text: str, name: str, private: Ed25519PrivateKey, now: datetime) -> Signature:
    """Confirm a checkpoint: as of now this is the largest tree that we saw of this log."""
    seconds = int(now.timestamp())
    key = Key(name, COSIGNATURE, private.public_key().public_bytes_raw())
    return Signature(name, key.id, seconds.to_bytes(8, "big") + private.sign(_cosigned(text, seconds)))


def cosigned_at(text: str, signature: Signature, key: Key) -> datetime | None:
    """When this witness confirmed the checkpoint; None when the signature is not its, or is wrong."""
    if key.type != COSIGNATURE or not key.made(signature) or len(signature.data) != 72:
        return None
    seconds = int.from_bytes(signature.data[:8], "big")
    if not 0 < seconds <= _LATEST or not note.is_signed(signature.data[8:], key.public_key, _cosigned(text, seconds)):
        return None
    return datetime.fromtimestamp(seconds, UTC)


def of_log(given: Note, node: str, keys: tuple[bytes, ...]) -> Checkpoint | None:
    """The checkpoint in a note when one of the node's keys signed it. Raises `DecodeError` for a wrong signature."""
    found = read(given.text)
    if found.origin != origin_of(node) or not note.verified(given, [log_key(node, key) for key in keys]):
        return None
    return found


_LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _bad(why: str) -> DecodeError:
    return DecodeError(f"A checkpoint was refused: {why}.", reason="checkpoint")
