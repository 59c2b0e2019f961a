"""The code that one port gives to another: where to call, whom to expect, and a secret for one use. Pure.

    P2P1-  base32( length of host 1 | host | port 2 | secret 16 | public key of the inviter 32 | checksum 4 )

An inviter that has changed its key since it began adds its node id, 32 bytes, before the checksum.

The key itself is the fingerprint: the joiner's TLS accepts that key and no other, so nothing is sent to anyone
else. From the secret both sides derive an Ed25519 key for this invitation; the joiner's certificate is issued by it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from port2port.core.errors import BadInput
from port2port.core.ids import node_id
from port2port.store.identity import public_bytes

LIFE = timedelta(hours=48)
SECRET_BYTES = 16
KEY_BYTES = 32
ID_BYTES = 32
CHECKSUM_BYTES = 4
MAX_CODE_CHARS = 700
_PREFIX = "P2P1-"
_SUBJECT = "invitation."


@dataclass(frozen=True)
class Code:
    """What a code says."""

    host: str
    port: int
    secret: bytes
    inviter_key: bytes
    """The inviter's public identity key."""
    inviter: str = ""
    """Its node id, when that does not follow from the key."""

    @property
    def inviter_id(self) -> str:
        return self.inviter or node_id(self.inviter_key)

    def text(self) -> str:
        """In groups of eight letters, so that a person can compare it."""
        host = self.host.encode()
        assert len(host) < 256
        assert len(self.secret) == SECRET_BYTES
        assert len(self.inviter_key) == KEY_BYTES
        payload = bytes([len(host)]) + host + self.port.to_bytes(2, "big") + self.secret + self.inviter_key
        if self.inviter_id != node_id(self.inviter_key):
            payload += bytes.fromhex(self.inviter)
        letters = base64.b32encode(payload + _checksum(payload)).decode().rstrip("=")
        return _PREFIX + "-".join(letters[i : i + 8] for i in range(0, len(letters), 8))

    def key(self) -> Ed25519PrivateKey:
        """The invitation's own key, the same on both sides."""
        seed = HKDF(SHA256(), 32, salt=None, info=b"p2p-invitation-1" + self.inviter_key).derive(self.secret)
        return Ed25519PrivateKey.from_private_bytes(seed)

    def subject(self) -> str:
        """The name in the joiner's certificate."""
        return subject(public_bytes(self.key()))


def subject(invitation_key: bytes) -> str:
    """The name in a certificate that stands for the invitation with this public key."""
    return _SUBJECT + hashlib.sha256(invitation_key).hexdigest()[:32]


def is_invitation(name: str) -> bool:
    return name.startswith(_SUBJECT)


def read(text: str) -> Code:
    """Read a code as a person pasted it. Raises `BadInput`: mistyped codes are found by their checksum."""
    letters = "".join(text.split()).replace("-", "").upper()
    if not letters.startswith("P2P1") or len(letters) > MAX_CODE_CHARS:
        raise BadInput("This is not an invitation code.", hint="It begins with P2P1-. Copy all of it.")
    letters = letters.removeprefix("P2P1")
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError) as error:
        raise BadInput("The invitation code has a wrong letter.", hint="Copy it again, all of it.") from error
    payload, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    least = 1 + payload[0] + 2 + SECRET_BYTES + KEY_BYTES if payload else 0
    if _checksum(payload) != checksum or len(payload) not in (least, least + ID_BYTES) or not payload:
        raise BadInput("The invitation code is mistyped or not complete.", hint="Copy it again, all of it.")
    host, rest = payload[1 : 1 + payload[0]], payload[1 + payload[0] :]
    try:
        name = host.decode()
    except UnicodeDecodeError as error:
        raise BadInput("The invitation code names no host.", hint="Ask for a new one.") from error
    key = rest[2 + SECRET_BYTES :][:KEY_BYTES]
    inviter = rest[2 + SECRET_BYTES + KEY_BYTES :].hex()
    return Code(name, int.from_bytes(rest[:2], "big"), rest[2 : 2 + SECRET_BYTES], key, inviter)


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(b"p2p-code-1" + payload).digest()[:CHECKSUM_BYTES]
