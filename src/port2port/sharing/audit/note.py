"""Signed notes (C2SP signed-note) and Ed25519 keys for them. Pure.

A note is a text, a blank line, and lines of signatures. Who reads one names the keys that he trusts: signatures of
others are passed over, a wrong one of a trusted key refuses the whole.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from port2port.core.errors import DecodeError

ED25519 = 0x01
"""Signature type of a plain signature over the text."""

COSIGNATURE = 0x04
"""Signature type of a timestamped cosignature (C2SP tlog-cosignature)."""

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 100
MAX_NAME_CHARS = 255
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note's text. `data` is what follows the key id."""

    name: str
    key_id: bytes
    data: bytes

    def line(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends with a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def encode(self) -> bytes:
        return (self.text + "\n" + "".join(each.line() for each in self.signatures)).encode()


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier's key: who, what kind of signature, and the 32 bytes."""

    name: str
    type: int
    public_key: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256(name, newline, type, public key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public_key).digest()[:4]

    def vkey(self) -> str:
        """The key as text, for a tool of others."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.type]) + self.public_key).decode()}"

    def made(self, signature: Signature) -> bool:
        """Whether a line claims to be this key's."""
        return signature.name == self.name and signature.key_id == self.id


def read_vkey(text: str) -> Key:
    """A key from its text. Raises `DecodeError`."""
    name, _, rest = text.partition("+")
    id, _, material = rest.partition("+")
    raw = read_base64(material)
    if not _is_name(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
        raise _bad("this is not the key of a note")
    key = Key(name, raw[0], raw[1:])
    if key.id.hex() != id:
        raise _bad("the key's id is another one")
    return key


def sign(text: str, name: str, private: Ed25519PrivateKey) -> Note:
    """A note with one plain signature."""
    key = Key(name, ED25519, private.public_key().public_bytes_raw())
    return Note(text, (Signature(name, key.id, private.sign(text.encode())),))


def decode(data: bytes) -> Note:
    """A note from its bytes. Raises `DecodeError` (reason `note`)."""
    if len(data) > MAX_NOTE_BYTES:
        raise _bad("it is larger than agreed")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise _bad("it is not UTF-8") from error
    if any(char < " " and char != "\n" for char in whole):
        raise _bad("it has control characters")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines:
        raise _bad("it has no signature")
    return Note(text + "\n", read_signatures(lines))


def read_signatures(lines: str) -> tuple[Signature, ...]:
    """Signature lines, each ended by a newline. Raises `DecodeError`."""
    if not lines.endswith("\n") or lines.count("\n") > MAX_SIGNATURES:
        raise _bad("its signature lines are not whole, or too many")
    return tuple(map(_signature, lines[:-1].split("\n")))


def _signature(line: str) -> Signature:
    name, _, text = line.removeprefix(_DASH).partition(" ")
    raw = read_base64(text)
    if not line.startswith(_DASH) or not _is_name(name) or len(raw) < 5:
        raise _bad("a signature line is malformed")
    return Signature(name, raw[:4], raw[4:])


def verified(note: Note, keys: Iterable[Key]) -> list[Key]:
    """Which of these plain keys signed the note. Raises `DecodeError` when one of them is in it and does not fit."""
    found = []
    for key in keys:
        for each in filter(key.made, note.signatures):
            if key.type != ED25519 or not is_signed(each.data, key.public_key, note.text.encode()):
                raise _bad("a signature does not fit", reason="wrong-signature")
            found.append(key)
    return found


def is_signed(signature: bytes, public_key: bytes, message: bytes) -> bool:
    """Ed25519 (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME_CHARS and "+" not in name and not any(map(str.isspace, name))


def read_base64(text: str) -> bytes:
    """Canonical base64 (RFC 4648): decoding and encoding again gives the same text."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("it has malformed base64") from error
    if base64.b64encode(raw).decode() != text:
        raise _bad("it has malformed base64")
    return raw


def _bad(why: str, reason: str = "note") -> DecodeError:
    return DecodeError(f"A signed note was refused: {why}.", reason=reason)
