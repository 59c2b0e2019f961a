"""One key for each stored body, in a file beside the database: destroying a key is the erasure.

Deleting a row reaches neither a write-ahead log nor a replica or backup; what they still hold is unreadable once the
key is gone. The file is an array: 32 bytes at position `number` for the body of that number, zeros where there is no
key. Keys are on disk before the body's transaction commits, and are destroyed right after the transaction that forgets
the body has committed. What a crash leaves over between the two is swept at the next start.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from port2port.core.errors import Unavailable
from port2port.store.folder import sync_folder

KEY_BYTES = 32
_NONE = bytes(KEY_BYTES)
_NONCE = bytes(12)
"""A key seals one body once, so its nonce need not differ."""
_STEP = 1 << 13
"""Keys by which the file grows: 256 KiB."""
_SWEEP = 1 << 16
"""Keys looked at in one step of a sweep."""


class Keys:
    """The key file. Numbers are given out under the database's writing lock; reading needs none."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._durable = durable
        known = path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if durable and not known:
            sync_folder(path.parent)
        self._dirty = False
        self._room = 0
        self._doomed: list[int] = []
        self._lock = Lock()

    def seal(self, first: int, bodies: Sequence[bytes]) -> list[bytes]:
        """Seal bodies under fresh keys with the numbers from `first` on."""
        keys = secrets.token_bytes(KEY_BYTES * len(bodies))
        self._make_room(first + len(bodies))
        self._write(first, keys)
        self._dirty = True
        return [
            AESGCM(keys[at : at + KEY_BYTES]).encrypt(_NONCE, body, None)
            for at, body in zip(range(0, len(keys), KEY_BYTES), bodies, strict=True)
        ]

    def open(self, number: int, sealed: bytes) -> bytes | None:
        """The body, or None when its key is destroyed."""
        key = os.pread(self._file, KEY_BYTES, number * KEY_BYTES)
        if len(key) < KEY_BYTES or key == _NONE:
            return None
        try:
            return AESGCM(key).decrypt(_NONCE, sealed, None)
        except InvalidTag:  # the key of a newer body: this row comes from an older copy of the database
            return None

    def sync(self) -> None:
        """Before the commit: new keys are durable."""
        if self._dirty and self._durable:
            os.fdatasync(self._file)
        self._dirty = False

    def doom(self, numbers: Iterable[int]) -> None:
        """These are destroyed when the transaction has committed."""
        with self._lock:
            self._doomed.extend(numbers)

    def spare(self) -> None:
        """The transaction came to nothing."""
        with self._lock:
            self._doomed.clear()

    def destroy_doomed(self) -> None:
        """After the commit. What fails here is swept at the next start."""
        with self._lock:
            doomed, self._doomed = self._doomed, []
        self.destroy(doomed)

    def destroy(self, numbers: Iterable[int]) -> None:
        """Overwrite in place: runs of neighbours in one write, one flush for all."""
        numbers = sorted(numbers)
        if not numbers:
            return
        first = previous = numbers[0]
        for number in [*numbers[1:], -1]:
            if number == previous + 1:
                previous = number
                continue
            self._write(first, bytes((previous - first + 1) * KEY_BYTES))
            first = previous = number
        if self._durable:
            os.fdatasync(self._file)

    def sweep(self, numbers: Callable[[int, int], Iterable[int]]) -> int:
        """Destroy keys without a body. `numbers(first, last)`: the numbers of bodies in that span, last excluded."""
        swept, count = 0, os.fstat(self._file).st_size // KEY_BYTES
        for first in range(0, count, _SWEEP):
            last = min(first + _SWEEP, count)
            held = os.pread(self._file, (last - first) * KEY_BYTES, first * KEY_BYTES)
            wanted = set(numbers(first, last))
            orphans = [
                number
                for number in range(first, last)
                if number not in wanted and held[(number - first) * KEY_BYTES :][:KEY_BYTES] != _NONE
            ]
            self.destroy(orphans)
            swept += len(orphans)
        return swept

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _make_room(self, count: int) -> None:
        """Grow in large steps of zeros: flushing what overwrites is twice as fast as flushing what grows a file."""
        if count > self._room:
            self._room = os.fstat(self._file).st_size // KEY_BYTES
        while count > self._room:
            self._write(self._room, bytes(_STEP * KEY_BYTES))
            self._room += _STEP

    def _write(self, first: int, data: bytes) -> None:
        try:
            written = os.pwrite(self._file, data, first * KEY_BYTES)
        except OSError as error:
            raise _full(str(error.strerror)) from error
        if written != len(data):
            raise _full("only a part was written")


def _full(why: str) -> Unavailable:
    return Unavailable(
        f"The keys of stored objects cannot be written now: {why}.",
        hint="Make room on the disk of the node's data folder and try again. What was confirmed before is kept.",
    )
