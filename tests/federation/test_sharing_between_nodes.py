"""Two and three real nodes: what is shared arrives, and nobody else learns of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from port2port.core.exchange import ObjectArrived
from port2port.core.handling import named_nodes
from port2port.sharing import overview, wire
from port2port.sharing.facts import ObjectPublished, ObjectWithheld, PeerConnected, PeerLost


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
    ostend.settings = replace(ostend.settings, listen=ostend.address)
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


def test_a_clock_that_is_weeks_off_stops_no_connection_and_is_said(world: Any) -> None:
    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    ostend.clock.shift = timedelta(days=20)
    ostend.restart()
    world.acquaint([antwerp, ostend], world.papers([antwerp, ostend]))
    antwerp.share("incident-1")
    ostend.wait_for(ObjectArrived)
    status = antwerp.parts.peers.statuses.of(ostend.id)
    antwerp.until(lambda: status.clock_is_off)
    assert abs(status.clock_off - timedelta(days=20)) < timedelta(seconds=5)


def test_a_partner_that_goes_away_is_reported_once_and_when_it_is_back(world: Any) -> None:
    antwerp, ostend = world.network(2, lost_after_s=0.3)
    antwerp.wait_for(PeerConnected)
    ostend.settings = replace(ostend.settings, listen=ostend.address)
    ostend.stop()
    (lost,) = antwerp.wait_for(PeerLost)
    assert lost.name == "Port of Ostend"
    ostend.restart()
    antwerp.wait_for(PeerConnected, 2)
    assert len(antwerp.facts(PeerLost)) == 1


def test_a_long_poll_answers_when_something_comes(world: Any, liar_of: Any) -> None:
    antwerp = world.node("Antwerp")
    liar = liar_of(world).start(antwerp)
    world.acquaint_with_liar(antwerp, liar)
    antwerp.share("first")
    (first,) = antwerp.wait_for(ObjectPublished)
    base = f"/p2p/v1/lanes/{first.lane}/entries?after="
    page = wire.decode(liar.get(antwerp, base + "0")[1])
    waiting = liar.get_later(antwerp, f"{base}1:{page.chain.hex()}&wait=25")
    antwerp.share("second")
    status, line = waiting.result(10)
    assert status == 200
    assert [each.seq for each in wire.decode(line).entries] == [2]
    assert liar.get(antwerp, f"{base}1:{page.chain.hex()}&limit=1&wait=0")[0] == 200
