"""Audit logs confirmed over real connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from port2port.runtime import ReaderThread
from port2port.sharing.audit import status, tables, verify
from port2port.sharing.audit.running import known_keys
from port2port.sharing.facts import AuditForked, MemberInvited

if TYPE_CHECKING:
    from conftest import Node, World  # type: ignore[import-not-found]
else:
    Node = World = Any


def record(node: Node, count: int) -> None:
    now = node.clock()
    with node.site.store.transaction() as tx:
        tx.append(*(MemberInvited(at=now, invitation=str(each), name="Bruges", expires=now) for each in range(count)))


def keep_log(node: Node) -> ReaderThread:
    reader = ReaderThread(node.site.store, node.parts.audit.reader(), node.site.counters)
    reader.start()
    return reader


def size(node: Node) -> int:
    with node.site.store.reading() as view:
        return tables.size(view)


def confirmed(node: Node, partners: int) -> tuple[int, int]:
    with node.site.store.reading() as view:
        now = status.read(view, node.id, partners)
    return now.confirmed_size, len(now.confirmed_by)


def test_partners_confirm_a_log_over_their_connections(world: World) -> None:
    nodes = world.network(3)
    readers = [keep_log(each) for each in nodes]
    try:
        for each in nodes:
            record(each, 300)
        for each, reader in zip(nodes, readers, strict=True):
            each.until(lambda reader=reader: reader.behind() == 0)
        for each in nodes:
            world.run(each.parts.audit.rounds.round())
        for each in nodes:
            assert confirmed(each, 2)[1] == 2
            assert confirmed(each, 2)[0] >= 300
            assert not each.facts(AuditForked)
        with nodes[0].site.store.reading() as view:
            keys = {each.id: known_keys(nodes[0].parts.peers, view, each.id) for each in nodes}
        report = verify.verify(nodes[0].site.store, nodes[0].id, lambda node: keys[node], nodes[0].clock())
        assert (report.problems, len(report.witnesses)) == ([], 2)
    finally:
        for reader in readers:
            reader.stop()


def test_a_rewritten_log_is_refused_over_the_connection(world: World) -> None:
    nodes = world.network(2)
    reader = keep_log(nodes[0])
    try:
        record(nodes[0], 20)
        nodes[0].until(lambda: size(nodes[0]) >= 20)
        world.run(nodes[0].parts.audit.rounds.round())
        with nodes[0].site.store.transaction() as tx:
            tx.execute(tables.leaves.update().where(tables.leaves.c.place == 3).values(entry=bytes(32)))
            tx.execute(tables.checkpoints.delete())
        record(nodes[0], 5)
        nodes[0].until(lambda: size(nodes[0]) >= 25)
        world.run(nodes[0].parts.audit.rounds.round())
        assert [each.node_id for each in nodes[1].facts(AuditForked)] == [nodes[0].id]
    finally:
        reader.stop()
