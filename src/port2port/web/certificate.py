"""A certificate for the first start: self-signed, ECDSA P-256, which every browser can read.

Browsers warn about it until the port's own authority signs one; what it protects against is listening in.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from port2port.core.errors import BadInput
from port2port.web.origin import LOOPBACK_NAMES, known_names
from port2port.web.settings import WebSettings

LIFE = timedelta(days=397)
"""Browsers refuse longer ones (CA/Browser Forum baseline requirements, 6.3.2, until 2026)."""
RENEW_BEFORE = timedelta(days=30)
SKEW = timedelta(hours=1)
CERTIFICATE_FILE, KEY_FILE = "browser-certificate.pem", "browser-key.pem"


def files_for(settings: WebSettings, folder: Path, now: datetime) -> tuple[Path | None, Path | None]:
    """Certificate and key to serve with: the configured ones (relative to `folder`), none on loopback, else our own."""
    if settings.certificate or settings.key:
        return folder / settings.certificate, folder / settings.key
    if settings.address in LOOPBACK_NAMES:
        return None, None
    return ensure_certificate(folder, sorted(known_names(settings)), now)


def ensure_certificate(folder: Path, names: Sequence[str], now: datetime) -> tuple[Path, Path]:
    """Files of certificate and key in `folder`; made when absent, for other names, or about to end."""
    certificate, key = folder / CERTIFICATE_FILE, folder / KEY_FILE
    if not (certificate.is_file() and key.is_file() and _still_good(certificate, names, now)):
        made, secret = self_signed(names, now)
        folder.mkdir(parents=True, exist_ok=True)
        _write_secret(key, secret)
        certificate.write_bytes(made)
    return certificate, key


def self_signed(names: Sequence[str], now: datetime) -> tuple[bytes, bytes]:
    """Certificate and key as PEM, for host names and addresses. Raises `BadInput` when there are none."""
    if not names:
        raise BadInput("A certificate needs at least one host name or address.")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now - SKEW + LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), secret


def check_pair(certificate: Path, key: Path) -> None:
    """Raise `BadInput` unless both files hold a certificate with ECDSA P-256 and its key."""
    try:
        public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(
            f"{certificate} and {key} cannot be read as certificate and key (PEM): {error}.",
            hint="Name other files under [web], or remove both settings: a certificate is made then.",
        ) from error
    fits = isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)
    if not fits or private.public_key() != public:
        raise BadInput(
            f"{certificate} and {key} are not an ECDSA P-256 certificate and its key.",
            hint="Browsers refuse Ed25519; ask for a certificate with a P-256 key.",
        )


def _still_good(file: Path, names: Sequence[str], now: datetime) -> bool:
    try:
        kept = x509.load_pem_x509_certificate(file.read_bytes())
        held = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return kept.not_valid_after_utc - now > RENEW_BEFORE and all(_general_name(name) in held for name in names)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_secret(path: Path, secret: bytes) -> None:
    """Only the owner may read it, from the first moment on."""
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
    partial.replace(path)
