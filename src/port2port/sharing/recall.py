"""Taking things back: what an origin says, and what a receiver answers when it is done. Pure.

    withdraw    no longer for you: a mistake, a narrower audience
    erase       nowhere any more: law or court
    supersede   the object goes on in another connection, under another label

A recall names entries by connection and number, never by object id: ids of things may be derived from their value.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from port2port.core.errors import DecodeError
from port2port.sharing.entry import MAX_SEQUENCE, Op
from port2port.sharing.lane import LANE_ID_BYTES

RECALL_ID_BYTES = 16
MAX_ENTRIES = 4_096
"""Numbers in one recall."""
MAX_RECALL_BYTES = 100 * 1024
MAX_RECEIPT_BYTES = 2 * 1024
MAX_RECEIPTS = 30
"""Receipts in one post."""
OPS = (Op.WITHDRAW, Op.ERASE, Op.SUPERSEDE)
_PREFIX = b"p2p-receipt-1\0"


class Why(StrEnum):
    """The code that a recall carries; each has words on the screen."""

    MISTAKE = "mistake"
    CORRECTED = "corrected"
    NARROWED = "narrowed"
    LEFT_GROUP = "left-group"
    AGREEMENT_ENDED = "agreement-ended"
    DATA_SUBJECT = "data-subject-request"
    COURT_ORDER = "court-order"
    LEGAL_OBLIGATION = "legal-obligation"


class Recall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a recall entry. Its operation stands in the header."""

    id: str
    """32 hex digits; the same in each entry that carries this recall."""
    lane: str
    entries: list[int] | None
    """Numbers in that lane; None: all that was and will be in it."""
    reason: Why


class ReceiptText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a receiver vouches for: bodies, keys, index rows and copies are gone."""

    recall: str
    by: str
    """Node id."""
    done_at: datetime
    removed: int
    """Entries whose content was here."""
    backups_until: datetime
    """From then on no backup made before holds a key to it either."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receipt as it travels and is kept: the exact text, and its signature in base64."""

    text: str
    signature: str


class Receipts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a post."""

    receipts: list[Receipt]


@dataclass(frozen=True, slots=True)
class Target:
    """The entries that a recall means."""

    lane: bytes
    entries: tuple[int, ...] | None


_recalls = msgspec.json.Decoder(Recall)
_texts = msgspec.json.Decoder(ReceiptText)
_posts = msgspec.json.Decoder(Receipts)


def encode(recall: Recall) -> bytes:
    assert recall.entries is None or len(recall.entries) <= MAX_ENTRIES
    return msgspec.json.encode(recall)


def decode(body: bytes) -> Recall:
    """Read a recall, or raise `DecodeError`."""
    if len(body) > MAX_RECALL_BYTES:
        raise DecodeError("A recall is too large.", reason="bad-recall")
    try:
        recall = _recalls.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"A recall cannot be read: {error}.", reason="bad-recall") from error
    entries = recall.entries or ()
    if len(entries) > MAX_ENTRIES or any(not 1 <= each <= MAX_SEQUENCE for each in entries):
        raise DecodeError("A recall names impossible entries.", reason="bad-recall")
    if not (_is_hex(recall.id, RECALL_ID_BYTES) and _is_hex(recall.lane, LANE_ID_BYTES)):
        raise DecodeError("A recall has an impossible id.", reason="bad-recall")
    return recall


def target_of(recall: Recall) -> Target:
    entries = None if recall.entries is None else tuple(sorted(set(recall.entries)))
    return Target(bytes.fromhex(recall.lane), entries)


def sign_receipt(text: ReceiptText, key: Ed25519PrivateKey) -> Receipt:
    """Vouch for a removal."""
    said = msgspec.json.encode(text).decode()
    return Receipt(text=said, signature=base64.b64encode(key.sign(_PREFIX + said.encode())).decode())


def decode_receipts(body: bytes) -> list[Receipt]:
    """Read a post, or raise `DecodeError`."""
    try:
        receipts = _posts.decode(body).receipts
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"Receipts cannot be read: {error}.", reason="bad-receipt") from error
    if len(receipts) > MAX_RECEIPTS or any(len(each.text) > MAX_RECEIPT_BYTES for each in receipts):
        raise DecodeError("Receipts are too many or too large.", reason="bad-receipt")
    return receipts


def read_receipt(receipt: Receipt, by: str, *public_keys: bytes) -> ReceiptText:
    """What `by` vouches for. Raises `DecodeError` when it is not its word."""
    signed = _PREFIX + receipt.text.encode()
    try:
        text = _texts.decode(receipt.text)
        signature = base64.b64decode(receipt.signature, validate=True)
    except (msgspec.DecodeError, UnicodeError, binascii.Error, ValueError) as error:
        raise DecodeError(f"A receipt cannot be read: {error}.", reason="bad-receipt") from error
    if text.by != by or not any(_is_signed(signature, signed, key) for key in public_keys):
        raise DecodeError("A receipt is not signed by its sender.", reason="bad-receipt")
    if text.done_at.tzinfo is None or not _is_hex(text.recall, RECALL_ID_BYTES) or not 0 <= text.removed < 2**31:
        raise DecodeError("A receipt has an impossible value.", reason="bad-receipt")
    return text


def _is_signed(signature: bytes, signed: bytes, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_hex(text: str, length: int) -> bool:
    try:
        return len(text) == 2 * length and bytes.fromhex(text).hex() == text
    except ValueError:
        return False
