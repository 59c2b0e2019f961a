"""Signatures on requests that change something at a partner (RFC 9421, Ed25519).

TLS already proves who called; the signature proves it afterwards too, for the audit log, and binds method, address,
path and body together. Covered: `@method`, `@authority`, `@target-uri`, `content-digest` (RFC 9530). The key id is
the sender's node id and must be the one that TLS shows. Fresh: made within 60 seconds, each nonce once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    VerifyResult,
)
from http_message_signatures import algorithms as algorithms_
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import MappingKeyResolver

TAG = "p2p-fed"
LABEL = "p2p"
COVERED = ("@method", "@authority", "@target-uri", "content-digest")
FRESH = timedelta(seconds=60)
"""How far the sender's clock may be from ours."""
REMEMBERED = timedelta(seconds=180)
MAX_NONCES = 20_000
"""Nonces of one sender that are remembered: more than it may send in three minutes."""
NONCE_BYTES = 16
MAX_NONCE_CHARS = 64


@dataclass(frozen=True)
class Refusal:
    """Why a request counts as unsigned."""

    reason: str
    """Countable: `no-signature`, `bad-signature`, `clock-off`, `replayed`, `too-many-nonces`."""
    message: str
    """For the sender's log."""


class Seen:
    """The nonces of the last three minutes, by sender. Kept in memory: a restart forgets them, the clock does not."""

    def __init__(self) -> None:
        self._by_sender: dict[str, dict[str, datetime]] = {}
        self._lock = Lock()

    def add(self, sender: str, nonce: str, now: datetime) -> str:
        """Remember it; answers why it may not be used: empty, `replayed` or `too-many-nonces`."""
        with self._lock:
            known = self._by_sender.setdefault(sender, {})
            while known and abs(now - next(iter(known.values()))) > REMEMBERED:
                del known[next(iter(known))]
            if nonce in known:
                return "replayed"
            if len(known) >= MAX_NONCES:
                return "too-many-nonces"
            known[nonce] = now
            return ""


@dataclass
class _Message:
    """What the library reads of a request."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


def sign(method: str, url: str, body: bytes, key: Ed25519PrivateKey, node_id: str, now: datetime) -> dict[str, str]:
    """The headers that sign this request: `Content-Digest`, `Signature-Input`, `Signature`."""
    message = _Message(method, url)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms_.ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={node_id: key}),
    )
    signer.sign(
        message,
        key_id=node_id,
        created=now,
        nonce=secrets.token_urlsafe(NONCE_BYTES),
        label=LABEL,
        tag=TAG,
        covered_component_ids=COVERED,
        body=body,
    )
    return message.headers


def verify(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    peer: str,
    keys: Sequence[bytes],
    now: datetime,
    seen: Seen,
    within: timedelta | None = FRESH,
) -> Refusal | None:
    """None when `peer` (from TLS) has signed exactly this request, just now, and for the first time.

    `url` is what we were called by: `https://host:port/path?query`. `keys` are the peer's accepted public keys.
    Without `within`, any time will do: for confirmations, that must pass when a clock went wrong overnight.
    The clock and the nonce are looked at after the signature: what a stranger writes there is never believed.
    """
    message = _Message(method, url, dict(headers))
    if "signature" not in {name.lower() for name in message.headers}:
        return Refusal("no-signature", "The request is not signed.")
    found = next(filter(None, (_verified(message, body, peer, key) for key in keys)), None)
    if found is None:
        return Refusal("bad-signature", "The signature does not belong to this request and its sender.")
    off = datetime.fromtimestamp(int(found.parameters["created"]), UTC) - now
    if within is not None and abs(off) > within:
        return Refusal("clock-off", f"The sender's clock is off by {off.total_seconds():+.0f} s.")
    if not found.nonce or len(found.nonce) > MAX_NONCE_CHARS:
        return Refusal("bad-signature", "The signature has no nonce.")
    problem = seen.add(peer, found.nonce, now)
    return Refusal(problem, "This request was sent before.") if problem else None


class _Verifier(HTTPMessageVerifier):
    """Leaves the time to us: our clock is handed in."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        created = sig_input.params.get("created")
        if type(created) is not int or not 0 <= created < 1 << 40 or "expires" in sig_input.params:
            raise InvalidSignature("created is missing, or not a time")


def _verified(message: _Message, body: bytes, peer: str, key: bytes) -> VerifyResult | None:
    verifier = _Verifier(
        signature_algorithm=algorithms_.ED25519,
        key_resolver=MappingKeyResolver(public_keys={peer: Ed25519PublicKey.from_public_bytes(key)}, private_keys={}),
    )
    try:
        found = verifier.verify(message, max_age=None, expect_tag=TAG, require_components=COVERED, body=body)
    except (HTTPMessageSignaturesException, InvalidSignature, ValueError, TypeError):
        return None
    return found[0] if len(found) == 1 else None
