"""Nodes confirm each other's logs, and find out who rewrites or tells two stories."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from audit_kit import Keeper, acquaint
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.alert import AlertRaised
from port2port.core.errors import DecodeError
from port2port.sharing.audit import checkpoint, log, note, status, tables, witness
from port2port.sharing.audit.witness import Request, read_proof, read_request, read_seen
from port2port.sharing.facts import AuditForked

Network = Callable[[int], list[Keeper]]


def request(keeper: Keeper, old: int, size: int | None = None) -> bytes:
    made = keeper.checkpoint()
    with keeper.site.store.reading() as view:
        made = made if size is None else tables.checkpoint_at(view, size) or made
        proof = log.consistency(view, old, made.size)
    return Request(old, tuple(proof), note.decode(made.note)).encode()


def cosign(by: Keeper, of: Keeper, body: bytes) -> int:
    return by.answer(of.id, "POST", "/p2p/v1/audit/cosign", body).status


def confirmed(keeper: Keeper) -> tuple[int, int]:
    """Size, and by how many."""
    with keeper.site.store.reading() as view:
        now = status.read(view, keeper.id, len(keeper.reach))
    return now.confirmed_size, len(now.confirmed_by)


def test_a_checkpoint_is_final_with_three_confirmations(network: Network) -> None:
    nodes = network(5)
    nodes[0].grow(10)
    assert confirmed(nodes[0]) == (0, 0)
    nodes[0].round()
    size = nodes[0].checkpoint().size
    assert confirmed(nodes[0]) == (size, 3)
    report = nodes[0].verify()
    assert (report.problems, report.confirmed_size, len(report.witnesses)) == ([], size, 3)


@pytest.mark.parametrize("count", [2, 3])
def test_in_a_small_network_all_partners_are_enough(network: Network, count: int) -> None:
    nodes = network(count)
    nodes[0].grow(10)
    nodes[0].round()
    assert confirmed(nodes[0]) == (nodes[0].checkpoint().size, count - 1)


def test_a_node_alone_is_confirmed_by_nobody(keeper: Keeper) -> None:
    keeper.grow(10)
    keeper.round()
    assert confirmed(keeper) == (0, 0)
    assert keeper.verify().problems == []


def test_a_partner_that_is_away_is_replaced_by_another(network: Network) -> None:
    nodes = network(5)
    nodes[0].grow(10)
    away = nodes[1].id
    nodes[0].reach = {node: each for node, each in nodes[0].reach.items() if node != away}
    nodes[0].round()
    with nodes[0].site.store.reading() as view:
        witnesses = {each.witness for each in tables.all_cosignatures(view)}
    assert len(witnesses) == 3
    assert away not in witnesses


def test_round_after_round_the_log_grows_and_stays_confirmed(network: Network) -> None:
    nodes = network(4)
    for count in (1, 300, 7, 0, 600):
        for each in nodes:
            each.grow(count)
        for each in nodes:
            each.round()
    for each in nodes:
        assert confirmed(each) == (each.checkpoint().size, 3)
        assert each.verify().problems == []
        assert not each.facts(AuditForked)


def test_a_partner_that_forgot_where_it_was_is_told_by_the_witness(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    first.round()
    first.sql("DELETE FROM sharing_audit_cosignature")
    first.grow(10)
    first.round()
    assert confirmed(first) == (first.checkpoint().size, 1)
    assert second.site.counters.get("sharing.refused.audit-not-where-we-are") == 1


def test_the_answers_are_those_of_the_standard(network: Network) -> None:
    first, second, third = network(3)
    first.grow(10)
    assert cosign(second, first, request(first, 3)) == 409, "we confirmed nothing yet"
    assert cosign(second, third, request(first, 0)) == 404, "another's log"
    assert cosign(second, first, b"nonsense") == 400
    unsigned = request(first, 0).partition("—".encode())[0] + "— other AAAAAAA=\n".encode()
    assert cosign(second, first, unsigned) == 403
    broken = request(first, 0)
    assert cosign(second, first, broken[:-10] + b"AAAAAAA==\n") in (400, 403)
    assert cosign(second, first, request(first, 0)) == 200
    assert cosign(second, first, request(first, first.checkpoint().size)) == 200, "the same again is confirmed again"
    size = first.checkpoint().size
    with first.site.store.reading() as view:
        small = tables.all_checkpoints(view)[0]
    first.grow(10)
    backwards = Request(size + 1, (), note.decode(small.note)).encode()
    assert cosign(second, first, backwards) == 400
    answer = second.answer(first.id, "POST", "/p2p/v1/audit/cosign", request(first, 3))
    assert (answer.status, answer.body, answer.content_type) == (409, b"%d\n" % size, "text/x.tlog.size")
    assert not second.facts(AuditForked)


def test_a_wrong_first_request_is_refused_and_accuses_nobody(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    signed = note.decode(first.checkpoint().note)
    assert cosign(second, first, Request(0, (bytes(32),), signed).encode()) == 422
    assert not second.facts(AuditForked)
    assert cosign(second, first, request(first, 0)) == 200


def test_another_root_for_a_size_that_was_confirmed_is_a_contradiction_whatever_came_with_it(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    assert cosign(second, first, request(first, 0)) == 200
    rewrite(first)
    assert cosign(second, first, request(first, 0)) == 422
    assert [each.node_id for each in second.facts(AuditForked)] == [first.id]


def test_a_node_restored_from_a_backup_is_noticed_and_can_be_accepted(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    first.round()
    backup = first.checkpoint().size
    first.grow(10)
    first.round()
    first.sql(f"DELETE FROM sharing_audit_leaf WHERE place >= {backup}")
    first.sql(f"DELETE FROM sharing_audit_checkpoint WHERE size > {backup}")
    first.sql(f"DELETE FROM sharing_audit_cosignature WHERE size > {backup}")
    first.grow(30)
    first.round()
    assert [each.node_id for each in second.facts(AuditForked)] == [first.id]
    with second.site.store.transaction() as tx:
        tables.forget_seen(tx, first.id)
    first.grow(5)
    first.round()
    assert confirmed(first) == (first.checkpoint().size, 1)


def test_a_stranger_is_confirmed_by_nobody(network: Network) -> None:
    nodes = network(2)
    stranger = Keeper(6)
    stranger.grow(5)
    assert cosign(nodes[0], stranger, request(stranger, 0)) == 403
    stranger.close()


def rewrite(keeper: Keeper) -> None:
    """The administrator's work: another entry at place 3, everything that tells of it gone."""
    keeper.sql("UPDATE sharing_audit_leaf SET entry = :other WHERE place = 3", other=bytes(32))
    keeper.sql("DELETE FROM sharing_audit_checkpoint")


def test_a_rewritten_log_is_refused_and_becomes_an_alert_once(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    first.round()
    size = first.checkpoint().size
    rewrite(first)
    first.grow(5)
    for _ in range(3):
        first.round()
        first.grow(1)
    forked = second.facts(AuditForked)
    assert [(each.node_id, each.name, each.size) for each in forked] == [(first.id, "Antwerp", size)]
    assert [each.subject for each in second.facts(AlertRaised)] == [f"audit:{first.id}"]
    assert confirmed(first)[0] in (0, size)


def test_who_rewrote_its_log_hears_of_it_from_partners(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    first.round()
    rewrite(first)
    first.grow(5)
    first.round()
    assert [each.node_id for each in first.facts(AuditForked)] == [first.id]
    assert second.id == first.facts(AuditForked)[0].witness


def test_a_log_that_was_cut_short_is_found_by_the_partner_that_looks(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    first.grow(10)
    first.round()
    first.sql("DELETE FROM sharing_audit_leaf WHERE place > 12")
    first.sql("DELETE FROM sharing_audit_checkpoint")
    first.sql("DELETE FROM sharing_audit_cosignature")
    first.checkpoint()
    second.round()
    assert [each.node_id for each in second.facts(AuditForked)] == [first.id]


def test_a_log_that_tells_two_partners_two_stories_is_found_out(network: Network) -> None:
    liar, one, two = network(3)
    double = Keeper(1)
    acquaint_like(double, [liar, one, two])
    liar.lies = lambda caller, path: double if caller == two.id else None
    liar.grow(10)
    double.grow(10)
    assert cosign(one, liar, request(liar, 0)) == 200
    assert cosign(two, double, request(double, 0)) == 200
    one.round()
    assert [each.node_id for each in one.facts(AuditForked)] == [liar.id]
    assert one.facts(AuditForked)[0].witness == two.id
    double.close()


def test_two_stories_of_different_length_are_found_out_too(network: Network) -> None:
    liar, one, two = network(3)
    double = Keeper(1)
    acquaint_like(double, [liar, one, two])
    liar.lies = lambda caller, path: double if caller == two.id else None
    liar.grow(10)
    double.grow(17)
    assert cosign(one, liar, request(liar, 0)) == 200
    assert cosign(two, double, request(double, 0)) == 200
    two.round()
    assert [each.node_id for each in two.facts(AuditForked)] == [liar.id]
    double.close()


def acquaint_like(double: Keeper, nodes: list[Keeper]) -> None:
    acquaint([double, *nodes[1:]])
    for each in nodes[1:]:
        each.reach = {other.id: other for other in nodes if other is not each}


def test_an_owner_that_cannot_be_asked_is_not_accused(network: Network) -> None:
    first, one, two = network(3)
    first.grow(10)
    assert cosign(one, first, request(first, 0)) == 200
    first.grow(10)
    assert cosign(two, first, request(first, 0)) == 200
    one.reach = {two.id: two}
    one.round()
    assert not one.facts(AuditForked)


def test_after_a_contradiction_nothing_is_confirmed_until_a_person_accepts(network: Network) -> None:
    first, second = network(2)
    first.grow(10)
    first.round()
    rewrite(first)
    first.grow(5)
    first.round()
    first.grow(5)
    assert cosign(second, first, request(first, 0)) == 409
    with second.site.store.transaction() as tx:
        assert tables.forget_seen(tx, first.id)
    assert cosign(second, first, request(first, 0)) == 200


def test_partners_see_hashes_and_never_a_record(network: Network) -> None:
    first, second = network(2)
    first.record(20, name="jan-peeters")
    first.read()
    first.round()
    second.round()
    paths = ("checkpoint", "seen", "proof?old=5&size=20")
    said = b"".join(first.answer(second.id, "GET", f"/p2p/v1/audit/{path}").body for path in paths)
    said += second.answer(first.id, "GET", "/p2p/v1/audit/seen").body + request(first, 0)
    assert len(said) > 500
    assert b"jan-peeters" not in said
    assert b"SignedIn" not in said


@pytest.mark.parametrize("query", ["", "old=1", "old=-1&size=2", "old=1&size=x", "old=1&size=" + "9" * 40])
def test_a_proof_is_asked_for_with_two_sizes(network: Network, query: str) -> None:
    first, second = network(2)
    first.grow(5)
    with pytest.raises(DecodeError):
        first.answer(second.id, "GET", f"/p2p/v1/audit/proof?{query}")


def test_a_proof_that_does_not_exist_is_not_given(network: Network) -> None:
    first, second = network(2)
    first.grow(5)
    for query in ("old=3&size=2", "old=1&size=999999"):
        assert first.answer(second.id, "GET", f"/p2p/v1/audit/proof?{query}").status == 422


def test_a_wrong_confirmation_is_not_kept(network: Network) -> None:
    first, second = network(2)
    first.grow(5)
    newest = first.checkpoint()
    member = first.parts.rounds.others()[0]
    other = checkpoint.cosign("another\n1\nx\n", checkpoint.origin_of(second.id), second.site.identity, second.clock())
    for line in (other.line().encode(), b"", b"\xff\n", b"nonsense\n"):
        assert not first.parts.rounds._keep(newest, member, line)
    assert confirmed(first) == (0, 0)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
def test_any_bytes_are_a_request_proof_or_list_or_are_refused(data: bytes) -> None:
    for whole in (data, b"old 5\n" + data, b"old 0\n\n" + data, b"12\n" + data):
        for read in (read_request, read_proof, read_seen):
            try:
                read(whole)
            except DecodeError:
                continue


def test_a_request_is_written_back_the_same(network: Network) -> None:
    first, _ = network(2)
    first.grow(9)
    body = request(first, 4)
    assert read_request(body).encode() == body
    assert len(read_request(body).proof) > 0
    assert witness.proof_text(()) == ""
