"""A code of nine letters and digits that one person reads to another over the phone. Pure.

    K7Q-M4X-RT9      place 1 · secret 7 · check 1      no 0 O 1 I

Nine characters are far too few for a key: who records what passes on the wire could try them all at home. So the
code is never sent, and no key is made of it alone. Both sides run SPAKE2 (Abdalla and Pointcheval 2005, with the
encoding of the library `spake2`, which is older than RFC 9382), a password-authenticated key exchange: whoever does
not know the code gets one guess for each call, and the inviter counts the calls. What comes out is a strong secret
that both know and nobody between them, bound to the inviter's key. With it the short code is exchanged for an
invitation of the long kind, see `invitation.py`, and everything after is the same.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from spake2 import SPAKE2_A, SPAKE2_B  # type: ignore[import-untyped]

from port2port.core.errors import BadInput, DecodeError
from port2port.sharing.invitation import SECRET_BYTES, Code
from port2port.store.identity import public_bytes

LIFE = timedelta(minutes=30)
MAX_TRIES = 5
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LETTERS = 9
MAX_KNOCK_BYTES = 1024
_ELEMENT_BYTES = 33
_JOINER, _INVITER = b"p2p-joiner-1", b"p2p-inviter-1"
_WORDS = (
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel Juliett Kilo Lima Mike November Papa Quebec Romeo Sierra "
    "Tango Uniform Victor Whiskey X-ray Yankee Zulu"
)
_SPOKEN = {word[0]: word for word in _WORDS.split()}


@dataclass(frozen=True)
class ShortCode:
    """What is read over the phone."""

    letters: str
    """Nine of `LETTERS`, the last one a check."""

    @property
    def slot(self) -> str:
        """Which of the inviter's open codes is meant. This much is sent."""
        return self.letters[0]

    @property
    def password(self) -> bytes:
        return self.letters.encode()

    def text(self) -> str:
        return "-".join(self.letters[i : i + 3] for i in range(0, CODE_LETTERS, 3))

    def spoken(self) -> str:
        """As in radio traffic (ITU): `Kilo 7 Quebec - Mike 4 X-ray - ...`."""
        return " - ".join(" ".join(_SPOKEN.get(each, each) for each in group) for group in self.text().split("-"))


def make(slot: str, choose: Callable[[str], str] = secrets.choice) -> ShortCode:
    """A fresh code for this place."""
    letters = slot + "".join(choose(LETTERS) for _ in range(CODE_LETTERS - 2))
    return ShortCode(letters + _check(letters))


def read(text: str) -> ShortCode:
    """Read a code as a person typed it. Raises `BadInput`: any one wrong letter is found here, and costs no try."""
    letters = _letters(text)
    if len(letters) != CODE_LETTERS:
        raise BadInput(f"A short code has {CODE_LETTERS} letters and digits.", hint="Have it read to you again.")
    if wrong := sorted(set(letters) - set(LETTERS)):
        raise BadInput(f"No short code has {wrong[0]} in it.", hint="There is no 0, O, 1 or I in them. Ask again.")
    if _check(letters[:-1]) != letters[-1]:
        raise BadInput("This short code is mistyped.", hint="Have it read to you again, letter by letter.")
    return ShortCode(letters)


class Knock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The joiner's first words."""

    slot: str
    element: bytes


class KnockAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The inviter's answer: it proves that the inviter knows the code, and that this is its key."""

    element: bytes
    public_key: bytes
    inviter: str
    """Node id."""
    proof: bytes


class Joiner:
    """The joiner's side of one try."""

    def __init__(self, code: ShortCode) -> None:
        self._slot = code.slot
        self._pake = SPAKE2_A(code.password, idA=_JOINER, idB=_INVITER)

    def knock(self) -> bytes:
        """What to send."""
        return msgspec.json.encode(Knock(slot=self._slot, element=self._pake.start()))

    def finish(self, data: bytes, host: str, port: int) -> Code:
        """The long invitation that the short one stands for. `BadInput` when the other does not know the code."""
        try:
            answer = msgspec.json.decode(data, type=KnockAnswer)
            shared = self._pake.finish(answer.element)
        except Exception as error:  # the library raises bare exceptions for elements outside the group
            raise BadInput("Who answers there does not speak of invitations.", hint="Check the address.") from error
        if len(answer.public_key) != 32 or not hmac.compare_digest(answer.proof, _proof(shared, answer)):
            raise BadInput(
                "The code is not the one that was read to you, or somebody stands between you and the inviter.",
                hint="Have it read again. After five tries the inviter must make a new one.",
            )
        return Code(host, port, _secret(shared, answer), answer.public_key, answer.inviter)


def read_knock(data: bytes) -> Knock:
    """Read the joiner's first words, or raise `DecodeError`."""
    try:
        assert len(data) <= MAX_KNOCK_BYTES
        knock = msgspec.json.decode(data, type=Knock)
    except (AssertionError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError("A knock cannot be read.", reason="bad-knock") from error
    if len(knock.slot) != 1 or knock.slot not in LETTERS or len(knock.element) != _ELEMENT_BYTES:
        raise DecodeError("A knock cannot be read.", reason="bad-knock")
    return knock


def answer(code: ShortCode, knock: Knock, public_key: bytes, inviter: str) -> tuple[bytes, bytes]:
    """The inviter's side of one try: what to send, and the secret that only who knows the code will share.

    Raises `DecodeError` for an element that is none.
    """
    pake = SPAKE2_B(code.password, idA=_JOINER, idB=_INVITER)
    element = pake.start()
    try:
        shared = pake.finish(knock.element)
    except Exception as error:  # as above
        raise DecodeError("A knock cannot be read.", reason="bad-knock") from error
    said = KnockAnswer(element=element, public_key=public_key, inviter=inviter, proof=b"")
    said = msgspec.structs.replace(said, proof=_proof(shared, said))
    return msgspec.json.encode(said), _secret(shared, said)


def doorbell_key() -> Ed25519PrivateKey:
    """A key that everybody has: TLS asks for a certificate, and who knocks holds none that means anything."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"p2p-doorbell-1").digest())


DOORBELL = public_bytes(doorbell_key())
"""The key of the invitation that stands open, for this one question, as long as any short code does."""


def _proof(shared: bytes, answer: KnockAnswer) -> bytes:
    return hmac.digest(_derive(shared, b"p2p-knock-proof-1"), _said(answer), "sha256")


def _secret(shared: bytes, answer: KnockAnswer) -> bytes:
    return _derive(shared, b"p2p-knock-secret-1" + _said(answer))[:SECRET_BYTES]


def _said(answer: KnockAnswer) -> bytes:
    return answer.public_key + answer.inviter.encode()


def _derive(shared: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info).derive(shared)


def _letters(text: str) -> str:
    return "".join(text.split()).replace("-", "").upper()


def _check(letters: str) -> str:
    """Luhn's check over 32 letters: finds every single wrong letter, and nearly every two that changed places."""
    size, total = len(LETTERS), 0
    for place, letter in enumerate(reversed(letters)):
        value = LETTERS.index(letter) * (2 if place % 2 == 0 else 1)
        total += value // size + value % size
    return LETTERS[-total % size]
