"""Under which names this node answers, and what a browser calls it."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from port2port.core.errors import NotAllowed
from port2port.web.settings import WebSettings

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_HOST_CHARS = 260


class UnknownHost(NotAllowed):
    """The Host header names another machine: a rebound name, or a wrong link."""


def known_names(settings: WebSettings) -> frozenset[str]:
    """Host names under which requests are answered; everything else is refused (DNS rebinding)."""
    names = {name.lower() for name in settings.host_names}
    if settings.base_url:
        names.add(host_name(urlsplit(settings.base_url).netloc))
    return frozenset((names | LOOPBACK_NAMES | {settings.address.lower()}) - {""})


def public_url(settings: WebSettings, port: int) -> str:
    """What people type, without a slash at the end: `base_url`, else by name on loopback, where passkeys work."""
    if settings.base_url:
        return settings.base_url.rstrip("/")
    if settings.address in LOOPBACK_NAMES:
        return f"{'https' if settings.certificate else 'http'}://localhost:{port}"
    return f"https://{settings.address}:{port}"


def host_name(netloc: str) -> str:
    """`localhost` of `localhost:8100`, `::1` of `[::1]:8100`."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""


def origin_of(scope: Any, settings: WebSettings) -> str:
    """The origin at which the browser sees us. Raises `UnknownHost`."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    if len(host) > MAX_HOST_CHARS or host_name(host) not in known_names(settings):
        raise UnknownHost("web.error.host", hint="web.error.host.hint")
    base = urlsplit(settings.base_url)
    if base.netloc and host.lower() == base.netloc.lower():
        return f"{base.scheme}://{base.netloc.lower()}"
    return f"{scope['scheme']}://{host.lower()}"


def is_https(scope: Any, settings: WebSettings) -> bool:
    return bool(scope["scheme"] == "https" or settings.base_url.startswith("https://"))


def relying_party(origin: str) -> str | None:
    """The WebAuthn relying party id at `origin`, or None: an IP address cannot be one (WebAuthn Level 2, 5.1.2)."""
    name = host_name(urlsplit(origin).netloc)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name or None
    return None


def same_page_on_localhost(origin: str, path: str) -> str | None:
    """Where the same page is open to passkeys, when it was opened by the loopback address."""
    split = urlsplit(origin)
    if host_name(split.netloc) not in LOOPBACK_NAMES - {"localhost"}:
        return None
    port = f":{split.port}" if split.port else ""
    return f"{split.scheme}://localhost{port}{path}"
