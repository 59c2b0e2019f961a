"""A person lets a stopped connection be read again: nothing that was passed over meanwhile is missing."""

from __future__ import annotations

from typing import Any

from port2port.core.exchange import ObjectArrived
from port2port.sharing import service, tables
from port2port.sharing.verify import Broken


def test_what_was_passed_over_while_stopped_arrives_after_resuming(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("before")
    ostend.wait_for(ObjectArrived)
    with ostend.site.store.transaction() as tx:
        for row in tables.lanes_of(tx, antwerp.id):
            tables.stop_lane(tx, row.lane.id, Broken.WRONG_SIGNATURE)
    for number in range(3):
        antwerp.share(f"meanwhile-{number}")
    antwerp.share("urgent", urgent=True)
    ostend.until(lambda: ("urgent", 1) in ostend.arrived())  # a lane of its own, which nobody stopped
    service.resume(ostend.site, ostend.parts.peers.book, "Antwerp")
    antwerp.share("after")
    ostend.until(lambda: ("after", 1) in ostend.arrived())
    assert [each for each, _ in ostend.arrived() if each != "urgent"] == [
        "before", "meanwhile-0", "meanwhile-1", "meanwhile-2", "after",
    ]  # fmt: skip
