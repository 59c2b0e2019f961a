"""One node's sharing in a process of its own, for measuring: reads commands as JSON lines, answers each with one.

Only `sharing` runs: what is measured is the exchange between two nodes, not what a receiver does with an object.
Times are `time.monotonic()`, which is one clock for all processes of a machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from port2port.capability import Site
from port2port.core.clock import system_clock
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.handling import Handling, LegalBasis, PersonalData, Purpose, Tlp, all_members
from port2port.core.party import Compartment
from port2port.runtime import ReaderThread
from port2port.sharing import capability, service, tables
from port2port.sharing.bootstrap import load_bootstrap
from port2port.sharing.facts import RecallConfirmed, RecallIssued
from port2port.sharing.recall import Why
from port2port.sharing.recalling import take_back
from port2port.sharing.running import Parts, assemble
from port2port.sharing.settings import SharingSettings
from port2port.testing import site as make_site

AGREEMENT = "agreement-bench"
BATCH = 500
LOOK_S = 0.05
BODY = json.dumps({"type": "indicator", "name": "x" * 700, "pattern": "[shipping-container:number = 'MSKU1234565']"})


class Peer:
    """The node, and what can be asked of it."""

    def __init__(self, folder: str, seed: int, address: str) -> None:
        self.site: Site = make_site(
            capabilities=[capability],
            url=f"sqlite:///{folder}/node.db",
            name=f"Port {seed}",
            short_name=f"P{seed}",
            seed=seed,
            clock=system_clock,
        )
        self.parts: Parts = assemble(self.site, SharingSettings(listen=address))
        self.reader = ReaderThread(self.site.store, self.parts.reader(), self.site.counters)

    async def run(self) -> None:
        self.parts.begin()
        self.reader.start()
        tasks = [asyncio.ensure_future(task.run()) for task in self.parts.tasks()]
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        commands = threading.Thread(target=self.obey, args=(loop, done), daemon=True)
        commands.start()
        await done.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.reader.stop()
        self.site.store.close()

    def obey(self, loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
        for line in sys.stdin:
            command: dict[str, Any] = json.loads(line)
            answer = getattr(self, f"do_{command.pop('do')}")(**command)
            print(json.dumps(answer), flush=True)
        loop.call_soon_threadsafe(done.set)

    def do_network(self, path: str) -> float:
        service.load_documents(self.site, self.parts.peers.book, load_bootstrap(Path(path)))
        return time.monotonic()

    def do_offer(self, first: int, count: int, urgent: bool = False) -> float:
        """Offer objects, as a feed would; answers when the first was on its way."""
        began = time.monotonic()
        for at in range(first, first + count, BATCH):
            some = range(at, min(at + BATCH, first + count))
            with self.site.store.transaction() as tx:
                tx.put_bodies([(f"o{number}", 1, BODY.encode()) for number in some])
                tx.append(*(self._offered(f"o{number}", urgent) for number in some))
        return began

    def _offered(self, object_id: str, urgent: bool) -> ObjectOffered:
        now = self.site.clock()
        handling = Handling(
            origin=self.site.party.node_id,
            tlp=Tlp.AMBER,
            audience=all_members(),
            compartment=Compartment.A,
            legal_basis=LegalBasis.ISPS_CODE,
            purpose=Purpose.PORT_SECURITY,
            personal_data=PersonalData.NONE,
            retain_until=(now + timedelta(days=300)).replace(microsecond=0),
            agreement_id=AGREEMENT,
        )
        return ObjectOffered(
            at=now,
            object_kind="indicator",
            object_id=object_id,
            version=1,
            handling=handling,
            urgent=urgent,
            account="system",
            bulk=not urgent,
        )

    def do_published(self, count: int) -> int:
        """Wait until so many entries of ours stand ready."""
        while (ready := self._ready()) < count:
            self.site.store.wait(self.site.store.head(), 0.2)
        return ready

    def _ready(self) -> int:
        with self.site.store.reading() as view:
            return sum(row.cursor.sequence for row in tables.own_lanes(view))

    def do_arrived(self, count: int) -> float:
        """Wait until so many entries of others have been applied; answers when."""
        wanted = "SELECT coalesce(sum(sequence), 0) FROM sharing_lane WHERE own = 0"
        while True:
            with self.site.store.reading() as view:
                got = view.rows(wanted)[0][0]
            if got >= count:
                return time.monotonic()
            time.sleep(LOOK_S)  # how exactly we look, not a wait for something that may fail

    def do_watch(self, names: list[str], after: int) -> dict[str, float]:
        """When each of these objects was heard of, looking at the journal from `after` on."""
        found: dict[str, float] = {}
        wanted = set(names)
        while wanted - found.keys():
            page = self.site.store.read(after, 500, {ObjectArrived.kind()})
            for each in page:
                assert isinstance(each.fact, ObjectArrived)
                name = each.fact.object_id.rpartition(".")[2]
                if name in wanted:
                    found[name] = time.monotonic()
            after = page[-1].number if page else after
            if not page:
                self.site.store.wait(self.site.store.head(), 0.05)
        return found

    def do_head(self) -> int:
        return self.site.store.head()

    def do_take_back(self, first: int, count: int, op: str) -> float:
        began = time.monotonic()
        for at in range(first, first + count, 1000):
            names = [f"o{number}" for number in range(at, min(at + 1000, first + count))]
            take_back(self.site, names, op, Why.MISTAKE, "officer")
        return began

    def do_confirmed(self, receipts: int) -> float:
        """Wait until so many receipts have come; answers when."""
        while True:
            if len(self.site.store.read(0, 10_000, {RecallConfirmed.kind()})) >= receipts:
                return time.monotonic()
            self.site.store.wait(self.site.store.head(), 0.01)

    def do_issued(self) -> int:
        return len(self.site.store.read(0, 10_000, {RecallIssued.kind()}))

    def do_erased(self, count: int) -> float:
        """Wait until so many of our entries have lost their content; answers when."""
        while True:
            with self.site.store.reading() as view:
                if view.rows("SELECT count(*) FROM sharing_entry WHERE verdict = 'erased'")[0][0] >= count:
                    return time.monotonic()
            self.site.store.wait(self.site.store.head(), 0.05)


if __name__ == "__main__":
    asyncio.run(Peer(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run())
