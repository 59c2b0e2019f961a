"""Forks are found by two who talk, a restored node never uses a number twice, and members hand on for one another."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from port2port.core.exchange import ObjectArrived
from port2port.core.handling import named_nodes
from port2port.sharing import bootstrap, calls, capability, heads, tables, wire, witness
from port2port.sharing.entry import Checkpoint
from port2port.sharing.facts import LaneClosed, LaneForked, LaneRestored, LaneStopped, ObjectPublished
from port2port.sharing.lane import lane_for
from port2port.sharing.running import assemble
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""Nodes are stopped in the middle of a TLS handshake: asyncio of Python 3.11 leaves the transport to the collector."""


def _head(node: Any, lane: bytes) -> tuple[int, bytes]:
    with node.site.store.reading() as view:
        row = tables.find_lane(view, lane)
        return (0, b"") if row is None else (row.cursor.sequence, row.cursor.chain)


def _ask(world: Any, node: Any) -> None:
    world.run(node.parts.witness.ask_all())


def test_two_histories_of_one_connection_are_found_by_two_members_who_talk(
    world: Any, liar_of: Any, forger: Any, agreement: Any
) -> None:
    antwerp, ostend = world.network(2)
    liar = liar_of(world, "Ghent", 91).start(antwerp, ostend)
    everyone = frozenset({antwerp.id, ostend.id, liar.id})
    text = replace(agreement([antwerp], antwerp.clock()), id="agreement-liar", parties=everyone)
    key = antwerp.site.identity
    papers = [
        bootstrap.make_statement(liar.party, public_bytes(liar.key), liar.address, antwerp.clock(), key),
        bootstrap.make_agreement(text, key, liar.key, ostend.site.identity),
    ]
    world.acquaint([antwerp, ostend], papers)
    label = replace(antwerp.label(), origin=liar.id, agreement_id="agreement-liar")
    first, second = forger(liar, label), forger(liar, label)
    told_antwerp = [wire.decode(first.opening().strip()), wire.decode(first.page(first.entry("a")).strip())]
    told_ostend = [wire.decode(second.opening().strip()), wire.decode(second.page(second.entry("b")).strip())]
    for node, told in ((antwerp, told_antwerp), (ostend, told_ostend)):
        intake = node.parts.connector._intake
        intake.meet(liar.id, told[0])
        intake.apply(liar.id, told[1])
    with antwerp.site.store.reading() as view:
        saw = tables.checkpoint_after(view, first.lane.id, 0)
    assert isinstance(saw, Checkpoint)
    with ostend.site.store.transaction() as tx:
        assert heads.compare(tx, ostend.site, saw, antwerp.id, ostend.parts.peers.book.network(tx))
    (forked,) = ostend.wait_for(LaneForked)
    assert (forked.origin, forked.sequence, forked.told_by) == (liar.id, 1, antwerp.id)


def test_a_head_told_before_we_came_so_far_is_compared_when_we_do(world: Any, liar_of: Any, forger: Any) -> None:
    antwerp = world.node("Antwerp")
    liar = liar_of(world, "Ghent", 91).start(antwerp)
    world.acquaint_with_liar(antwerp, liar)
    told, other = forger(liar, liar.label()), forger(liar, liar.label())
    elsewhere = wire.decode(other.page(other.entry("x")).strip())
    intake = antwerp.parts.connector._intake
    intake.meet(liar.id, wire.decode(told.opening().strip()))
    with antwerp.site.store.transaction() as tx:
        head = wire.entries_of(elsewhere)[1]
        assert not heads.compare(tx, antwerp.site, head, "e" * 64, antwerp.parts.peers.book.network(tx))
    intake.apply(liar.id, wire.decode(told.page(told.entry("a")).strip()))
    antwerp.wait_for(LaneForked)
    (stopped,) = antwerp.wait_for(LaneStopped)
    assert stopped.reason == "fork"
    assert antwerp.arrived() == []


def test_members_tell_each_other_only_of_what_the_asker_may_read(world: Any) -> None:
    antwerp, ostend, ghent = world.network(3)
    secret = antwerp.label(named_nodes(ostend.id))
    antwerp.share("a", handling=secret)
    ostend.wait_for(ObjectArrived)
    hidden = lane_for(secret, urgent=False).id
    member = next(each for each in ostend.parts.peers.network().others(ghent.id) if each.node_id == ostend.id)
    answer = world.run(calls.call(ghent.parts.peers, member, "GET", "/p2p/v1/witness"))
    assert hidden not in {each.lane for each in witness.decode(answer.body)}
    member = next(each for each in antwerp.parts.peers.network().others(antwerp.id) if each.node_id == ostend.id)
    answer = world.run(calls.call(antwerp.parts.peers, member, "GET", "/p2p/v1/witness"))
    assert hidden in {each.lane for each in witness.decode(answer.body)}


def _restore(world: Any, node: Any, copy: Path) -> None:
    """The node's files as they were in the copy."""
    node.stop()
    node.site.store.close()
    for each in copy.iterdir():
        shutil.copyfile(each, world.folder / each.name)
    opened = make_site(
        capabilities=[capability], url=node.url, name=node.site.party.name, seed=node.seed, clock=node.clock
    )
    node.site = replace(node.site, store=opened.store)
    node.settings = replace(node.settings, listen=node.fixed_address)
    node.parts = assemble(node.site, node.settings)


def _copy(world: Any, node: Any, to: Path) -> None:
    to.mkdir()
    node.until(node.site.store.scrub)
    for each in world.folder.glob(f"{node.name}.*"):
        if each.is_file() and not each.name.endswith("-lock"):
            shutil.copyfile(each, to / each.name)


def test_a_node_restored_from_an_older_backup_fetches_its_word_back_and_goes_on(world: Any, tmp_path: Path) -> None:
    antwerp, ostend = world.network(2, on_disk=True)
    antwerp.share("a")
    ostend.wait_for(ObjectArrived)
    _copy(world, antwerp, tmp_path / "backup")
    antwerp.share("b")
    antwerp.share("c")
    ostend.wait_for(ObjectArrived, 3)
    lane = lane_for(antwerp.label(), urgent=False).id
    before = _head(ostend, lane)
    antwerp.fixed_address = antwerp.address
    _restore(world, antwerp, tmp_path / "backup")
    assert _head(antwerp, lane)[0] == 1
    antwerp.share("d")
    antwerp.start()
    antwerp.wait_for(LaneRestored)
    ostend.wait_for(ObjectArrived, 4)
    assert ostend.arrived() == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]
    assert antwerp.facts(ObjectPublished)[-1].sequence == before[0] + 1
    assert ostend.facts(LaneStopped) == []


def test_a_node_that_wrote_before_it_knew_goes_on_in_a_new_connection(world: Any, tmp_path: Path) -> None:
    antwerp, ostend = world.network(2, on_disk=True)
    antwerp.share("a")
    ostend.wait_for(ObjectArrived)
    _copy(world, antwerp, tmp_path / "backup")
    antwerp.share("b")
    ostend.wait_for(ObjectArrived, 2)
    antwerp.fixed_address = antwerp.address
    ostend.fixed_address = ostend.address
    ostend.stop()
    _restore(world, antwerp, tmp_path / "backup")
    antwerp.share("other")
    antwerp.start()
    antwerp.wait_for(ObjectPublished, 2)
    ostend.tasks = []
    ostend.settings = replace(ostend.settings, listen=ostend.fixed_address)
    ostend.restart()
    antwerp.until(lambda: (_ask(world, antwerp), antwerp.facts(LaneClosed))[1])
    antwerp.share("later")
    ostend.until(lambda: ("later", 1) in ostend.arrived())
    assert ("b", 1) in ostend.arrived()


def test_a_partner_that_cannot_be_reached_is_read_through_another(world: Any) -> None:
    antwerp, ostend, ghent = world.network(3, hand_on_after_s=0.2)
    antwerp.share("for both")
    antwerp.share("for Ostend", handling=antwerp.label(named_nodes(ostend.id)))
    ghent.wait_for(ObjectArrived)
    ostend.wait_for(ObjectArrived, 2)
    ghent.stop()
    antwerp.share("later")
    antwerp.share("for Ostend again", handling=antwerp.label(named_nodes(ostend.id)))
    ostend.wait_for(ObjectArrived, 4)
    antwerp.stop()
    ghent.tasks = []
    ghent.restart()
    ghent.until(lambda: ("later", 1) in ghent.arrived())
    assert sorted(ghent.arrived()) == [("for both", 1), ("later", 1)]


def test_a_new_member_may_begin_with_the_live_set(world: Any) -> None:
    antwerp, ostend = world.network(2)
    label = antwerp.label(named_nodes(ostend.id))
    short = replace(label, retain_until=antwerp.clock() + timedelta(minutes=1))
    ostend.stop()
    for number in range(6):
        antwerp.share(f"o{number}", handling=label if number % 2 else short)
    antwerp.wait_for(ObjectPublished, 6)
    antwerp.clock.shift = ostend.clock.shift = timedelta(minutes=2)
    lane = lane_for(label, urgent=False).id
    with antwerp.site.store.transaction() as tx:
        tables.set_lane(tx, lane, base=3)
    ostend.tasks = []
    ostend.restart()
    ostend.wait_for(ObjectArrived, 3)
    assert ostend.arrived() == [("o1", 1), ("o3", 1), ("o5", 1)]
    antwerp.share("next", handling=label)
    ostend.wait_for(ObjectArrived, 4)
    assert _head(ostend, lane) == _head(antwerp, lane)
