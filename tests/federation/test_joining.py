"""From a code on a slip of paper to a shared object, with commands beside running nodes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from port2port.core.errors import BadInput, Conflict, Port2PortError, Unavailable
from port2port.core.exchange import ObjectArrived
from port2port.opener import DataFolder
from port2port.sharing import arranging, bootstrap, invitation, joining, knocking, service, short_code
from port2port.sharing.book import Book
from port2port.sharing.cli import network
from port2port.sharing.facts import CodeTried, MemberJoined, MemberRevoked, PeerConnected


def _folder(world: Any, node: Any) -> Path:
    """The node's folder as `port2port init` and its first start leave it."""
    folder = world.folder / f"{node.name}-folder"
    folder.mkdir()
    party = node.site.party
    roles = "[" + ", ".join(f'"{role}"' for role in party.roles) + "]"
    (folder / "port2port.toml").write_text(
        f'[node]\nname = "{party.name}"\nshort_name = "{party.short_name}"\nroles = {roles}\nstore = "{node.url}"\n'
        f'[sharing]\nlisten = "{node.address}"\n',
        encoding="utf-8",
    )
    key = folder / "identity.key"
    key.touch(0o600)
    key.write_bytes(node.site.identity.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


def _run(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(network, list(arguments), obj=DataFolder(folder), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return str(result.output)


def _invite(folder: Path, name: str) -> str:
    return _run(folder, "invite", "--for", name).splitlines()[-1]


def _open_agreement(world: Any, node: Any) -> None:
    """The first node's agreement, that every later member may sign."""
    terms = bootstrap.Agreement(**_terms(node))
    paper = bootstrap.make_agreement(terms, node.site.identity, open_to_all=True)
    service.load_documents(node.site, node.parts.peers.book, [paper])


def _terms(node: Any) -> dict[str, Any]:
    from port2port.core.handling import LegalBasis, PersonalData, Purpose

    return {
        "id": "agreement-test",
        "title": "Test agreement",
        "parties": frozenset(),
        "purposes": frozenset({Purpose.PORT_SECURITY}),
        "legal_basis": frozenset({LegalBasis.ISPS_CODE}),
        "personal_data": frozenset({PersonalData.NONE}),
        "starts": node.clock() - timedelta(days=1),
        "ends": node.clock() + timedelta(days=100),
    }


def test_three_ports_form_a_network_by_invitation_and_share(world: Any) -> None:
    antwerp, ostend, ghent = (world.node(name, on_disk=True) for name in ("Antwerp", "Ostend", "Ghent"))
    folders = [_folder(world, each) for each in (antwerp, ostend, ghent)]
    code = _invite(folders[0], "Port of Ostend")
    _open_agreement(world, antwerp)
    said = _run(folders[1], "join", code, "--accede")
    assert "Joined: 1 partner." in said
    assert "Test agreement" in said
    antwerp.wait_for(PeerConnected)
    ostend.wait_for(PeerConnected)
    _run(folders[2], "join", *_invite(folders[0], "Port of Ghent").split("-"), "--accede")
    ostend.until(lambda: {each.name for each in ostend.facts(MemberJoined)} >= {"Port of Ghent"})
    ostend.wait_for(PeerConnected, 2)
    ostend.share("incident-1")
    ghent.wait_for(ObjectArrived)
    antwerp.wait_for(ObjectArrived)
    assert "Port of Ghent" in _run(folders[1], "show")
    _run(folders[0], "revoke", "Ghent", "--yes")
    ostend.wait_for(MemberRevoked)
    ostend.share("incident-2")
    antwerp.wait_for(ObjectArrived, 2)
    assert ghent.arrived() == [("incident-1", 1)]


def _request(node: Any, code: invitation.Code) -> bytes:
    return service.request_to_join(node.site, _settings(node), code)


def _call(world: Any, node: Any, code: invitation.Code) -> bytes:
    return bytes(world.run(joining.call_inviter(node.site, _settings(node), code)))


def _settings(node: Any) -> Any:
    from dataclasses import replace

    return replace(node.settings, listen=node.address)


def _code(node: Any) -> invitation.Code:
    code = service.invite(node.site, _settings(node), Book())
    node.parts.listener._context = node.parts.listener._make_context()  # as the running listener does at once
    return code


def test_an_invitation_works_for_one_node(world: Any) -> None:
    antwerp, ostend, ghent = (world.node(name) for name in ("Antwerp", "Ostend", "Ghent"))
    code = _code(antwerp)
    book, key = antwerp.parts.peers.book, invitation.public_bytes(code.key())
    first = _call(world, ostend, code)
    assert service.admit(antwerp.site, book, key, _request(ostend, code)) == first, "an answer may be lost on the way"
    with pytest.raises(Conflict, match="used or has expired"):
        service.admit(antwerp.site, book, key, _request(ghent, code))
    assert antwerp.parts.peers.network().members.keys() == {antwerp.id, ostend.id}


def test_an_invitation_used_by_two_at_once_admits_one(world: Any) -> None:
    antwerp, ostend, ghent = (world.node(name) for name in ("Antwerp", "Ostend", "Ghent"))
    code = _code(antwerp)
    key = invitation.public_bytes(code.key())
    book = antwerp.parts.peers.book
    service.admit(antwerp.site, book, key, service.request_to_join(ostend.site, _settings(ostend), code))
    with pytest.raises(Conflict):
        service.admit(antwerp.site, book, key, service.request_to_join(ghent.site, _settings(ghent), code))


def test_an_invitation_is_over_after_48_hours(world: Any) -> None:
    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    code = _code(antwerp)
    antwerp.clock.shift = timedelta(hours=48, seconds=1)
    with pytest.raises(Conflict, match="used or has expired"):
        _call(world, ostend, code)
    assert antwerp.parts.peers.network().members.keys() == {antwerp.id}


def test_the_joiner_sends_nothing_to_somebody_else(world: Any) -> None:
    antwerp, ostend, ghent = (world.node(name) for name in ("Antwerp", "Ostend", "Ghent"))
    code = _code(antwerp)
    host, port = ghent.address.split(":")
    with pytest.raises(BadInput, match="Nothing was sent"):
        _call(world, ostend, invitation.Code(host, int(port), code.secret, code.inviter_key))


def test_an_invitation_opens_no_other_door(world: Any) -> None:
    from port2port.sharing import trust

    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    code = _code(antwerp)
    leaf = trust.issue_leaf(code.subject(), code.key(), ostend.clock())
    context = trust.client_context(leaf, {antwerp.id: code.inviter_key}, ostend.site.identity)

    async def get(path: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"https://{antwerp.address}{path}", ssl=context) as answer,
        ):
            return answer.status

    for path in ("/p2p/v1/node", "/p2p/v1/lanes", "/p2p/v1/stream?class=flash"):
        assert world.run(get(path)) == 404


def test_who_may_not_invite_is_told_so(world: Any) -> None:
    _, ostend = world.network(2)
    with pytest.raises(Port2PortError, match="may not invite"):
        service.invite(ostend.site, _settings(ostend), ostend.parts.peers.book)


@pytest.mark.parametrize("name", ["Antwerp", "ANTWERP", "\u0391ntwerp", "Antw\u0435rp"])
def test_a_joiner_cannot_be_taken_for_another(world: Any, name: str) -> None:
    antwerp, stranger = world.node("Antwerp"), world.node(name)
    with pytest.raises(Conflict, match="looks like it"):
        _call(world, stranger, _code(antwerp))
    assert {each.node_id for each in antwerp.facts(MemberJoined)} <= {antwerp.id}


def test_an_inviter_who_answers_nonsense_is_not_believed(world: Any) -> None:
    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    code = _code(antwerp)
    for answer in (b"", b"{}", b'{"documents":[]}'):
        with pytest.raises(BadInput):
            service.read_answer(ostend.site, code, answer)


def test_an_agreement_opened_by_one_and_signed_by_the_other_opens_the_way(world: Any) -> None:
    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    world.acquaint([antwerp, ostend], world.papers([antwerp, ostend])[:2])
    peers = antwerp.parts.peers
    agreement = arranging.agree(antwerp.site, peers.settings, peers.book, "Two ports", 30)
    ostend.until(lambda: agreement in ostend.parts.peers.network().roster.agreements)
    arranging.accede(ostend.site, ostend.parts.peers.book, agreement)
    antwerp.until(lambda: len(peers.network().roster.agreements[agreement].parties) == 2)
    antwerp.share("incident-1", handling=replace(antwerp.label(), agreement_id=agreement))
    ostend.wait_for(ObjectArrived)


def _open_code(node: Any, name: str = "") -> short_code.ShortCode:
    code = knocking.open_code(node.site, _settings(node), node.parts.peers.book, name)
    node.parts.listener._context = node.parts.listener._make_context()  # as the running listener does at once
    return code


def _exchange(world: Any, node: Any, code: short_code.ShortCode, inviter: Any) -> invitation.Code:
    host, port = inviter.address.split(":")
    found: invitation.Code = world.run(joining.exchange(node.site, code, host, int(port)))
    return found


def _wrong(code: short_code.ShortCode) -> short_code.ShortCode:
    """Another code for the same place, as a guess would be."""
    while (other := short_code.make(code.slot)) == code:
        pass
    return other


def test_a_port_joins_by_a_short_code_read_over_the_phone(world: Any) -> None:
    antwerp, ostend = (world.node(name, on_disk=True) for name in ("Antwerp", "Ostend"))
    folders = [_folder(world, each) for each in (antwerp, ostend)]
    said = _run(folders[0], "invite", "--phone", "--no-wait", "--for", "Port of Ostend").splitlines()
    spoken, command = said[1].strip(), said[-1].split()
    read = "".join(word[0] if word.isalpha() or "-" in word else word for word in spoken.replace(" - ", " ").split())
    assert short_code.read(read).text() == command[-1], "what is read out and what is typed are the same code"
    _open_agreement(world, antwerp)
    said_there = _run(folders[1], "join", command[-2], command[-1].lower(), "--accede")
    assert "Joined: 1 partner." in said_there
    antwerp.wait_for(PeerConnected)
    ostend.share("incident-1")
    antwerp.wait_for(ObjectArrived)


def test_a_short_code_dies_after_five_wrong_tries(world: Any) -> None:
    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    code = _open_code(antwerp)
    for _ in range(short_code.MAX_TRIES):
        with pytest.raises(BadInput, match="not the one that was read"):
            _exchange(world, ostend, _wrong(code), antwerp)
    with pytest.raises((Conflict, Unavailable)):
        _exchange(world, ostend, code, antwerp)
    assert [each.tries_left for each in antwerp.facts(CodeTried)] == [4, 3, 2, 1, 0]
    assert antwerp.parts.peers.network().members.keys() == {antwerp.id}


def test_a_wrong_try_leaves_an_invitation_that_nobody_can_use(world: Any) -> None:
    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    code = _open_code(antwerp)
    joiner = short_code.Joiner(_wrong(code))
    said = msgspec.json.decode(knocking.answer_knock(antwerp.site, antwerp.parts.peers.book, joiner.knock()))
    with pytest.raises(BadInput):
        joiner.finish(msgspec.json.encode({**said, "proof": "A" * 43 + "="}), "127.0.0.1", 1)
    assert _exchange(world, ostend, code, antwerp).inviter_id == antwerp.id, "the right one still gets through"


def test_a_short_code_admits_one(world: Any) -> None:
    antwerp, ostend, ghent = (world.node(name) for name in ("Antwerp", "Ostend", "Ghent"))
    code = _open_code(antwerp)
    mine, other = (_exchange(world, each, code, antwerp) for each in (ostend, ghent))
    book = antwerp.parts.peers.book
    service.admit(antwerp.site, book, invitation.public_bytes(mine.key()), _request(ostend, mine))
    with pytest.raises(Conflict, match="used or has expired"):
        service.admit(antwerp.site, book, invitation.public_bytes(other.key()), _request(ghent, other))
    with pytest.raises(Conflict, match="used or has expired"):
        knocking.answer_knock(antwerp.site, book, short_code.Joiner(code).knock())


def test_a_short_code_is_over_after_half_an_hour(world: Any) -> None:
    antwerp = world.node("Antwerp")
    code = _open_code(antwerp)
    antwerp.clock.shift = short_code.LIFE
    with pytest.raises(Conflict, match="used or has expired"):
        knocking.answer_knock(antwerp.site, antwerp.parts.peers.book, short_code.Joiner(code).knock())


def test_who_stands_between_learns_nothing_and_gets_one_guess(world: Any) -> None:
    """The one in the middle passes the knock on, and puts his own key into the answer."""
    antwerp = world.node("Antwerp")
    code = _open_code(antwerp)
    joiner = short_code.Joiner(code)
    said = msgspec.json.decode(knocking.answer_knock(antwerp.site, antwerp.parts.peers.book, joiner.knock()))
    forged = {**said, "public_key": "A" * 43 + "=", "inviter": "ab" * 32}
    with pytest.raises(BadInput, match="somebody stands between"):
        joiner.finish(msgspec.json.encode(forged), "127.0.0.1", 1)


def test_nobody_knocks_while_no_code_is_open(world: Any) -> None:
    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    _code(antwerp)
    with pytest.raises(Unavailable):
        _exchange(world, ostend, short_code.make("2"), antwerp)


def test_the_doorbell_opens_no_other_door(world: Any) -> None:
    from port2port.sharing import trust

    antwerp, ostend = world.node("Antwerp"), world.node("Ostend")
    _open_code(antwerp)
    leaf = trust.issue_leaf(invitation.subject(short_code.DOORBELL), short_code.doorbell_key(), ostend.clock())
    context = trust.knocking_context(leaf)

    async def get(path: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"https://{antwerp.address}{path}", ssl=context) as answer,
        ):
            return answer.status

    for path in ("/p2p/v1/node", "/p2p/v1/lanes", "/p2p/v1/stream?class=flash"):
        assert world.run(get(path)) == 404
