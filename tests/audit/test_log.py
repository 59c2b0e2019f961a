"""The log of one node: what goes in, how it grows, restarts and forgets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from audit_kit import Keeper

from port2port import web
from port2port.capability import core_facts
from port2port.core.errors import BadInput
from port2port.core.fact import audited_facts
from port2port.sharing import capability
from port2port.sharing.audit import checkpoint, log, merkle, note, tables
from port2port.sharing.audit.merkle import Frontier, leaf_hash
from port2port.sharing.audit.record import entry_of, read_record
from port2port.sharing.facts import AuditErased, AuditForked, PeerConnected
from port2port.store import Store, open_store
from port2port.store.identity import public_bytes
from port2port.testing.postgres import NoServer, postgres_server
from port2port.web.facts import SignedOut


def test_each_audited_fact_is_one_entry_and_nothing_else_is(keeper: Keeper) -> None:
    keeper.record(3)
    keeper.invite()
    keeper.read()
    with keeper.site.store.reading() as view:
        kinds = [each.kind for each in tables.all_leaves(view)]
    assert kinds == ["SignedIn", "SignedIn", "SignedIn", "MemberInvited"]


def test_telemetry_and_signing_out_are_not_audited() -> None:
    assert not {SignedOut, PeerConnected} & set(audited_facts())


def test_a_leaf_is_a_salted_hash_of_the_record(keeper: Keeper) -> None:
    keeper.grow(2)
    with keeper.site.store.reading() as view:
        one, two = tables.all_leaves(view)
    assert one.salt is not None
    assert one.record is not None
    assert one.salt != two.salt
    assert one.entry == entry_of(one.salt, one.record)
    record = read_record(one.record)
    assert record is not None
    assert record.values()["account"] == "someone-0"
    assert record.number == 2


def test_the_root_is_the_same_however_the_entries_came(keeper: Keeper) -> None:
    for count in (1, 2, 250, 3, 700, 0, 60):
        keeper.grow(count)
    frontier = Frontier()
    with keeper.site.store.reading() as view:
        for leaf in tables.all_leaves(view):
            frontier.append(leaf_hash(leaf.entry))
    assert keeper.root() == frontier.root()
    assert keeper.size() == 1016


def test_any_entry_can_be_proven_to_stand_in_the_log(keeper: Keeper) -> None:
    keeper.grow(600)
    with keeper.site.store.reading() as view:
        for place in (0, 255, 256, 511, 599):
            proof = log.inclusion(view, place, 600)
            entry = tables.entries(view, place, place + 1)[0]
            assert merkle.is_included(leaf_hash(entry), place, 600, proof, keeper.root())


class PowerCut(Exception):
    """Everything not committed is gone."""


def begin_a_page_and_fail(keeper: Keeper) -> None:
    reader, store = keeper.parts.reader(), keeper.site.store
    page = store.read(0, 300, {each.kind() for each in reader.facts})
    with store.transaction() as tx:
        reader.handle(tx, page)
        tx.move_cursor(reader.name, page[-1].number)
        raise PowerCut


def test_a_crash_between_two_pages_loses_and_doubles_nothing(keeper: Keeper) -> None:
    keeper.record(700)
    with pytest.raises(PowerCut):
        begin_a_page_and_fail(keeper)
    assert keeper.size() == 0
    keeper.read()
    assert keeper.size() == 700
    assert keeper.verify().problems == []


def test_a_node_that_starts_again_goes_on_where_it_was(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/node.db"
    first = Keeper(1, url)
    first.grow(300)
    root = first.root()
    first.close()
    second = Keeper(1, url)
    second.grow(10)
    assert second.size() == 310
    assert second.root(300) == root
    assert second.verify().problems == []
    second.close()


def test_a_checkpoint_is_made_when_there_is_something_new_and_not_too_often(keeper: Keeper) -> None:
    keeper.record(1)
    keeper.read()
    for _ in range(5):
        keeper.record(1)
        keeper.read()
    with keeper.site.store.reading() as view:
        assert [each.size for each in tables.all_checkpoints(view)] == [1]
    keeper.clock.step(timedelta(seconds=6))
    keeper.record(1)
    keeper.read()
    assert keeper.checkpoint().size == 7
    assert keeper.checkpoint().size == 7
    with keeper.site.store.reading() as view:
        assert [each.size for each in tables.all_checkpoints(view)] == [1, 7]


def test_a_checkpoint_is_a_note_that_any_tool_can_check(keeper: Keeper) -> None:
    keeper.grow(5)
    signed = note.decode(keeper.checkpoint().note)
    key = note.read_vkey(checkpoint.log_key(keeper.id, public_bytes(keeper.site.identity)).vkey())
    assert note.verified(signed, [key]) == [key]
    said = checkpoint.read(signed.text)
    assert (said.origin, said.size, said.root) == (f"port2port/{keeper.id}", 5, keeper.root())


def test_erasing_content_keeps_the_tree_and_is_itself_recorded(keeper: Keeper) -> None:
    keeper.grow(20)
    root = keeper.root(20)
    with keeper.site.store.transaction() as tx:
        assert keeper.parts.log.erase(tx, [3, 7], "asked by the person", "officer") == 2
    keeper.read()
    with keeper.site.store.reading() as view:
        third = list(tables.all_leaves(view))[3]
    assert third.salt is None
    assert third.record is None
    assert keeper.root(20) == root
    report = keeper.verify()
    assert (report.problems, report.erased, report.size) == ([], 2, 21)
    assert keeper.facts(AuditErased)[0].entries == (3, 7)


def test_who_erased_cannot_be_erased(keeper: Keeper) -> None:
    keeper.grow(3)
    for places in ([0], [3]):
        with keeper.site.store.transaction() as tx:
            keeper.parts.log.erase(tx, places, "why", "officer")
        keeper.read()
    assert keeper.verify().erased == 1
    assert len(keeper.facts(AuditErased)) == 1


def test_nothing_can_be_erased_ahead_of_its_time(keeper: Keeper) -> None:
    keeper.grow(3)
    with keeper.site.store.transaction() as tx:
        assert keeper.parts.log.erase(tx, [0, 7, 8], "why", "officer") == 1
    keeper.grow(10)
    assert keeper.facts(AuditErased)[0].entries == (0,)
    keeper.sql("UPDATE sharing_audit_leaf SET salt = NULL, record = NULL WHERE place = 7")
    assert keeper.verify().problems == ["The content of entry 7 is gone, and no entry says who erased it."]


def test_erased_content_is_in_no_file_of_the_node(tmp_path: Path) -> None:
    keeper = Keeper(1, f"sqlite:///{tmp_path}/node.db")
    keeper.record(1, name="the-journal-keeps-this")
    keeper.read()
    with keeper.site.store.reading() as view:
        salt = next(tables.all_leaves(view)).salt
    assert salt is not None
    with keeper.site.store.transaction() as tx:
        keeper.parts.log.erase(tx, [0], "asked", "officer")
    keeper.close()
    files = [each.read_bytes() for each in tmp_path.iterdir()]
    assert sum(map(len, files)) > 10_000
    assert not any(salt in data for data in files)


def test_erasing_needs_a_reason(keeper: Keeper) -> None:
    keeper.grow(1)
    with pytest.raises(BadInput), keeper.site.store.transaction() as tx:
        keeper.parts.log.erase(tx, [0], "", "officer")


def test_a_log_that_was_rewritten_is_not_signed_any_more(keeper: Keeper) -> None:
    keeper.grow(10)
    before = keeper.checkpoint()
    keeper.sql("UPDATE sharing_audit_leaf SET entry = :other WHERE place = 2", other=bytes(32))
    keeper.grow(10)
    assert keeper.checkpoint() == before
    keeper.grow(1)
    assert [each.node_id for each in keeper.facts(AuditForked)] == [keeper.id]


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[Store]:
    """Our tables in a PostgreSQL server of our own. Absent: skipped, or failed where PORT2PORT_REQUIRE_SERVERS=1."""
    try:
        with postgres_server() as server:
            store = open_store(
                server.emptied(), [*core_facts(), *web.FACTS, *capability.facts], keys=tmp_path / "node.keys"
            )
            store.migrate(capability.name, capability.folder / "migrations")
            yield store
            store.close()
    except NoServer as error:
        if os.environ.get("PORT2PORT_REQUIRE_SERVERS") == "1":
            raise
        pytest.skip(str(error))


@pytest.mark.postgres
def test_it_is_the_same_on_postgresql(on_postgres: Store) -> None:
    keeper = Keeper(1, store=on_postgres)
    keeper.record(700)
    assert on_postgres.wait(1_399, 10.0) == 1_400
    keeper.read()
    assert keeper.checkpoint().size == 700
    with on_postgres.transaction() as tx:
        assert keeper.parts.log.erase(tx, [3], "asked", "officer") == 1
    assert on_postgres.wait(1_400, 10.0) == 1_401
    keeper.read()
    report = keeper.verify()
    assert (report.problems, report.size, report.erased) == ([], 701, 1)
    keeper.sql("UPDATE sharing_audit_leaf SET entry = :other WHERE place = 2", other=bytes(32))
    assert keeper.verify().count > 0
