"""The node's long-term Ed25519 identity key: one file, readable by its owner alone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from port2port.core.errors import BadInput
from port2port.store.folder import sync_folder

FILE_NAME = "identity.key"


def load_or_create(folder: Path) -> Ed25519PrivateKey:
    """The key in `folder`, made at first use. A key that others can read is refused."""
    path = folder / FILE_NAME
    if path.exists():
        return _load(path)
    folder.mkdir(parents=True, exist_ok=True)
    _write_once(path, Ed25519PrivateKey.generate())
    return _load(path)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes that other nodes know us by."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


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


def _write_once(path: Path, key: Ed25519PrivateKey) -> None:
    """The file appears whole or not at all, and never in place of another: the key is who the node is."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor, name = mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
    sync_folder(path.parent)
