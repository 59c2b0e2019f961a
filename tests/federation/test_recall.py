"""Taking things back: every holder drops them, says so signed, and nothing of them is left in its raw files."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from port2port.core.errors import NotFound
from port2port.core.exchange import ObjectArrived, ObjectErased, ObjectWithdrawn
from port2port.core.handling import Group, named_nodes, sharing_group
from port2port.sharing import ack_tables, calls, recall_tables, receipts, tables, wire
from port2port.sharing.entry import Op
from port2port.sharing.facts import LaneClosed, ObjectPublished, RecallConfirmed, RecallIssued
from port2port.sharing.lane import NETWORK, Class
from port2port.sharing.recall import Recall, Receipts, ReceiptText, Why, encode, sign_receipt
from port2port.sharing.recalling import take_back
from port2port.sharing.tables import entry_key

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""Nodes are stopped in the middle of a TLS handshake: asyncio of Python 3.11 leaves the transport to the collector."""

SECRET = b"CANARY-8d1f9c2e7b4a5566"
BODY = b'{"id":"a","what":"' + SECRET + b'"}'


def _back(node: Any, *object_ids: str, op: str = "withdraw", reason: Why = Why.MISTAKE) -> None:
    take_back(node.site, object_ids, op, reason, "officer")


def _body(node: Any, object_id: str, version: int = 1) -> bytes | None:
    with node.site.store.reading() as view:
        return view.body(object_id, version)  # type: ignore[no-any-return]


def test_a_withdrawal_is_confirmed_by_everybody_who_had_it(world: Any) -> None:
    antwerp, ostend, ghent = world.network(3)
    antwerp.share("a", BODY)
    for each in (ostend, ghent):
        each.wait_for(ObjectArrived)
    _back(antwerp, "a")
    confirmed = antwerp.wait_for(RecallConfirmed, 2)
    assert {each.by for each in confirmed} == {ostend.id, ghent.id}
    assert all(each.removed == 1 for each in confirmed)
    for each in (ostend, ghent):
        (gone,) = each.wait_for(ObjectWithdrawn)
        assert (gone.object_id, gone.origin, gone.reason) == (f"{antwerp.id}.a", antwerp.id, "mistake")
        assert _body(each, f"{antwerp.id}.a") is None
    assert _body(antwerp, "a") == BODY


def test_an_erasure_leaves_it_nowhere_not_even_at_home(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("a", BODY)
    antwerp.share("b")
    ostend.wait_for(ObjectArrived, 2)
    _back(antwerp, "a", op="erase", reason=Why.COURT_ORDER)
    antwerp.wait_for(RecallConfirmed)
    assert antwerp.wait_for(ObjectErased)[0].object_id == "a"
    assert ostend.wait_for(ObjectErased)[0].object_id == f"{antwerp.id}.a"
    assert _body(antwerp, "a") is None
    assert _body(ostend, f"{antwerp.id}.b") is not None


def test_after_the_receipt_nothing_is_left_in_the_raw_files(world: Any) -> None:
    nodes = world.network(2, on_disk=True)
    antwerp, ostend = nodes
    antwerp.share("a", BODY)
    ostend.wait_for(ObjectArrived)
    _back(antwerp, "a", op="erase", reason=Why.DATA_SUBJECT)
    antwerp.wait_for(RecallConfirmed)
    antwerp.until(antwerp.site.store.scrub)
    for path in Path(world.folder).iterdir():
        assert SECRET not in path.read_bytes(), path.name


def test_a_node_that_was_away_drops_it_when_it_comes_back(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("a", BODY)
    ostend.wait_for(ObjectArrived)
    ostend.stop()
    _back(antwerp, "a")
    (issued,) = antwerp.wait_for(RecallIssued)
    assert issued.holders == (ostend.id,)
    assert antwerp.facts(RecallConfirmed) == []
    ostend.tasks = []
    ostend.restart()
    antwerp.wait_for(RecallConfirmed)
    assert _body(ostend, f"{antwerp.id}.a") is None


def test_what_was_taken_back_before_it_came_never_becomes_visible(world: Any) -> None:
    antwerp, ostend = world.network(2)
    ostend.stop()
    antwerp.share("a", BODY)
    antwerp.share("b")
    antwerp.until(lambda: len(antwerp.facts(ObjectPublished)) == 2)
    _back(antwerp, "a")
    antwerp.wait_for(RecallIssued)
    ostend.tasks = []
    ostend.restart()
    antwerp.wait_for(RecallConfirmed)
    ostend.wait_for(ObjectArrived)
    assert ostend.arrived() == [("b", 1)]


def test_an_object_with_a_narrower_audience_leaves_those_who_lost_it(world: Any) -> None:
    antwerp, ostend, ghent = world.network(3)
    antwerp.share("a", BODY)
    for each in (ostend, ghent):
        each.wait_for(ObjectArrived)
    antwerp.share("a", version=2, handling=antwerp.label(named_nodes(ostend.id)))
    antwerp.wait_for(RecallConfirmed, 2)
    assert _body(ghent, f"{antwerp.id}.a") is None
    ostend.until(lambda: _body(ostend, f"{antwerp.id}.a", 2))
    assert ghent.arrived() == [("a", 1)]


def test_a_member_who_left_the_group_is_still_asked_to_drop_what_it_read(world: Any) -> None:
    antwerp, ostend, ghent = nodes = [world.node(name) for name in ("Antwerp", "Ostend", "Ghent")]
    everyone = frozenset(each.id for each in nodes)
    group = Group(id="coast", name="Coast", owner=antwerp.id, members=everyone)
    world.acquaint(nodes, world.papers(nodes, groups=(group,)))
    label = antwerp.label(sharing_group("coast"))
    antwerp.share("a", BODY, handling=label)
    for each in (ostend, ghent):
        each.wait_for(ObjectArrived)
    smaller = world.papers(nodes, groups=(replace(group, members=everyone - {ghent.id}, epoch=2),))
    antwerp.clock.shift = timedelta(seconds=1)
    world.acquaint(nodes, smaller[-1:])
    antwerp.wait_for(LaneClosed)
    antwerp.share("b", handling=label)
    ostend.wait_for(ObjectArrived, 2)
    _back(antwerp, "a")
    confirmed = antwerp.wait_for(RecallConfirmed, 2)
    assert {each.by for each in confirmed} == {ostend.id, ghent.id}
    assert ghent.arrived() == [("a", 1)]


def test_an_ended_agreement_does_not_keep_a_recall_from_coming(world: Any) -> None:
    nodes = [world.node(name) for name in ("Antwerp", "Ostend")]
    world.acquaint(nodes, world.papers(nodes, days=1))
    antwerp, ostend = nodes
    antwerp.share("a", BODY)
    ostend.wait_for(ObjectArrived)
    antwerp.until(lambda: _acked(antwerp))
    for each in nodes:
        each.clock.shift = timedelta(days=2)
    _back(antwerp, "a")
    antwerp.wait_for(RecallConfirmed)
    assert _body(ostend, f"{antwerp.id}.a") is None


def test_only_the_origin_takes_back(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("a", BODY)
    ostend.wait_for(ObjectArrived)
    with pytest.raises(NotFound):
        _back(ostend, f"{antwerp.id}.a")
    with pytest.raises(NotFound):
        _back(ostend, "a")


def test_what_may_no_longer_be_kept_is_dropped_on_both_sides(world: Any) -> None:
    antwerp, ostend = world.network(2)
    short = replace(antwerp.label(), retain_until=antwerp.clock() + timedelta(hours=1))
    antwerp.share("a", BODY, handling=short)
    ostend.wait_for(ObjectArrived)
    for each in (antwerp, ostend):
        each.clock.shift = timedelta(hours=2)
        assert receipts.expire_overdue(each.parts.peers) == 1
    assert _body(antwerp, "a") is None
    assert _body(ostend, f"{antwerp.id}.a") is None


def test_receipts_nobody_asked_for_are_counted_and_change_nothing(world: Any) -> None:
    antwerp, ostend = world.network(2)
    antwerp.share("a", BODY)
    ostend.wait_for(ObjectArrived)
    _back(antwerp, "a")
    antwerp.wait_for(RecallConfirmed)
    with antwerp.site.store.reading() as view:
        (ours,) = recall_tables.own_recalls(view)
        assert set(recall_tables.receipts_of(view, [ours.id])[ours.id]) == {ostend.id}
    text = ReceiptText(recall="ab" * 16, by=ostend.id, done_at=ostend.clock(), removed=1, backups_until=ostend.clock())
    body = msgspec.json.encode(Receipts([sign_receipt(text, ostend.site.identity)]))
    member = ostend.parts.peers.network().find("Antwerp")
    answer = world.run(calls.call(ostend.parts.peers, member, "POST", "/p2p/v1/receipts", body))
    assert answer.status == 204
    assert antwerp.site.counters.get("sharing.refused.unasked-receipt") == 1
    assert len(antwerp.facts(RecallConfirmed)) == 1


def test_a_receipt_in_anothers_name_is_refused(world: Any) -> None:
    antwerp, ostend = world.network(2)
    text = ReceiptText(recall="ab" * 16, by=antwerp.id, done_at=ostend.clock(), removed=1, backups_until=ostend.clock())
    body = msgspec.json.encode(Receipts([sign_receipt(text, ostend.site.identity)]))
    member = ostend.parts.peers.network().find("Antwerp")
    answer = world.run(calls.call(ostend.parts.peers, member, "POST", "/p2p/v1/receipts", body))
    assert answer.status == 400


def _acked(node: Any) -> bool:
    """Whether anybody has confirmed something other than membership."""
    with node.site.store.reading() as view:
        return any(
            each.sequence and tables.find_lane(view, each.lane).lane.audience != NETWORK
            for each in ack_tables.all_acks(view)
        )


def test_a_recall_that_overtakes_its_object_is_remembered_until_that_comes(victim: Any, forger: Any) -> None:
    """The page was under way already: with the content that its origin has destroyed since."""
    node, liar = victim
    late, urgent = forger(liar, liar.label()), forger(liar, liar.label())
    urgent.lane = replace(urgent.lane, urgency=Class.FLASH)
    first, second = late.entry("a"), late.entry("b")
    said = Recall(id="ab" * 16, lane=late.lane.id.hex(), entries=[1], reason=Why.MISTAKE)
    intake = node.parts.connector._intake
    recalled = urgent.entry("", op=Op.WITHDRAW, raw=encode(said))
    for line in (urgent.opening(), urgent.page(recalled), late.opening(), late.page(first, second)):
        message = wire.decode(line.strip())
        (intake.meet if isinstance(message, wire.LaneLine) else intake.apply)(liar.id, message)
    assert node.arrived() == [("b", 1)]
    with node.site.store.reading() as view:
        assert view.body(f"{liar.id}.a", 1) is None
        assert view.body(*entry_key(late.lane.id, 1)) is None
        assert view.body(*entry_key(late.lane.id, 2)) is not None
