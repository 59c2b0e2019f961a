"""An archive under a passphrase: scrypt (RFC 7914) for the key, AES-256-GCM for each megabyte.

The nonce of a piece is its number and whether it is the last one, so pieces can neither be left out, swapped nor cut
off; the header is authenticated with each. A salt makes the key one of a kind, so numbers may begin at zero.
"""

from __future__ import annotations

from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from port2port.backup.limits import STEP_BYTES
from port2port.backup.manifest import damaged
from port2port.core.errors import BadInput

SALT_BYTES = 16
TAG_BYTES = 16
_COST = {"n": 2**17, "r": 8, "p": 1}
"""128 MiB of memory; fixed, so that an archive cannot ask for more."""


def key_from(passphrase: str, salt: bytes) -> bytes:
    """Thirty-two bytes; takes a good part of a second on purpose."""
    return Scrypt(salt=salt, length=32, **_COST).derive(passphrase.encode())


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Sealing:
    """Takes bytes, writes sealed pieces. `close` writes the last one and leaves the file open."""

    def __init__(self, out: BinaryIO, key: bytes, header: bytes) -> None:
        self._out, self._cipher, self._header = out, AESGCM(key), header
        self._number, self._pending = 0, bytearray()

    def write(self, data: bytes) -> int:
        self._pending += data
        while len(self._pending) > STEP_BYTES:
            self._put(bytes(self._pending[:STEP_BYTES]), last=False)
            del self._pending[:STEP_BYTES]
        return len(data)

    def close(self) -> None:
        self._put(bytes(self._pending), last=True)
        self._pending.clear()

    def _put(self, piece: bytes, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last), piece, self._header))
        self._number += 1


class Opening:
    """Reads sealed pieces. Raises `BadInput` for a wrong passphrase, flipped bits, and an end that came too early."""

    def __init__(self, source: BinaryIO, key: bytes, header: bytes) -> None:
        self._source, self._cipher, self._header = source, AESGCM(key), header
        self._number, self._ready, self._ended = 0, b"", False
        self._next = source.read(STEP_BYTES + TAG_BYTES)

    def read(self, most: int = -1) -> bytes:
        while not self._ready and not self._ended:
            self._ready = self._open()
        given, self._ready = (self._ready, b"") if most < 0 else (self._ready[:most], self._ready[most:])
        return given

    def _open(self) -> bytes:
        sealed, self._next = self._next, self._source.read(STEP_BYTES + TAG_BYTES)
        self._ended = not self._next
        try:
            piece = self._cipher.decrypt(_nonce(self._number, self._ended), sealed, self._header)
        except (InvalidTag, ValueError) as error:
            if self._number == 0:
                hint = "Nothing was changed. Try the passphrase again, or take another archive."
                raise BadInput("The passphrase is wrong, or the archive is damaged.", hint=hint) from error
            raise damaged("it is damaged or cut off") from error
        self._number += 1
        return piece
