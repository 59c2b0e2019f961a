"""Two and three real nodes: what is shared arrives, and nobody else learns of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from port2port.core.exchange import ObjectArrived
from port2port.core.handling import named_nodes
from port2port.sharing.facts import ObjectPublished, ObjectWithheld, PeerConnected


def test_two_nodes_share_an_object(world: Any) -> None:
    antwerp, ostend = world.network(2)
    body = '{"type":"bundle","id":"bundle--1","text":"Clôture coupée"}'.encode()
    antwerp.share("incident-1", body)
    (arrived,) = ostend.wait_for(ObjectArrived)
    assert (arrived.origin, arrived.origin_name) == (antwerp.id, "Port of Antwerp")
    assert arrived.object_kind == "incident"
    with ostend.site.store.reading() as view:
        assert view.body(arrived.object_id, 1) == body


def test_both_directions_connect_and_the_origin_learns_that_it_arrived(world: Any) -> None:
    from port2port.sharing import overview

    antwerp, ostend = world.network(2)
    antwerp.share("incident-1")
    ostend.wait_for(ObjectArrived)
    antwerp.wait_for(PeerConnected)

    def row() -> Any:
        with antwerp.site.store.reading() as view:
            peers = antwerp.parts.peers
            (found,) = overview.neighbours(view, peers.network(), antwerp.id, antwerp.clock(), peers.statuses)
        return found if found.behind == 0 and found.state == "connected" else None

    found = antwerp.until(row)
    assert found.shared[0].entries == 1
    assert found.shared[0].agreement == "Test agreement"


def test_who_is_not_entitled_sees_neither_object_nor_number(world: Any) -> None:
    antwerp, ostend, ghent = world.network(3)
    antwerp.share("secret", handling=antwerp.label(named_nodes(ostend.id)))
    antwerp.share("open")
    ostend.until(lambda: len(ostend.arrived()) == 2)
    ghent.until(lambda: ghent.arrived() == [("open", 1)])
    (secret, _) = antwerp.wait_for(ObjectPublished, 2)
    assert secret.readers == (ostend.id,)


def test_an_object_for_nobody_is_withheld_with_its_reasons(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("for-nobody", handling=antwerp.label(named_nodes("f" * 64)))
    (withheld,) = antwerp.wait_for(ObjectWithheld)
    assert withheld.reasons == {"not-in-audience": 1}
    antwerp.share("for-all")
    ostend.until(lambda: ostend.arrived() == [("for-all", 1)])


def test_a_week_apart_is_caught_up_in_order_and_once(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("before")
    ostend.wait_for(ObjectArrived)
    ostend.restart_later = ostend.address
    settings = ostend.settings
    from dataclasses import replace

    ostend.settings = replace(settings, listen=ostend.address)
    ostend.stop()
    for number in range(600):
        antwerp.share(f"incident-{number}")
        antwerp.clock.shift += timedelta(minutes=15)
    antwerp.wait_for(ObjectPublished, 601)
    ostend.clock.shift = timedelta(days=7)
    ostend.restart()
    expected = [("before", 1), *((f"incident-{number}", 1) for number in range(600))]
    ostend.until(lambda: len(ostend.arrived()) >= len(expected))
    assert ostend.arrived() == expected


def test_a_new_version_replaces_and_an_urgent_one_arrives_too(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("incident-1")
    antwerp.share("incident-1", version=2)
    antwerp.share("alert-1", urgent=True)
    ostend.until(lambda: len(ostend.arrived()) == 3)
    assert set(ostend.arrived()) == {("incident-1", 1), ("incident-1", 2), ("alert-1", 1)}
