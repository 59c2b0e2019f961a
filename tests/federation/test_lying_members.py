"""A member with a valid key that lies: what it sends never becomes visible, never blocks others, and is said."""

from __future__ import annotations

import asyncio
import ssl
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.core.exchange import ObjectArrived
from port2port.core.handling import all_members, named_nodes
from port2port.sharing import message_signatures, service, trust, wire
from port2port.sharing.entry import Op
from port2port.sharing.facts import LaneStopped, ObjectPublished, ObjectRefused


def _refused(node: Any, count: int = 1) -> dict[str, int]:
    return {each.reason: each.count for each in node.wait_for(ObjectRefused, count)}


def test_an_honest_page_of_the_same_making_is_accepted(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    liar.says = [forged.opening(), forged.page(forged.entry("a"), forged.entry("b"))]
    node.wait_for(ObjectArrived, 2)
    assert node.arrived() == [("a", 1), ("b", 1)]


def test_a_wrong_signature_stops_the_connection_and_nothing_is_seen(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label(), Ed25519PrivateKey.generate())
    liar.says = [forged.opening(), forged.page(forged.entry("a"))]
    (stopped,) = node.wait_for(LaneStopped)
    assert (stopped.reason, stopped.sequence) == ("wrong-signature", 0)
    assert node.arrived() == []


def test_a_gap_stops_the_connection_at_the_last_right_entry(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    liar.says = [forged.opening(), forged.page(forged.entry("a")), forged.page(forged.entry("c", skip=1))]
    (stopped,) = node.wait_for(LaneStopped)
    assert (stopped.reason, stopped.sequence) == ("gap", 1)
    assert node.arrived() == [("a", 1)]


def test_content_that_differs_from_what_was_signed_stops_the_connection(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    entry = forged.entry("a")
    liar.says = [forged.opening(), forged.page(replace(entry, body=entry.body.replace(b'"a"', b'"b"')))]
    (stopped,) = node.wait_for(LaneStopped)
    assert stopped.reason == "wrong-content"
    assert node.arrived() == []


def test_a_repeated_page_changes_nothing(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    page = forged.page(forged.entry("a"))
    liar.says = [forged.opening(), page, page, page, forged.page(forged.entry("b")), page]
    node.wait_for(ObjectArrived, 2)
    liar.world.nodes[0].until(lambda: liar.acks and liar.acks[-1].acks[0].seq == 2)
    assert node.arrived() == [("a", 1), ("b", 1)]
    assert node.facts(LaneStopped) == []


def test_a_second_history_is_a_fork_and_stops_the_connection(victim: Any, forger: Any) -> None:
    node, liar = victim
    first, second = forger(liar, liar.label()), forger(liar, liar.label())
    liar.says = [first.opening(), first.page(first.entry("a")), second.page(second.entry("other"), second.entry("b"))]
    (stopped,) = node.wait_for(LaneStopped)
    assert (stopped.reason, stopped.sequence) == ("fork", 1)
    assert node.arrived() == [("a", 1)]


def test_a_page_without_end_is_cut_off_without_growing(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    tracemalloc.start()
    try:
        liar.endless = b"x" * (1 << 20)
        liar.says = [forged.opening()]
        node.until(lambda: node.site.counters.get("sharing.refused.line-too-long"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert liar.sent_bytes < 64 << 20
    assert peak < 24 << 20


def test_another_origins_object_is_refused_and_what_follows_still_arrives(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    stolen = forged.entry("stolen", origin=node.id)
    label = forged.entry("label", handling=replace(forged.handling, origin=node.id))
    liar.says = [forged.opening(), forged.page(stolen, label, forged.entry("own"))]
    assert _refused(node) == {"not-its-origin": 2}
    assert node.arrived() == [("own", 1)]


def test_an_id_of_ours_in_anothers_mouth_touches_nothing_of_ours(victim: Any, forger: Any) -> None:
    node, liar = victim
    node.share("incident-1", b'{"ours":true}')
    node.wait_for(ObjectPublished)
    forged = forger(liar, liar.label())
    liar.says = [forged.opening(), forged.page(forged.entry("incident-1"))]
    (arrived,) = node.wait_for(ObjectArrived)
    assert arrived.object_id == f"{liar.id}.incident-1"
    with node.site.store.reading() as view:
        assert view.body("incident-1", 1) == b'{"ours":true}'
    assert node.site.counters.get("sharing.same-id-at-two-origins") == 1


def test_a_label_inside_that_is_wider_than_the_connection_is_refused(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label(named_nodes(node.id)))
    liar.says = [forged.opening(), forged.page(forged.entry("a", handling=liar.label(all_members())))]
    assert _refused(node) == {"handling-differs": 1}
    assert node.arrived() == []


def test_what_is_not_meant_for_us_is_refused_though_the_sender_sent_it(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label(named_nodes("e" * 64)))
    liar.says = [forged.opening(), forged.page(forged.entry("a"))]
    assert _refused(node) == {"not-in-audience": 1}
    assert node.arrived() == []


def test_the_same_version_with_other_bytes_is_refused(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    changed = msgspec.Raw(b'{"id":"a","changed":true}')
    entries = [forged.entry("a"), forged.entry("a", object=changed), forged.entry("a")]
    liar.says = [forged.opening(), forged.page(*entries)]
    assert _refused(node) == {"changed-without-new-version": 1}
    assert node.arrived() == [("a", 1)]


def test_operations_we_do_not_know_are_counted_and_passed(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, liar.label())
    liar.says = [forged.opening(), forged.page(forged.entry("x", op=Op.KEY), forged.entry("a"))]
    node.wait_for(ObjectArrived)
    assert _refused(node) == {"unknown-operation": 1}
    node.until(lambda: liar.acks and liar.acks[-1].acks[0].refused == {"unknown-operation": 1})


def test_an_expired_agreement_releases_nothing_at_the_receiver(world: Any, liar_of: Any, forger: Any) -> None:
    node = world.node("Antwerp")
    liar = liar_of(world).start(node)
    world.acquaint_with_liar(node, liar, ends=datetime.now(UTC) - timedelta(minutes=1))
    forged = forger(liar, liar.label())
    liar.says = [forged.opening(), forged.page(forged.entry("a"))]
    assert _refused(node) == {"agreement-not-valid": 1}


def test_an_expired_agreement_releases_nothing_at_the_origin(world: Any, liar_of: Any) -> None:
    node = world.node("Antwerp")
    liar = liar_of(world).start(node)
    world.acquaint_with_liar(node, liar, ends=node.clock() + timedelta(hours=1))
    node.share("a")
    (published,) = node.wait_for(ObjectPublished)
    path = f"/p2p/v1/lanes/{published.lane}/entries?after=0"
    assert liar.get(node, path)[0] == 200
    node.clock.shift = timedelta(hours=2)  # less than the life of a certificate, which would be renewed in between
    assert liar.get(node, path)[0] == 404


def test_not_entitled_and_not_there_are_the_same_bytes(world: Any, liar_of: Any) -> None:
    node, ostend = world.network(2)
    liar = liar_of(world, "Ghent", 91).start(node)
    world.acquaint_with_liar(node, liar, id="agreement-other")
    node.share("secret", handling=node.label(named_nodes(ostend.id)))
    (published,) = node.wait_for(ObjectPublished)
    absent = liar.get(node, f"/p2p/v1/lanes/{'0' * 32}/entries?after=0")
    assert absent[0] == 404
    for path in (f"/p2p/v1/lanes/{published.lane}/entries?after=0", "/p2p/v1/lanes/zz/entries", "/p2p/v1/snapshot"):
        assert liar.get(node, path) == absent
    status, lanes = liar.get(node, "/p2p/v1/lanes")
    assert status == 200
    assert published.lane.encode() not in lanes


def test_a_cursor_that_is_not_in_the_log_is_a_fork(victim: Any) -> None:
    node, liar = victim
    node.share("a")
    (published,) = node.wait_for(ObjectPublished)
    base = f"/p2p/v1/lanes/{published.lane}/entries?after="
    assert liar.get(node, base + "1:" + "ab" * 32)[0] == 409
    assert liar.get(node, base + "7:" + "ab" * 32)[0] == 409
    assert liar.get(node, base + "nonsense")[0] == 400


def test_a_revoked_member_reads_nothing_at_its_next_request(victim: Any) -> None:
    node, liar = victim
    context = liar.client(node)
    assert liar.get(node, "/p2p/v1/lanes", context)[0] == 200
    service.revoke(node.site, node.parts.peers.book, liar.name)
    try:
        status, body = liar.get(node, "/p2p/v1/lanes", context)
    except aiohttp.ClientError:  # the listener has its new roster already: no handshake
        return
    assert status == 404
    assert b"lane" not in body


def test_a_revoked_member_loses_a_connection_it_has_open(victim: Any) -> None:
    node, liar = victim

    async def read_while_revoked() -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=liar.client(node))) as session,
            session.get(f"https://{node.address}/p2p/v1/stream?class=flash") as answer,
        ):
            assert (await answer.content.readline()).startswith(b'{"type":"beat"')
            await asyncio.to_thread(service.revoke, node.site, node.parts.peers.book, liar.name)
            rest = await answer.content.read()
            async with session.get(f"https://{node.address}/p2p/v1/lanes") as again:
                return again.status, rest

    status, rest = liar.world.run(read_while_revoked())
    assert status == 404
    assert b"page" not in rest


def test_a_certificate_of_a_stranger_is_refused_in_the_handshake(victim: Any) -> None:
    node, liar = victim
    stranger = Ed25519PrivateKey.generate()
    leaf = trust.issue_leaf(liar.id, stranger, datetime.now(UTC))
    with pytest.raises(aiohttp.ClientError):
        liar.get(node, "/p2p/v1/node", liar.client(node, leaf))


def test_no_certificate_and_tls_1_2_are_refused_in_the_handshake(victim: Any) -> None:
    node, liar = victim
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname = False
    bare.verify_mode = ssl.CERT_NONE
    with pytest.raises(aiohttp.ClientError):
        liar.get(node, "/p2p/v1/node", bare)
    old = liar.client(node)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(aiohttp.ClientError):
        liar.get(node, "/p2p/v1/node", old)


def test_who_asks_too_often_is_told_when_to_come_back(victim: Any, liar_of: Any) -> None:
    node, liar = victim

    async def hammer() -> tuple[int, str]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=liar.client(node))) as session:
            for _ in range(400):
                async with session.get(f"https://{node.address}/p2p/v1/node") as answer:
                    if answer.status != 200:
                        return answer.status, answer.headers["Retry-After"]
        return 200, ""

    node.parts.listener._buckets._per_second = 1.0
    node.parts.listener._buckets._most = 20.0
    assert liar.world.run(hammer()) == (429, "1")


def test_a_line_that_is_no_message_ends_the_connection_and_is_counted(victim: Any) -> None:
    node, liar = victim
    liar.says = [b'{"type":"page","lane":"00"}\n']
    node.until(lambda: node.site.counters.get("sharing.refused.malformed"))
    assert node.arrived() == []


def test_a_lane_of_another_origin_is_not_followed(victim: Any, forger: Any) -> None:
    node, liar = victim
    forged = forger(liar, replace(liar.label(), origin="c" * 64))
    liar.says = [forged.opening(), forged.page(forged.entry("a"))]
    node.until(lambda: node.site.counters.get("sharing.refused.not-its-origin"))
    assert node.arrived() == []
    assert wire.decode(forged.opening()).origin == "c" * 64


def test_the_leaf_is_renewed_after_eight_hours_without_closing_the_listener(victim: Any) -> None:
    node, liar = victim

    async def leaf() -> bytes:
        host, port = node.address.split(":")
        _, writer = await asyncio.open_connection(host, int(port), ssl=liar.client(node))
        try:
            return bytes(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        finally:
            writer.close()

    first = liar.world.run(leaf())
    assert liar.world.run(leaf()) == first
    node.clock.shift = timedelta(hours=8, minutes=1)
    node.parts.peers.pulse.wake()
    node.until(lambda: liar.world.run(leaf()) != first)
    assert trust.is_issued_by(liar.world.run(leaf()), node.parts.peers.public_key)
    assert liar.get(node, "/p2p/v1/node")[0] == 200


def test_what_changes_something_must_be_signed_by_who_sends_it(victim: Any) -> None:
    node, liar = victim
    url, body = f"https://{node.address}/p2p/v1/receipts", b'{"receipts":[]}'
    now = datetime.now(UTC)
    honest = message_signatures.sign("POST", url, body, liar.key, liar.id, now)
    elsewhere = message_signatures.sign("POST", url + "x", body, liar.key, liar.id, now)
    stranger = message_signatures.sign("POST", url, body, Ed25519PrivateKey.generate(), liar.id, now)

    async def post(headers: dict[str, str], data: bytes = body) -> int:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=liar.client(node))) as session,
            session.post(url, data=data, headers=headers) as answer,
        ):
            return answer.status

    assert liar.world.run(post({})) == 401
    assert liar.world.run(post(elsewhere)) == 401
    assert liar.world.run(post(stranger)) == 401
    assert liar.world.run(post(honest, b'{"receipts":[] }')) == 401
    assert liar.world.run(post(honest)) == 204
    assert liar.world.run(post(honest)) == 401
    counters = node.site.counters
    assert counters.get("sharing.refused.no-signature") == 1
    assert counters.get("sharing.refused.bad-signature") == 3
    assert counters.get("sharing.refused.replayed") == 1
