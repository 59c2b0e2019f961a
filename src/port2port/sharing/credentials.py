"""The leaf that this node shows at present, and the TLS contexts made with it."""

from __future__ import annotations

import ssl
from datetime import datetime

from port2port.capability import Site
from port2port.sharing import trust
from port2port.sharing.trust import Leaf, Trusted
from port2port.store.identity import public_bytes


class Credentials:
    """Issues a new leaf after a third of its life. The private key never leaves the process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._leaf: Leaf | None = None
        self._issued: datetime | None = None
        self._issuer = b""

    def leaf(self) -> Leaf:
        """The present leaf. A clock that jumped, either way, or another identity key makes a new one too."""
        now, issuer = self._site.clock(), public_bytes(self._site.identity)
        is_old = self._issued is None or abs(now - self._issued) >= trust.RENEW_AFTER
        if self._leaf is None or is_old or issuer != self._issuer:
            self._leaf = trust.issue_leaf(self._site.party.node_id, self._site.identity, now)
            self._issued, self._issuer = now, issuer
        return self._leaf

    def server(self, trusted: Trusted) -> ssl.SSLContext:
        return trust.server_context(self.leaf(), trusted, self._site.identity)

    def client(self, node: str, *keys: bytes) -> ssl.SSLContext:
        """For a call to exactly this node, which shows a leaf of one of these keys."""
        return trust.client_context(self.leaf(), {node: keys}, self._site.identity)
