"""Settings of the web toolkit: where it listens, how long a session lives, what a guess costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

MAX_BODY_BYTES = 1_048_576
"""The largest request body, unless a route says otherwise (`request_max_body_size=`)."""
MAX_NAME_CHARS = 120
MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS = 12, 200
"""Length is the only rule for passwords (NIST SP 800-63B-4, 3.1.1.2)."""
MAX_CREDENTIALS = 10
"""Passkeys per account."""


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """How browsers reach this node."""

    address: Annotated[
        str, msgspec.Meta(description="Address to listen on. Other than loopback is served over HTTPS only.")
    ] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(description="Port to listen on; 0 takes a free one.")] = 8100
    base_url: Annotated[
        str,
        msgspec.Meta(description="What people type, e.g. https://node.port.example. Passkeys belong to its host name."),
    ] = ""
    host_names: Annotated[
        tuple[str, ...], msgspec.Meta(description="Further host names under which requests are answered.")
    ] = ()
    certificate: Annotated[
        str,
        msgspec.Meta(description="Certificate chain (PEM, ECDSA P-256); relative to the node's folder."),
    ] = ""
    key: Annotated[str, msgspec.Meta(description="File with the certificate's private key (PEM).")] = ""
    language: Annotated[
        str, msgspec.Meta(description="Language of the sign-in page when the browser asks for none of ours.")
    ] = "en"
    timezone: Annotated[str, msgspec.Meta(description="Local time on screens (IANA name).")] = "Europe/Brussels"
    session_idle_minutes: Annotated[
        int, msgspec.Meta(description="A session that asked for nothing this long is over.")
    ] = 240
    session_hours: Annotated[
        int, msgspec.Meta(description="A session is over after this time whatever happens: one shift.")
    ] = 13
    attempts_per_account: Annotated[
        int, msgspec.Meta(description="Sign-ins in a row for one account; then one a minute.")
    ] = 10
    attempts_per_network: Annotated[
        int, msgspec.Meta(description="Sign-ins in a row from one network (/24 or /64); then one in 2 s.")
    ] = 60
    argon2_memory_kib: Annotated[
        int, msgspec.Meta(description="Argon2id memory (OWASP Password Storage Cheat Sheet).")
    ] = 19_456
    argon2_passes: Annotated[int, msgspec.Meta(description="Argon2id passes over that memory.")] = 2
