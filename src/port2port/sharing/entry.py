"""Entries, their chain and the signature at its head. Pure; layouts as in docs/reference/peer-protocol.md.

A header stays for ever, salt and body may go: without them the commitment in the header says nothing.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SALT_BYTES = 16
HASH_BYTES = 32
SIGNATURE_BYTES = 64
MAX_SEQUENCE = 2**63 - 1

GENESIS = hashlib.sha256(b"p2p-genesis-1").digest()
"""The chain value before the first entry, the same in every lane: the lane's id is in each header."""

_HEADER = struct.Struct(">16sQBQ32s")
_CHECKPOINT = struct.Struct(">16sQ32sQ")
_ENTRY_PREFIX = b"p2p-entry-1"
_CHECKPOINT_PREFIX = b"p2p-checkpoint-1"


class Op(IntEnum):
    """What an entry does. Only `PUT` is written today; a receiver counts the others and goes on."""

    PUT = 1
    WITHDRAW = 2
    ERASE = 3
    SUPERSEDE = 4
    CLOSE = 5
    KEY = 6


@dataclass(frozen=True, slots=True)
class Header:
    """65 bytes: lane 16, sequence 8, operation 1, milliseconds since 1970 8, commitment 32; big-endian."""

    lane: bytes
    sequence: int
    op: int
    ts_ms: int
    commitment: bytes

    def packed(self) -> bytes:
        return _HEADER.pack(self.lane, self.sequence, self.op, self.ts_ms, self.commitment)


@dataclass(frozen=True, slots=True)
class Entry:
    """A header with what it commits to. Salt and body are None when they are gone."""

    header: Header
    salt: bytes | None
    body: bytes | None

    def holds(self) -> bool:
        """Whether salt and body are what the header commits to (true when they are gone)."""
        if self.salt is None or self.body is None:
            return self.salt is None and self.body is None
        return commitment(self.salt, self.body) == self.header.commitment


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come in a lane: the last sequence number and the chain value there."""

    sequence: int = 0
    chain: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The origin's word for everything up to and including `sequence`."""

    lane: bytes
    sequence: int
    chain: bytes
    ts_ms: int
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        return _CHECKPOINT_PREFIX + _CHECKPOINT.pack(self.lane, self.sequence, self.chain, self.ts_ms)


def commitment(salt: bytes, body: bytes) -> bytes:
    """SHA-256 of salt and body. The salt keeps anyone from guessing a short body from its hash."""
    assert len(salt) == SALT_BYTES
    return hashlib.sha256(salt + body).digest()


def next_chain(chain: bytes, header: Header) -> bytes:
    """The chain value after one more entry."""
    return hashlib.sha256(_ENTRY_PREFIX + chain + header.packed()).digest()


def follow(cursor: Cursor, header: Header) -> Cursor:
    """The cursor after one more entry; the caller has checked that the number is the next."""
    return Cursor(header.sequence, next_chain(cursor.chain, header))


def sign(key: Ed25519PrivateKey, lane: bytes, cursor: Cursor, ts_ms: int) -> Checkpoint:
    """Vouch for a lane up to the cursor."""
    bare = Checkpoint(lane, cursor.sequence, cursor.chain, ts_ms)
    return Checkpoint(lane, cursor.sequence, cursor.chain, ts_ms, key.sign(bare.signed_bytes()))


def is_signed_by(checkpoint: Checkpoint, public_key: bytes) -> bool:
    """Whether the checkpoint carries this node's signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(checkpoint.signature, checkpoint.signed_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True
