"""The node's long-term Ed25519 identity key: one file, readable by its owner alone.

A node may change its key and stays who it is: its id follows from the first key it had, whose public half is kept
beside the present one from the first change on. During a change the next key lies ready in a file of its own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from port2port.core.errors import BadInput
from port2port.core.ids import node_id
from port2port.store.folder import sync_folder

FILE_NAME = "identity.key"
NEXT_NAME = "identity.next.key"
FIRST_NAME = "identity.first"
"""The public half of the first key, in hexadecimal, once another is in use."""


class Identity(Ed25519PrivateKey):
    """The key that a node signs with now, whichever that is: those who hold this object need not know of changes."""

    def __init__(self, folder: Path, key: Ed25519PrivateKey, first: bytes = b"") -> None:
        self._folder, self._key = folder, key
        self.first = first or public_bytes(key)
        """The public key from which the node's id follows, 32 bytes."""

    @property
    def node_id(self) -> str:
        return node_id(self.first)

    def next_key(self) -> Ed25519PrivateKey:
        """The key to announce: made and stored at first use, the same until it is taken up."""
        path = self._folder / NEXT_NAME
        if not path.exists():
            _write_once(path, _pem(Ed25519PrivateKey.generate()))
        return _load(path)

    def take_up(self, public_key: bytes) -> bool:
        """Sign with this key from now on; False when neither file holds it. Another process may have done it."""
        path, next_path = self._folder / FILE_NAME, self._folder / NEXT_NAME
        with suppress(FileNotFoundError):
            if public_bytes(_load(next_path)) == public_key:
                _write_once(self._folder / FIRST_NAME, f"{self.first.hex()}\n".encode())
                os.replace(next_path, path)
                sync_folder(self._folder)
        key = _load(path)
        if public_bytes(key) != public_key:
            return False
        self._key = key
        return True

    def sign(self, data: Any) -> bytes:
        return self._key.sign(data)

    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()

    def private_bytes_raw(self) -> bytes:
        return self._key.private_bytes_raw()

    def private_bytes(self, *arguments: Any, **named: Any) -> bytes:
        return self._key.private_bytes(*arguments, **named)

    def __copy__(self) -> Identity:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Identity:
        return self


def load_or_create(folder: Path) -> Identity:
    """The key in `folder`, made at first use. A key that others can read is refused."""
    path = folder / FILE_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_once(path, _pem(Ed25519PrivateKey.generate()))
    return Identity(folder, _load(path), _read_first(folder))


def begin_anew(folder: Path, first: bytes) -> Identity:
    """A fresh key for the node whose first public key was `first`, in place of one that was lost or stolen.

    The old file stays beside it under another name. Officers must tell the others: see `port2port network recover`.
    """
    path = folder / FILE_NAME
    if path.exists():
        os.replace(path, folder / f"{FILE_NAME}.before-{public_bytes(_load(path)).hex()[:8]}")
    (folder / NEXT_NAME).unlink(missing_ok=True)
    (folder / FIRST_NAME).unlink(missing_ok=True)
    _write_once(folder / FIRST_NAME, f"{first.hex()}\n".encode())
    return load_or_create(folder)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes that other nodes know us by."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def owner_of(key: Ed25519PrivateKey) -> str:
    """Node id of the one who signs with this key."""
    return node_id(first_public(key))


def first_public(key: Ed25519PrivateKey) -> bytes:
    """The public key from which the id of this key's owner follows."""
    return key.first if isinstance(key, Identity) else public_bytes(key)


def _read_first(folder: Path) -> bytes:
    path = folder / FIRST_NAME
    if not path.exists():
        return b""
    text = path.read_text("ascii", errors="replace").strip()
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise BadInput(f"{path.name} holds no public key.", hint="Restore it from the node's backup.")
    return bytes.fromhex(text)


def _load(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise BadInput(f"Others can read the identity key {path.name}.", hint=f"Run: chmod 600 {path}")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(f"{path.name} is not an Ed25519 key.", hint="Restore it from the node's backup.")
    return key


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_once(path: Path, content: bytes) -> None:
    """The file appears whole or not at all, and never in place of another: the key is who the node is."""
    descriptor, name = mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
    sync_folder(path.parent)
