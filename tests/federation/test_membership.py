"""Officers, keys, leaving, groups and agreements between running nodes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from port2port.core.errors import NotAllowed
from port2port.core.exchange import ObjectArrived
from port2port.core.handling import Scope, sharing_group
from port2port.core.party import AuthorityRole
from port2port.sharing import arranging, deciding, invitation, joining, leaving, rotation, service
from port2port.sharing.book import Book
from port2port.sharing.facts import (
    KeyChanged,
    LaneStopped,
    MemberJoined,
    MemberRevoked,
    ObjectWithheld,
    OfficersChanged,
    PeerConnected,
)
from port2port.sharing.keeping_up import KeepingUp
from port2port.store.identity import load_or_create, public_bytes


def _with_key_file(world: Any, node: Any) -> None:
    """The node's key as it lies in a folder, so that it can change."""
    folder = world.folder / f"{node.name}-key"
    folder.mkdir()
    path = folder / "identity.key"
    path.touch(0o600)
    path.write_bytes(node.site.identity.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    node.site = replace(node.site, identity=load_or_create(folder), folder=folder)
    node.restart()


def _book(node: Any) -> Book:
    known: Book = node.parts.peers.book
    return known


def _network(node: Any) -> Any:
    return node.parts.peers.network()


def _settings(node: Any) -> Any:
    return replace(node.settings, listen=node.address)


def _keep_up(world: Any, node: Any, with_: Any) -> None:
    member = _network(node).members[with_.id]
    world.run(KeepingUp(node.parts.peers).ask(member))


@pytest.fixture
def three(world: Any) -> tuple[Any, Any, Any]:
    antwerp, ostend, ghent = world.network(3)
    for each in (antwerp, ostend, ghent):
        each.wait_for(PeerConnected, 2)
    return antwerp, ostend, ghent


def test_every_node_changes_its_key_under_traffic_and_nothing_is_refused(world: Any) -> None:
    nodes = [world.node(name) for name in ("Antwerp", "Ostend", "Ghent")]
    for each in nodes:
        _with_key_file(world, each)
    world.acquaint(nodes, world.papers(nodes))
    for each in nodes:
        each.wait_for(PeerConnected, 2)
    before = [public_bytes(each.site.identity) for each in nodes]
    refused = [dict(each.site.counters.all()) for each in nodes]
    for number in range(10):
        nodes[number % 3].share(f"incident-{number}")
    for each in nodes:
        rotation.rotate(each.site, _book(each), timedelta(hours=1))
    for each in nodes:
        each.wait_for(KeyChanged, 3)
    for number in range(10, 20):
        nodes[number % 3].share(f"incident-{number}")
    for each in nodes:
        each.clock.shift = timedelta(hours=2)
    for each, old in zip(nodes, before, strict=True):
        each.until(lambda each=each, old=old: public_bytes(each.site.identity) != old)
    for number in range(20, 30):
        nodes[number % 3].share(f"incident-{number}")
    for position, each in enumerate(nodes):
        expected = {f"incident-{number}" for number in range(30) if number % 3 != position}
        each.until(lambda each=each, expected=expected: {id for id, _ in each.arrived()} == expected)
        assert not each.facts(LaneStopped)
        new = {name: n for name, n in each.site.counters.all().items() if name.startswith("sharing.refused.")}
        assert new == {name: n for name, n in refused[position].items() if name.startswith("sharing.refused.")}


def test_who_was_away_during_a_change_of_key_hears_of_it_from_a_third(world: Any) -> None:
    antwerp, ostend, ghent = nodes = [world.node(name) for name in ("Antwerp", "Ostend", "Ghent")]
    _with_key_file(world, antwerp)
    world.acquaint(nodes, world.papers(nodes))
    for each in nodes:
        each.wait_for(PeerConnected, 2)
    ostend.stop()
    ostend.tasks = []
    rotation.rotate(antwerp.site, _book(antwerp), timedelta(hours=1))
    ghent.wait_for(KeyChanged)
    antwerp.clock.shift = timedelta(hours=2)
    rotation.take_up_when_due(antwerp.site, _book(antwerp))
    assert public_bytes(antwerp.site.identity) == _network(antwerp).key(antwerp.id), "the running node may be first"
    antwerp.restart()
    ostend.settings = replace(ostend.settings, listen=_network(ghent).members[ostend.id].address)
    ostend.restart()
    _keep_up(world, ostend, ghent)
    assert len(_network(ostend).keys(antwerp.id)) == 2
    antwerp.share("incident-1")
    ostend.wait_for(ObjectArrived)


def test_three_officers_decide_two_by_two_and_a_newcomer_waits_for_the_second(world: Any) -> None:
    antwerp, ostend, ghent = world.network(3)
    assert deciding.name_officers(antwerp.site, _book(antwerp), ["Antwerp", "Ostend", "Ghent"], 2) == 1
    (root,) = ostend.until(lambda: _network(ostend).pending)
    assert deciding.sign_proposal(ostend.site, _book(ostend), root.mark[:8]) == 0
    for each in (antwerp, ostend, ghent):
        each.wait_for(OfficersChanged)

    liege = world.node("Liège")
    code = service.invite(antwerp.site, _settings(antwerp), _book(antwerp))
    antwerp.parts.listener._context = antwerp.parts.listener._make_context()
    documents, network = service.read_answer(liege.site, code, _ask(world, liege, code))
    assert not network.is_member(liege.id)
    assert not antwerp.facts(MemberJoined)[3:]
    (asked,) = ghent.until(lambda: _network(ghent).pending)
    with pytest.raises(NotAllowed):
        deciding.sign_proposal(liege.site, _book(liege), asked.mark) if _network(liege).pending else _refuse()
    assert deciding.sign_proposal(ghent.site, _book(ghent), asked.mark) == 0
    antwerp.until(lambda: _network(antwerp).is_member(liege.id))
    documents, network = service.read_answer(liege.site, code, _ask(world, liege, code))
    assert network.is_member(liege.id)
    service.enter(liege.site, _book(liege), documents, ["agreement-test"])
    liege.wait_for(PeerConnected, 3)


def _refuse() -> None:
    raise NotAllowed("It does not even hear of it.")


def _ask(world: Any, node: Any, code: invitation.Code) -> bytes:
    return bytes(world.run(joining.call_inviter(node.site, _settings(node), code)))


def test_a_role_that_officers_granted_is_known_to_all(three: tuple[Any, Any, Any]) -> None:
    antwerp, ostend, ghent = three
    assert deciding.grant(antwerp.site, _book(antwerp), "Ghent", [AuthorityRole.SETS_LEVELS]) == 0
    ostend.until(lambda: AuthorityRole.SETS_LEVELS in _network(ostend).roster.parties[ghent.id].roles)
    with pytest.raises(NotAllowed, match="gives himself"):
        deciding.grant(antwerp.site, _book(antwerp), "Antwerp", [AuthorityRole.SETS_LEVELS])
    with pytest.raises(NotAllowed, match="decides nothing"):
        deciding.grant(ghent.site, _book(ghent), "Ostend", [AuthorityRole.INVITES])


def test_who_leaves_is_known_to_have_left_and_reads_nothing_more(three: tuple[Any, Any, Any]) -> None:
    antwerp, ostend, ghent = three
    leaving.leave(ostend.site, _book(ostend))
    for each in (antwerp, ghent):
        each.wait_for(MemberRevoked)
    antwerp.share("incident-1")
    ghent.wait_for(ObjectArrived)
    assert ostend.arrived() == []
    assert _network(antwerp).ended[ostend.id].by == ostend.id


def test_the_only_one_who_decides_names_others_before_it_leaves(three: tuple[Any, Any, Any]) -> None:
    antwerp, _, _ = three
    with pytest.raises(NotAllowed, match="Nobody else decides"):
        leaving.leave(antwerp.site, _book(antwerp))


def test_who_is_sent_away_is_told_by_whom_and_believes_nobody_else(world: Any, three: tuple[Any, Any, Any]) -> None:
    antwerp, ostend, ghent = three
    assert not leaving.hear_farewell(ostend.site, _book(ostend), b"[]")
    service.revoke(antwerp.site, _book(antwerp), "Ostend")
    ghent.wait_for(MemberRevoked)
    _keep_up(world, ostend, ghent)
    ostend.wait_for(MemberRevoked)
    assert _network(ostend).ended[ostend.id].by == antwerp.id


def test_a_member_that_moves_is_called_at_its_new_address(world: Any, three: tuple[Any, Any, Any]) -> None:
    antwerp, ostend, ghent = three
    elsewhere = world.silent("Brussels").address
    service.move(ostend.site, _book(ostend), elsewhere)
    for each in (antwerp, ghent):
        each.until(lambda each=each: _network(each).members[ostend.id].address == elsewhere)
    again = ostend.address
    service.move(ostend.site, _book(ostend), again)
    assert _network(ostend).members[ostend.id].address == again


def test_who_leaves_a_group_gets_nothing_more_of_it_and_its_epoch_grows(three: tuple[Any, Any, Any]) -> None:
    antwerp, ostend, ghent = three
    id = arranging.make_up_group(antwerp.site, _book(antwerp), "Coast", ["Ostend"])
    assert arranging.add_to_group(antwerp.site, _book(antwerp), "Coast", ["Ghent"]).epoch == 1
    ostend.until(lambda: ghent.id in _group(ostend, id).members)
    arranging.leave_group(ostend.site, _book(ostend), "coast")
    antwerp.until(lambda: _group(antwerp, id).epoch == 2)
    ghent.until(lambda: _group(ghent, id).epoch == 2)
    antwerp.share("incident-1", handling=antwerp.label(sharing_group(id)))
    ghent.wait_for(ObjectArrived)
    assert ostend.arrived() == []
    group = arranging.remove_from_group(antwerp.site, _book(antwerp), "Coast", ["Ghent"])
    assert (group.members, group.epoch) == ({antwerp.id}, 3)
    back = arranging.add_to_group(antwerp.site, _book(antwerp), "Coast", ["Ostend"])
    assert (back.members, back.epoch) == ({antwerp.id, ostend.id}, 3)
    with pytest.raises(NotAllowed, match="belongs to"):
        arranging.add_to_group(ostend.site, _book(ostend), id, ["Ghent"])


def _group(node: Any, id: str) -> Any:
    return _network(node).roster.groups.get(id) or arranging.Group(id=id, name="", owner="", members=frozenset())


def test_an_agreement_ended_early_releases_nothing_more(three: tuple[Any, Any, Any]) -> None:
    antwerp, ostend, ghent = three
    antwerp.share("incident-1")
    ostend.wait_for(ObjectArrived)
    arranging.end_agreement(ostend.site, _book(ostend), "Test agreement")
    antwerp.until(lambda: ostend.id in _network(antwerp).endings.get("agreement-test", {}))
    antwerp.share("incident-2")
    ghent.wait_for(ObjectArrived, 2)
    assert ostend.arrived() == [("incident-1", 1)]
    ostend.share("incident-3")
    assert ostend.wait_for(ObjectWithheld)[0].reasons == {"not-party-to-agreement": 2}
    assert antwerp.label().audience.scope is Scope.ALL_MEMBERS
