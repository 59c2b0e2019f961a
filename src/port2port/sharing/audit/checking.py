"""The log is checked as a whole once a day, unasked; what is wrong stands in the queue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from port2port.capability import Site
from port2port.sharing.audit import verify
from port2port.sharing.audit.limits import CHECK_EVERY_S, FIRST_CHECK_S
from port2port.sharing.audit.log import AuditLog
from port2port.sharing.audit.verify import Report
from port2port.sharing.audit.witness import KeysOf
from port2port.store import Reading


@dataclass(frozen=True)
class Checking:
    """Checks one node's own log."""

    site: Site
    log: AuditLog
    any_keys_of: KeysOf

    async def run(self) -> None:
        """Some minutes after the start, then daily."""
        await asyncio.sleep(FIRST_CHECK_S)
        while True:
            await asyncio.to_thread(self.check)
            await asyncio.sleep(CHECK_EVERY_S)

    def check(self) -> Report:
        """Check now, and raise an alert the first time that something is wrong."""
        with self.site.store.reading() as view:
            keys = self.keys(view)
        report = verify.verify(self.site.store, self.site.party.node_id, keys, self.site.clock())
        if report.count:
            with self.site.store.transaction() as tx:
                self.log.contradicted(tx, self.site.party.node_id, report.size, b"")
        return report

    def keys(self, view: Reading) -> verify.Keys:
        """The keys of ourselves and of everyone who confirmed something, for use after the view has ended."""
        nodes = [self.site.party.node_id, *verify.witnesses(view)]
        found = {node: self.any_keys_of(view, node) for node in nodes}
        return lambda node: found.get(node, ())
