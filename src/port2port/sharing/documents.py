"""Signed documents of the network: who is a member, which keys, groups and agreements there are. Pure.

A document is an exact text and signatures over it, each under the id of the node that signed. What the
documents add up to is decided in `roster.py`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
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
from port2port.store.identity import owner_of

T = TypeVar("T")
MAX_OFFICERS = 50


class Kind(StrEnum):
    """What a document is about. Also the kind of the entry in which it travels."""

    ROOT = "root"
    MEMBER = "member"
    GRANT = "grant"
    REVOCATION = "revocation"
    KEY = "key"
    GROUP = "group"
    LEAVING = "leaving"
    AGREEMENT = "agreement"
    ENDING = "ending"


class Officer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of those who decide together who is a member."""

    node_id: str
    """Under this id it signs. An officer whose key lies in a safe need not be a member."""
    public_key: str
    """32 bytes in hexadecimal: its key when it was named. Keys that this one leads to count too."""


class RootText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the officers are, and how many of them a decision takes."""

    version: int
    """One more than the root before."""
    previous: str
    """Mark of the root before; empty for the first."""
    officers: tuple[Officer, ...]
    threshold: int
    keeps: tuple[str, ...] = ()
    """Marks of the earlier statements that go on counting. What else was signed before counts no more."""
    valid_from: datetime
    expires: datetime
    """After this day a newer root should be known: screens warn, nothing stops."""


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement that an organisation is a member, signed by its sponsor and, where the root says so, officers."""

    node_id: str
    name: str
    short_name: str
    public_key: str
    """Its first key, from which the node id follows: 32 bytes in hexadecimal."""
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


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member may decide for others from now on, in place of what it could before."""

    node_id: str
    roles: tuple[AuthorityRole, ...]
    valid_from: datetime
    by: str


class Revocation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement that a member no longer is one. A member may say it of itself."""

    node_id: str
    at: datetime
    by: str


class KeyText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member's next key."""

    node_id: str
    public_key: str
    """32 bytes in hexadecimal."""
    previous: str
    """The key that signs this, in hexadecimal. With `recovery`, officers sign instead: it was lost or stolen."""
    recovery: int = 0
    """0 for a change by the member itself; grows by one with each new beginning that officers sign."""
    valid_from: datetime
    """When the member begins to use it."""
    by: str


class GroupText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sharing group as its owner wants it from `valid_from` on."""

    id: str
    name: str
    owner: str
    members: tuple[str, ...]
    valid_from: datetime
    epoch: int = 1
    """Grows when somebody leaves."""
    answers: tuple[str, ...] = ()
    """Ids of the leavings that the owner knew of: who is among `members` all the same, came back."""


class LeavingText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member's word that it is in a group no longer."""

    id: str
    group: str
    node_id: str
    at: datetime


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


class EndingText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party's word that an agreement binds it no longer. The agreement stays for the others."""

    agreement: str
    node_id: str
    at: datetime


Text = RootText | Member | Grant | Revocation | KeyText | GroupText | LeavingText | AgreementText | EndingText
_TYPES: dict[Kind, type[Text]] = {
    Kind.ROOT: RootText,
    Kind.MEMBER: Member,
    Kind.GRANT: Grant,
    Kind.REVOCATION: Revocation,
    Kind.KEY: KeyText,
    Kind.GROUP: GroupText,
    Kind.LEAVING: LeavingText,
    Kind.AGREEMENT: AgreementText,
    Kind.ENDING: EndingText,
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

    @property
    def mark(self) -> str:
        """The same for the same text, whoever signed: 128 bits in hexadecimal."""
        return hashlib.sha256(_signed_bytes(self.kind, self.text)).hexdigest()[:32]

    def encoded(self) -> bytes:
        return msgspec.json.encode(self, order="deterministic")

    def is_signed_by(self, node: str, *public_keys: bytes) -> bool:
        """Whether the node has signed exactly this text, with one of these keys of its."""
        try:
            signature = base64.b64decode(self.signatures[node], validate=True)
        except (KeyError, ValueError, binascii.Error):
            return False
        signed = _signed_bytes(self.kind, self.text)
        return any(_verifies(key, signature, signed) for key in public_keys)

    def bare(self) -> Document:
        """The text without any signature."""
        return Document(kind=self.kind, text=self.text, signatures={})


_documents = msgspec.json.Decoder(Document)


def sign(kind: Kind, text: Text, *keys: Ed25519PrivateKey) -> Document:
    """A document with the signatures of these keys."""
    return cosign(Document(kind=kind, text=msgspec.json.encode(text).decode(), signatures={}), *keys)


def cosign(document: Document, *keys: Ed25519PrivateKey) -> Document:
    """The same text with more signatures."""
    signed = _signed_bytes(document.kind, document.text)
    more = {owner_of(key): base64.b64encode(key.sign(signed)).decode() for key in keys}
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
    if isinstance(text, RootText):
        _check_root(text)
    if isinstance(text, KeyText):
        _key(text.public_key)
    return text


def _check_member(member: Member) -> None:
    try:
        host_and_port(member.address)
    except Exception as error:
        raise DecodeError("A member's address cannot be read.", reason="bad-document") from error
    if node_id(_key(member.public_key)) != member.node_id or len(member.short_name) > 12:
        raise DecodeError("A member's id does not follow from its key.", reason="bad-document")


def _check_root(root: RootText) -> None:
    ids, keys = {each.node_id for each in root.officers}, {_key(each.public_key) for each in root.officers}
    if not 1 <= root.threshold <= len(root.officers) <= MAX_OFFICERS or root.version < 1:
        raise DecodeError("A root asks for more officers than it names, or for none.", reason="bad-document")
    if len(ids) != len(root.officers) or len(keys) != len(root.officers):
        raise DecodeError("A root names one officer twice.", reason="bad-document")


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise DecodeError("A public key cannot be read.", reason="bad-document") from error
    if len(key) != 32 or key.hex() != text:
        raise DecodeError("A public key has the wrong size.", reason="bad-document")
    return key


def _is_sane(value: object) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None
    if isinstance(value, str):
        return len(value) <= 300 and (value.isprintable() or not value)
    if isinstance(value, int):
        return 0 <= value < 1 << 31
    if isinstance(value, msgspec.Struct):
        return all(_is_sane(each) for each in msgspec.structs.asdict(value).values())
    return all(_is_sane(each) for each in value) if isinstance(value, Iterable) else True


def _verifies(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed_bytes(kind: Kind, text: str) -> bytes:
    return b"p2p-" + kind.encode() + b"-1\0" + text.encode()
