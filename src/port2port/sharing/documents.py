"""Signed documents of the network: who is a member, which groups and agreements there are. Pure.

A document is an exact text and signatures over it, each under the id of the node that signed. What the
documents add up to is decided in `roster.py`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from port2port.core.errors import DecodeError
from port2port.core.handling import LegalBasis, PersonalData, Purpose
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.sharing.limits import MAX_DOCUMENT_BYTES
from port2port.sharing.settings import host_and_port
from port2port.store.identity import public_bytes

T = TypeVar("T")


class Kind(StrEnum):
    """What a document is about. Also the kind of the entry in which it travels."""

    MEMBER = "member"
    REVOCATION = "revocation"
    GROUP = "group"
    AGREEMENT = "agreement"


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement that an organisation is a member, signed by its sponsor."""

    node_id: str
    name: str
    short_name: str
    public_key: str
    """32 bytes in hexadecimal."""
    address: str
    """host:port of its peer listener."""
    compartment: Compartment
    locode: str = ""
    roles: tuple[AuthorityRole, ...] = ()
    valid_from: datetime
    sponsor: str
    """Node id of the signer."""

    def party(self) -> Party:
        return Party(
            node_id=self.node_id,
            name=self.name,
            short_name=self.short_name,
            compartment=self.compartment,
            locode=self.locode,
            roles=frozenset(self.roles),
        )


class Revocation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement that a member no longer is one."""

    node_id: str
    at: datetime
    by: str


class GroupText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sharing group as its owner wants it from `valid_from` on."""

    id: str
    name: str
    owner: str
    members: tuple[str, ...]
    valid_from: datetime


class AgreementText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cooperation agreement. Its parties are those who have signed this very text."""

    id: str
    title: str
    parties: tuple[str, ...] = ()
    """Who may sign; empty: every member."""
    purposes: tuple[Purpose, ...]
    legal_basis: tuple[LegalBasis, ...]
    personal_data: tuple[PersonalData, ...]
    starts: datetime
    ends: datetime


Text = Member | Revocation | GroupText | AgreementText
_TYPES: dict[Kind, type[Text]] = {
    Kind.MEMBER: Member,
    Kind.REVOCATION: Revocation,
    Kind.GROUP: GroupText,
    Kind.AGREEMENT: AgreementText,
}


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exact text, and who signed it."""

    kind: Kind
    text: str
    signatures: dict[str, str]
    """Node id -> Ed25519 signature, 64 bytes in base64."""

    @property
    def digest(self) -> str:
        """The same for the same text and signatures, whatever their order."""
        return hashlib.sha256(self.encoded()).hexdigest()

    def encoded(self) -> bytes:
        return msgspec.json.encode(self, order="deterministic")

    def is_signed_by(self, node: str, public_key: bytes) -> bool:
        """Whether the node has signed exactly this text."""
        try:
            signature = base64.b64decode(self.signatures[node], validate=True)
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _signed_bytes(self.kind, self.text))
        except (KeyError, ValueError, binascii.Error, InvalidSignature):
            return False
        return True


_documents = msgspec.json.Decoder(Document)


def sign(kind: Kind, text: Text, *keys: Ed25519PrivateKey) -> Document:
    """A document with the signatures of these keys."""
    return cosign(Document(kind=kind, text=msgspec.json.encode(text).decode(), signatures={}), *keys)


def cosign(document: Document, *keys: Ed25519PrivateKey) -> Document:
    """The same text with more signatures."""
    signed = _signed_bytes(document.kind, document.text)
    more = {node_id(public_bytes(key)): base64.b64encode(key.sign(signed)).decode() for key in keys}
    return Document(kind=document.kind, text=document.text, signatures={**document.signatures, **more})


def decode(data: bytes) -> Document:
    """Read a document, or raise `DecodeError`. Signatures are not checked here: the keys are in the roster."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise DecodeError("A signed document is too large.", reason="document-too-large")
    try:
        document = _documents.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError(f"A signed document cannot be read: {error}.", reason="bad-document") from error
    read(document)
    return document


def read(document: Document) -> Text:
    """What the document says, or `DecodeError`."""
    try:
        text = msgspec.json.decode(document.text, type=_TYPES[document.kind])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError(f"A signed {document.kind} cannot be read: {error}.", reason="bad-document") from error
    if not all(_is_sane(value) for value in msgspec.structs.asdict(text).values()):
        raise DecodeError(f"A signed {document.kind} has an impossible value.", reason="bad-document")
    if isinstance(text, Member):
        _check_member(text)
    return text


def _check_member(member: Member) -> None:
    try:
        key = bytes.fromhex(member.public_key)
        host_and_port(member.address)
    except Exception as error:
        raise DecodeError("A member's key or address cannot be read.", reason="bad-document") from error
    if len(key) != 32 or node_id(key) != member.node_id or len(member.short_name) > 12:
        raise DecodeError("A member's id does not follow from its key.", reason="bad-document")


def _is_sane(value: object) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None
    if isinstance(value, str):
        return len(value) <= 300 and (value.isprintable() or not value)
    return all(_is_sane(each) for each in value) if isinstance(value, tuple) else True


def _signed_bytes(kind: Kind, text: str) -> bytes:
    return b"p2p-" + kind.encode() + b"-1\0" + text.encode()
