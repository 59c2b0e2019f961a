"""Headers of every answer. No inline script or style anywhere: the nonce is for the few scripts of a page."""

from __future__ import annotations

from typing import Any

from litestar.datastructures import MutableScopeHeaders

from port2port.web.origin import is_https
from port2port.web.settings import WebSettings
from port2port.web.state import visit_of

HSTS_S = 63_072_000
"""Two years."""
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""The phone form takes pictures and the place, hence camera and geolocation for ourselves."""


def content_security_policy(nonce: str) -> str:
    """Lit uses constructed style sheets and MapLibre styles elements through the object model: both are free of
    `unsafe-inline`. MapLibre's worker may be a blob; pictures too."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "font-src 'self'",
            "manifest-src 'self'",
            "media-src 'self' blob:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def add_headers(message: Any, scope: Any, settings: WebSettings) -> None:
    """Put our headers on the start of an answer."""
    headers = MutableScopeHeaders.from_message(message)
    for name, value in FIXED.items():
        headers[name] = value
    headers["Content-Security-Policy"] = content_security_policy(visit_of(scope).nonce)
    if is_https(scope, settings):
        headers["Strict-Transport-Security"] = f"max-age={HSTS_S}"
    headers.setdefault("Cache-Control", "no-store")
