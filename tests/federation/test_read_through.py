"""While a partner is away, its row says through whom we read it."""

from __future__ import annotations

from typing import Any


def test_a_partner_that_is_away_is_read_through_one_that_is_there(world: Any) -> None:
    antwerp, ostend, ghent = world.network(3, hand_on_after_s=0.2, lost_after_s=0.2)
    status = ostend.parts.peers.statuses.of(antwerp.id)
    ostend.until(lambda: status.connected and ostend.parts.peers.statuses.of(ghent.id).connected)
    assert status.through == ""
    antwerp.stop()
    ostend.until(lambda: status.through == ghent.id)
