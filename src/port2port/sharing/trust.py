"""Certificates and TLS between nodes: trust is the roster, no authority is on-line.

Each node issues its own leaf, signed by its identity key. What OpenSSL trusts are anchors that we make
ourselves, one per public key in the roster (and per open invitation): a certificate of that key signed by ours,
which never leaves this process. The handshake so proves that the peer's leaf was issued by a key we know; which
member that is, `issuer_of` reads from the leaf at every request, so that a revocation works at the next one.

A leaf's key lives a day, and is renewed after a third of it. Its dates are far wider, because clock skew must
never stop a connection: the other's clock, or ours, may be wrong by weeks after a flat battery. What a stolen
leaf key is worth is bounded by `MARGIN`, and by revocation at any time.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LEAF_LIFE = timedelta(hours=24)
RENEW_AFTER = LEAF_LIFE / 3
MARGIN = timedelta(days=30)
"""How far two clocks may be apart before a handshake fails."""

_BEGIN, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Leaf:
    """A fresh key and its certificate, both PEM."""

    certificate: bytes
    key: bytes


def issue_leaf(subject: str, issuer: Ed25519PrivateKey, now: datetime) -> Leaf:
    """A leaf for the node (or invitation) `subject`, for both ends of a connection."""
    key = Ed25519PrivateKey.generate()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_issuer_name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - MARGIN)
        .not_valid_after(now + LEAF_LIFE + MARGIN)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(_uri(subject))]), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        .sign(issuer, None)
    )
    return Leaf(
        certificate.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def anchor(subject: str, public_key: bytes, own: Ed25519PrivateKey) -> bytes:
    """What OpenSSL trusts for one public key (DER): made by us, for us."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return (
        x509.CertificateBuilder()
        .subject_name(_issuer_name(subject))
        .issuer_name(_name("anchor"))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .sign(own, None)
        .public_bytes(Encoding.DER)
    )


Trusted = Mapping[str, bytes | tuple[bytes, ...]]
"""Certificate name -> its public key; several while a member changes its key."""


def server_context(leaf: Leaf, trusted: Trusted, own: Ed25519PrivateKey) -> ssl.SSLContext:
    """For our listener: TLS 1.3, and a client certificate issued by one of the trusted keys, or no handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0  # a resumed session would skip the check of the certificate
    return _finish(context, leaf, trusted, own)


def client_context(leaf: Leaf, trusted: Trusted, own: Ed25519PrivateKey) -> ssl.SSLContext:
    """For our calls: the same. The host's name proves nothing here, the key does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _finish(context, leaf, trusted, own)


def knocking_context(leaf: Leaf) -> ssl.SSLContext:
    """For the one call to somebody whose key we do not know yet: what is said proves itself, see `short_code.py`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_NONE
    _load_leaf(context, leaf)
    return context


def subject_of(certificate_der: bytes) -> str:
    """The node id (or invitation) that a leaf names; empty when it names none."""
    names = x509.load_der_x509_certificate(certificate_der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def is_issued_by(certificate_der: bytes, *public_keys: bytes) -> bool:
    """Whether the leaf was signed by one of these keys."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    return any(_is_signed_by(certificate, key) for key in public_keys)


def _is_signed_by(certificate: x509.Certificate, public_key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(certificate.signature, certificate.tbs_certificate_bytes)
    except (InvalidSignature, ValueError):
        return False
    return True


def _finish(context: ssl.SSLContext, leaf: Leaf, trusted: Trusted, own: Ed25519PrivateKey) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _load_leaf(context, leaf)
    _load_anchors(context, (anchor(subject, key, own) for subject, keys in trusted.items() for key in _several(keys)))
    return context


def _several(keys: bytes | tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (keys,) if isinstance(keys, bytes) else keys


def _load_anchors(context: ssl.SSLContext, anchors: Iterable[bytes]) -> None:
    joined = b"".join(anchors)
    if joined:
        context.load_verify_locations(cadata=joined)


def _load_leaf(context: ssl.SSLContext, leaf: Leaf) -> None:
    """Python's ssl reads keys from files only: one that is ours alone, for as long as reading takes."""
    descriptor, path = tempfile.mkstemp(prefix="p2p-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(leaf.certificate + leaf.key)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)


def _name(subject: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])


def _issuer_name(subject: str) -> x509.Name:
    """The identity behind a leaf: another name, or OpenSSL takes the leaf for self-signed."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "identity"),
            x509.NameAttribute(NameOID.COMMON_NAME, subject),
        ]
    )


def _uri(subject: str) -> str:
    return f"spiffe://port2port/node/{subject}"
