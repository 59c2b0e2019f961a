"""The leaf that this node shows at present, and the TLS contexts made with it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import datetime

from port2port.capability import Site
from port2port.sharing import trust
from port2port.sharing.trust import Leaf


class Credentials:
    """Issues a new leaf after a third of its life. The private key never leaves the process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._leaf: Leaf | None = None
        self._issued: datetime | None = None

    def leaf(self) -> Leaf:
        """The present leaf. A clock that jumped, either way, makes a new one too."""
        now = self._site.clock()
        if self._leaf is None or self._issued is None or abs(now - self._issued) >= trust.RENEW_AFTER:
            self._leaf, self._issued = trust.issue_leaf(self._site.party.node_id, self._site.identity, now), now
        return self._leaf

    def server(self, trusted: Mapping[str, bytes]) -> ssl.SSLContext:
        return trust.server_context(self.leaf(), trusted, self._site.identity)

    def client(self, node: str, key: bytes) -> ssl.SSLContext:
        """For a call to exactly this node."""
        return trust.client_context(self.leaf(), {node: key}, self._site.identity)
