"""Identifiers of our own things. Randomness is handed in, so that tests and replays repeat."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable
from random import Random

NewId = Callable[[], str]
"""Answers a fresh identifier: a UUID in its usual text form."""


def random_id() -> str:
    """A random UUID (RFC 9562, version 4)."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def seeded_ids(seed: int) -> NewId:
    """The same identifiers in the same order for the same seed."""
    source = Random(seed)  # noqa: S311 - repeatable on purpose, never a secret
    return lambda: str(uuid.UUID(int=source.getrandbits(128), version=4))


def node_id(public_key: bytes) -> str:
    """A node is the SHA-256 of its long-term Ed25519 public key (32 bytes), in hex."""
    assert len(public_key) == 32, "an Ed25519 public key has 32 bytes"
    return hashlib.sha256(public_key).hexdigest()
