"""What signed documents add up to, in whatever order they come."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.errors import Conflict, DecodeError
from port2port.core.handling import Agreement, Group, LegalBasis, PersonalData, Purpose
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.sharing import documents, membership
from port2port.sharing.bootstrap import load_bootstrap, make_agreement, make_group, make_statement, write_bootstrap
from port2port.sharing.documents import Document, Kind, Member, Revocation
from port2port.sharing.roster import build, roots_of
from port2port.store.identity import public_bytes

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROOT, INVITER, PORT, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 5))
INVITES, LEVELS = AuthorityRole.INVITES, AuthorityRole.SETS_LEVELS


def _id(key: Ed25519PrivateKey) -> str:
    return node_id(public_bytes(key))


def _member(key: Ed25519PrivateKey, sponsor: Ed25519PrivateKey, *roles: AuthorityRole, **changes: Any) -> Document:
    name = {ROOT: "Root", INVITER: "Inviter", PORT: "Port", STRANGER: "Stranger"}[key]
    party = Party(node_id=_id(key), name=name, short_name=name, compartment=Compartment.A, roles=frozenset(roles))
    usual = {"address": "127.0.0.1:1", "valid_from": NOW}
    return make_statement(party, public_bytes(key), sponsor=sponsor, **{**usual, **changes})


def _revoked(key: Ed25519PrivateKey, by: Ed25519PrivateKey, at: datetime = NOW) -> Document:
    return documents.sign(Kind.REVOCATION, Revocation(node_id=_id(key), at=at, by=_id(by)), by)


FOUNDED = _member(ROOT, ROOT, INVITES)
ROOTS = frozenset({_id(ROOT)})


def test_a_network_begins_with_the_word_of_its_root() -> None:
    papers = [FOUNDED, _member(INVITER, ROOT, INVITES), _member(PORT, INVITER)]
    assert roots_of(papers) == ROOTS
    assert build(papers, ROOTS).members.keys() == {_id(ROOT), _id(INVITER), _id(PORT)}


def test_a_name_that_two_members_have_chooses_neither() -> None:
    port = documents.read(_member(PORT, ROOT))
    assert isinstance(port, Member)
    alike = documents.sign(Kind.MEMBER, msgspec.structs.replace(port, name="INVITER"), ROOT)
    network = build([FOUNDED, _member(INVITER, ROOT), alike], ROOTS)
    with pytest.raises(Conflict, match="2 members are called 'inviter'"):
        network.find("inviter")
    found = network.find(_id(PORT))
    assert found is not None
    assert found.node_id == _id(PORT)
    ended = build([FOUNDED, _member(INVITER, ROOT), alike, _revoked(INVITER, ROOT)], ROOTS).find("Inviter")
    assert ended is not None
    assert ended.node_id == _id(PORT)


def test_self_signed_strangers_do_not_count() -> None:
    papers = [FOUNDED, _member(STRANGER, STRANGER, INVITES), _member(PORT, STRANGER)]
    assert build(papers, ROOTS).members.keys() == {_id(ROOT)}


def test_a_member_without_the_role_cannot_sponsor() -> None:
    assert _id(PORT) not in build([FOUNDED, _member(INVITER, ROOT), _member(PORT, INVITER)], ROOTS).members


def test_a_sponsor_gives_no_role_that_it_does_not_hold() -> None:
    papers = [FOUNDED, _member(INVITER, ROOT, INVITES)]
    assert _id(PORT) not in build([*papers, _member(PORT, INVITER, LEVELS)], ROOTS).members
    assert _id(PORT) in build([*papers, _member(PORT, ROOT, LEVELS)], ROOTS).members


def test_a_member_changes_its_address_and_nothing_else() -> None:
    papers = [FOUNDED, _member(PORT, ROOT)]
    later = NOW + timedelta(days=1)
    moved = _member(PORT, PORT, address="127.0.0.1:2", valid_from=later)
    assert build([*papers, moved], ROOTS).members[_id(PORT)].address == "127.0.0.1:2"
    grabbed = _member(PORT, PORT, INVITES, address="127.0.0.1:2", valid_from=later)
    assert build([*papers, grabbed], ROOTS).members[_id(PORT)].roles == ()


def test_a_changed_text_or_borrowed_signature_does_not_count() -> None:
    good = _member(PORT, ROOT)
    changed = msgspec.structs.replace(good, text=good.text.replace('"Port"', '"Fort"'))
    other_kind = msgspec.structs.replace(FOUNDED, signatures=good.signatures)
    for bad in (changed, other_kind, msgspec.structs.replace(good, signatures={})):
        assert _id(PORT) not in build([FOUNDED, bad], ROOTS).members


def test_who_is_revoked_is_known_as_such_until_a_later_statement() -> None:
    papers = [FOUNDED, _member(INVITER, ROOT, INVITES), _member(PORT, ROOT)]
    network = build([*papers, _revoked(PORT, INVITER)], ROOTS)
    assert network.roster.revoked == {_id(PORT)}
    assert network.key(_id(PORT)) is None
    again = _member(PORT, ROOT, valid_from=NOW + timedelta(days=1))
    assert build([*papers, _revoked(PORT, ROOT), again], ROOTS).is_member(_id(PORT))


def test_nobody_but_an_inviter_revokes_and_nobody_but_a_root_a_root() -> None:
    papers = [FOUNDED, _member(INVITER, ROOT, INVITES), _member(PORT, ROOT)]
    assert build([*papers, _revoked(INVITER, PORT)], ROOTS).roster.revoked == frozenset()
    assert build([*papers, _revoked(ROOT, INVITER)], ROOTS).roster.revoked == frozenset()


def _terms(*keys: Ed25519PrivateKey) -> Agreement:
    return Agreement(
        id="agreement-1",
        title="Agreement",
        parties=frozenset(map(_id, keys)),
        purposes=frozenset({Purpose.PORT_SECURITY}),
        legal_basis=frozenset({LegalBasis.ISPS_CODE}),
        personal_data=frozenset({PersonalData.NONE}),
        starts=NOW,
        ends=NOW + timedelta(days=1),
    )


def test_the_parties_of_an_agreement_are_those_who_signed_it() -> None:
    papers = [FOUNDED, _member(INVITER, ROOT), _member(PORT, ROOT)]
    first, second = make_agreement(_terms(ROOT, PORT), ROOT), make_agreement(_terms(ROOT, PORT), PORT, INVITER)
    assert build([*papers, first], ROOTS).roster.agreements["agreement-1"].parties == {_id(ROOT)}
    both = build([*papers, first, second], ROOTS).roster.agreements["agreement-1"]
    assert both.parties == {_id(ROOT), _id(PORT)}, "one who is not named may sign as he likes"
    open_text = make_agreement(_terms(), ROOT, INVITER, open_to_all=True)
    assert build([*papers, open_text], ROOTS).roster.agreements["agreement-1"].parties == {_id(ROOT), _id(INVITER)}


def test_two_texts_under_one_agreement_id_release_nothing() -> None:
    papers = [FOUNDED, make_agreement(_terms(ROOT), ROOT), make_agreement(_terms(ROOT, PORT), ROOT)]
    assert build(papers, ROOTS).roster.agreements == {}


def test_a_group_is_what_its_owner_said_last() -> None:
    papers = [FOUNDED, _member(PORT, ROOT), _member(INVITER, ROOT)]

    def group(owner: Ed25519PrivateKey, *members: Ed25519PrivateKey, day: int = 0) -> Document:
        made = Group(id="coast", name="Coast", owner=_id(owner), members=frozenset(map(_id, members)))
        return make_group(made, NOW + timedelta(days=day), owner)

    old, new, stolen = group(PORT, PORT, INVITER), group(PORT, PORT, day=1), group(INVITER, INVITER, day=-2)
    assert build([*papers, new, old], ROOTS).roster.groups["coast"].members == {_id(PORT)}
    assert build([*papers, old, _revoked(INVITER, ROOT)], ROOTS).roster.groups["coast"].members == {_id(PORT)}
    assert build([*papers, old, stolen], ROOTS).roster.groups == {}, "claimed by two: nobody's"
    network = build([*papers, old], ROOTS)
    assert membership.problem_with(stolen, _id(INVITER), network) == "same-id-other-text"
    assert membership.problem_with(new, _id(PORT), network) == ""


def test_a_second_text_under_a_known_agreement_id_is_not_taken_in() -> None:
    network = build([FOUNDED, _member(PORT, ROOT), make_agreement(_terms(), ROOT, open_to_all=True)], ROOTS)
    same = make_agreement(_terms(), PORT, open_to_all=True)
    assert membership.problem_with(same, _id(PORT), network) == ""
    longer = dataclasses.replace(_terms(), ends=NOW + timedelta(days=900))
    other = make_agreement(longer, PORT, open_to_all=True)
    assert membership.problem_with(other, _id(PORT), network) == "same-id-other-text"


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_the_order_of_documents_and_repeats_change_nothing(seed: int) -> None:
    papers = [
        FOUNDED,
        _member(INVITER, ROOT, INVITES),
        _member(PORT, INVITER),
        _member(PORT, PORT, address="127.0.0.1:9", valid_from=NOW + timedelta(hours=1)),
        _member(STRANGER, PORT),
        make_agreement(_terms(), PORT, open_to_all=True),
        make_agreement(_terms(), ROOT, open_to_all=True),
    ]
    mixed = [*papers, *papers[:3]]
    random.Random(seed).shuffle(mixed)
    assert build(mixed, ROOTS) == build(papers, ROOTS)


def test_everybody_brings_his_own_documents_only() -> None:
    network = build([FOUNDED, _member(INVITER, ROOT, INVITES), _member(PORT, ROOT)], ROOTS)
    inviter, port = _id(INVITER), _id(PORT)
    assert membership.problem_with(_member(STRANGER, INVITER), inviter, network) == ""
    assert membership.problem_with(_member(STRANGER, INVITER), port, network) == "wrong-signer"
    assert membership.problem_with(_member(STRANGER, PORT), port, network) == "may-not-invite"
    assert membership.problem_with(_revoked(INVITER, PORT), port, network) == "may-not-revoke"
    gone = build([FOUNDED, _member(INVITER, ROOT, INVITES), _revoked(INVITER, ROOT)], ROOTS)
    assert membership.problem_with(_member(STRANGER, INVITER), inviter, gone) == "wrong-signer"


def test_a_members_id_must_follow_from_its_key() -> None:
    text = documents.read(FOUNDED)
    assert isinstance(text, Member)
    wrong = documents.sign(Kind.MEMBER, msgspec.structs.replace(text, public_key="00" * 32), ROOT)
    with pytest.raises(DecodeError):
        documents.decode(wrong.encoded())


def test_a_network_file_comes_back_as_it_was_written(tmp_path: Any) -> None:
    papers = [FOUNDED, _member(PORT, ROOT), make_agreement(_terms(ROOT), ROOT)]
    write_bootstrap(tmp_path / "network.jsonl", papers)
    assert list(load_bootstrap(tmp_path / "network.jsonl")) == papers
