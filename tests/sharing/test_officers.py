"""Officers who decide together, roles, keys that change, groups that are left: in whatever order the word comes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from port2port.capability import Site
from port2port.core.handling import Agreement, Group, LegalBasis, PersonalData, Purpose
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment, Party
from port2port.sharing import book, capability, documents, membership
from port2port.sharing.book import Book
from port2port.sharing.bootstrap import make_agreement, make_group, make_statement
from port2port.sharing.documents import (
    Document,
    EndingText,
    Grant,
    KeyText,
    Kind,
    LeavingText,
    Officer,
    Revocation,
    RootText,
)
from port2port.sharing.key_log import OVERLAP
from port2port.sharing.roster import Network, build
from port2port.store.identity import public_bytes
from port2port.testing import site as make_site

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("Antwerp", "Ghent", "Zeebrugge", "Ostend", "Liege", "Thief")
KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n, name in enumerate(NAMES, 1)}
NEXT = {name: Ed25519PrivateKey.from_private_bytes(bytes([n + 100]) * 32) for n, name in enumerate(NAMES, 1)}
IDS = {name: node_id(public_bytes(key)) for name, key in KEYS.items()}
INVITES, LEVELS, APPROVES = AuthorityRole.INVITES, AuthorityRole.SETS_LEVELS, AuthorityRole.APPROVES
FOUNDERS = frozenset({IDS["Antwerp"]})


def member(name: str, *signers: str, roles: tuple[AuthorityRole, ...] = (), at: datetime = NOW) -> Document:
    party = Party(
        node_id=IDS[name], name=f"Port of {name}", short_name=name, compartment=Compartment.A, roles=frozenset(roles)
    )
    sponsor = KEYS[signers[0] if signers else name]
    made = make_statement(party, public_bytes(KEYS[name]), "127.0.0.1:1", at, sponsor)
    return documents.cosign(made, *(KEYS[each] for each in signers[1:]))


def root(
    version: int,
    previous: Document | None,
    officers: str,
    threshold: int,
    signers: str,
    keeps: Any = (),
    **changes: Any,
) -> Document:
    """Officers and signers by their first letters, e.g. `AGZ`."""
    text = RootText(
        version=version,
        previous=previous.mark if previous else "",
        officers=tuple(
            Officer(node_id=IDS[name], public_key=public_bytes(KEYS[name]).hex())
            for name in NAMES
            if name[0] in officers
        ),
        threshold=threshold,
        keeps=tuple(sorted(keeps)),
        valid_from=NOW,
        expires=changes.get("expires", NOW + 365 * DAY),
    )
    return documents.sign(Kind.ROOT, text, *(KEYS[name] for name in NAMES if name[0] in signers))


def grant(name: str, *roles: AuthorityRole, signers: str, at: datetime = NOW) -> Document:
    text = Grant(node_id=IDS[name], roles=roles, valid_from=at, by=IDS["Antwerp"])
    return documents.sign(Kind.GRANT, text, *(KEYS[each] for each in NAMES if each[0] in signers))


def revoked(name: str, *signers: str, at: datetime = NOW) -> Document:
    text = Revocation(node_id=IDS[name], at=at, by=IDS[signers[0]])
    return documents.sign(Kind.REVOCATION, text, *(KEYS[each] for each in signers))


def next_key(name: str, *, by: Ed25519PrivateKey | None = None, new: Ed25519PrivateKey | None = None) -> Document:
    text = KeyText(
        node_id=IDS[name],
        public_key=public_bytes(new or NEXT[name]).hex(),
        previous=public_bytes(by or KEYS[name]).hex(),
        valid_from=NOW + 7 * DAY,
        by=IDS[name],
    )
    signed = documents.sign(Kind.KEY, text, by or KEYS[name])
    return Document(kind=signed.kind, text=signed.text, signatures={IDS[name]: next(iter(signed.signatures.values()))})


def recovered(name: str, signers: str, new: Ed25519PrivateKey, recovery: int = 1) -> Document:
    text = KeyText(
        node_id=IDS[name],
        public_key=public_bytes(new).hex(),
        previous="",
        recovery=recovery,
        valid_from=NOW,
        by=IDS["Antwerp"],
    )
    return documents.sign(Kind.KEY, text, *(KEYS[each] for each in NAMES if each[0] in signers))


FOUNDED = [
    member("Antwerp", roles=(INVITES,)),
    member("Ghent", "Antwerp"),
    member("Zeebrugge", "Antwerp"),
    member("Ostend", "Antwerp"),
]
MARKS = build(FOUNDED, FOUNDERS).marks
FIRST = root(1, None, "AGZ", 2, "AG", MARKS)
TWO_OF_THREE = [*FOUNDED, FIRST]


def _net(*more: Document, base: list[Document] = TWO_OF_THREE) -> Network:
    return build([*base, *more], FOUNDERS)


def test_without_a_root_the_founder_decides_alone() -> None:
    network = _net(base=FOUNDED)
    assert (network.root.version, network.root.threshold, set(network.root.officers)) == (0, 1, set(FOUNDERS))


def test_two_of_three_decide_from_the_first_root_on_and_earlier_members_stay() -> None:
    network = _net()
    assert network.root.threshold == 2
    assert set(network.members) == {IDS[name] for name in ("Antwerp", "Ghent", "Zeebrugge", "Ostend")}
    assert IDS["Liege"] not in _net(member("Liege", "Antwerp")).members
    assert IDS["Liege"] in _net(member("Liege", "Antwerp", "Ghent")).members


def test_signatures_under_the_same_text_add_up_wherever_they_come_from() -> None:
    alone = member("Liege", "Antwerp")
    (waiting,) = _net(alone).pending
    assert (waiting.mark, waiting.missing, waiting.signed_by) == (alone.mark, 1, {IDS["Antwerp"]})
    cosigned = documents.cosign(alone.bare(), KEYS["Zeebrugge"])
    network = _net(alone, cosigned)
    assert network.is_member(IDS["Liege"])
    assert network.pending == ()


def test_a_broken_signature_takes_nothing_away_from_a_right_one() -> None:
    good = member("Liege", "Antwerp", "Ghent")
    broken = Document(kind=good.kind, text=good.text, signatures=dict.fromkeys(good.signatures, "AAAA"))
    assert _net(broken, good).is_member(IDS["Liege"])


def test_a_root_needs_enough_officers_of_now_and_enough_of_its_own() -> None:
    assert _net(root(1, None, "AGZ", 2, "A", MARKS), base=FOUNDED).root.version == 0
    assert _net(root(1, None, "AGZ", 2, "GZ", MARKS), base=FOUNDED).root.version == 0
    proposed = _net(root(1, None, "AGZ", 2, "A", MARKS), base=FOUNDED).pending
    assert [each.missing for each in proposed] == [1]
    assert _net(root(2, FIRST, "GZO", 2, "AG")).root.version == 1
    assert _net(root(2, FIRST, "GZO", 2, "GZ")).root.version == 2


def test_an_officer_who_had_to_go_adds_nothing_in_hindsight() -> None:
    second = root(2, FIRST, "GZO", 2, "GZ", _net().marks)
    hindsight = [
        member("Liege", "Antwerp", "Ghent", at=NOW - DAY),
        root(2, FIRST, "AGZ", 1, "A", MARKS),
        grant("Antwerp", INVITES, LEVELS, signers="AG"),
    ]
    assert _net(second, *hindsight).root == _net(second).root
    assert _net(second, *hindsight).members == _net(second).members


def test_an_older_root_is_refused_and_one_too_far_ahead_waits() -> None:
    second = root(2, FIRST, "GZO", 2, "GZ", _net().marks)
    third = root(3, second, "GZO", 1, "GZ")
    network = _net(second)
    ghent = IDS["Ghent"]
    assert membership.problem_with(FIRST, ghent, network) == "older-root"
    alone_again = root(1, None, "A", 1, "A", MARKS)
    assert membership.problem_with(alone_again, IDS["Antwerp"], network) == "older-root"
    assert membership.problem_with(root(2, FIRST, "A", 1, "AG"), ghent, network) == "older-root"
    assert membership.problem_with(third, ghent, _net()) == "later-root"
    assert "later-root" in membership.EARLY


def test_an_old_root_is_a_warning_and_never_a_stop() -> None:
    stale = [*FOUNDED, root(1, None, "AGZ", 2, "AG", MARKS, expires=NOW)]
    network = build([*stale, member("Liege", "Antwerp", "Ghent")], FOUNDERS)
    assert network.root.is_stale(NOW)
    assert network.is_member(IDS["Liege"])


def test_roles_are_granted_by_the_threshold_and_replaced_by_the_next_grant() -> None:
    given = grant("Ostend", INVITES, LEVELS, signers="AG")
    assert _net(given).members[IDS["Ostend"]].roles == (INVITES, LEVELS)
    assert _net(grant("Ostend", INVITES, signers="A")).members[IDS["Ostend"]].roles == ()
    taken = grant("Ostend", signers="GZ", at=NOW + DAY)
    assert _net(given, taken).members[IDS["Ostend"]].roles == ()


def test_nobody_grants_himself_a_role_officers_included() -> None:
    assert _net(grant("Ghent", APPROVES, signers="AG")).members[IDS["Ghent"]].roles == ()
    assert _net(grant("Ghent", APPROVES, signers="AZ")).members[IDS["Ghent"]].roles == (APPROVES,)


def test_a_membership_ends_by_two_officers_or_by_the_member() -> None:
    assert _net(revoked("Ostend", "Antwerp")).is_member(IDS["Ostend"])
    assert not _net(revoked("Ostend", "Antwerp", "Ghent")).is_member(IDS["Ostend"])
    assert not _net(revoked("Ostend", "Ostend")).is_member(IDS["Ostend"])


def test_a_member_does_not_write_itself_back_by_a_later_address() -> None:
    moved = member("Ostend", at=NOW + 30 * DAY)
    assert not build([*FOUNDED, moved, revoked("Ostend", "Antwerp", at=NOW + DAY)], FOUNDERS).is_member(IDS["Ostend"])


def test_both_keys_are_accepted_until_a_week_after_the_change() -> None:
    network, me = _net(next_key("Ostend")), IDS["Ostend"]
    old, new = public_bytes(KEYS["Ostend"]), public_bytes(NEXT["Ostend"])
    change = NOW + 7 * DAY
    assert network.keys(me, NOW) == (old, new)
    assert network.keys(me, change) == (new, old)
    assert network.keys(me, change + OVERLAP) == (new,)
    assert network.keys(me) == (new, old)
    assert (network.key(me, NOW), network.key(me)) == (old, new)


def test_a_key_is_changed_by_the_key_before_and_nobody_else() -> None:
    assert _net(next_key("Ostend", by=KEYS["Thief"])).keys(IDS["Ostend"]) == (public_bytes(KEYS["Ostend"]),)


def test_what_the_old_key_signed_still_counts() -> None:
    group = Group(id="coast", name="Coast", owner=IDS["Ostend"], members=frozenset({IDS["Ostend"], IDS["Ghent"]}))
    assert "coast" in _net(make_group(group, NOW, KEYS["Ostend"]), next_key("Ostend")).roster.groups


def test_two_successors_of_one_key_silence_it_until_officers_name_the_right_one() -> None:
    theft = [next_key("Ostend"), next_key("Ostend", new=NEXT["Thief"])]
    assert _net(*theft).keys(IDS["Ostend"], NOW) == ()
    assert _net(*theft, recovered("Ostend", "A", KEYS["Liege"])).keys(IDS["Ostend"]) == ()
    named = _net(*theft, recovered("Ostend", "AG", KEYS["Liege"]))
    assert named.keys(IDS["Ostend"], NOW) == (public_bytes(KEYS["Liege"]),)
    assert named.is_member(IDS["Ostend"])


def test_a_retired_key_can_not_be_used_to_quarrel_later() -> None:
    network = _net(next_key("Ostend"))
    assert membership.problem_with(next_key("Ostend", new=NEXT["Thief"]), IDS["Ghent"], network) == "older-key"
    assert membership.problem_with(next_key("Ostend"), IDS["Ghent"], _net()) == "", "whoever brings it"


def test_a_recovered_member_changes_its_key_again_by_itself() -> None:
    again = documents.sign(
        Kind.KEY,
        KeyText(
            node_id=IDS["Ostend"],
            public_key=public_bytes(NEXT["Ostend"]).hex(),
            previous=public_bytes(KEYS["Liege"]).hex(),
            recovery=1,
            valid_from=NOW + DAY,
            by=IDS["Ostend"],
        ),
        KEYS["Liege"],
    )
    signed = Document(kind=again.kind, text=again.text, signatures={IDS["Ostend"]: again.signatures[IDS["Liege"]]})
    network = _net(recovered("Ostend", "AG", KEYS["Liege"]), signed)
    assert network.key(IDS["Ostend"], NOW + 2 * DAY) == public_bytes(NEXT["Ostend"])


def _group(*members: str, epoch: int = 1, at: datetime = NOW, answers: tuple[str, ...] = ()) -> Document:
    made = Group(
        id="coast", name="Coast", owner=IDS["Ghent"], members=frozenset(IDS[each] for each in members), epoch=epoch
    )
    return make_group(made, at, KEYS["Ghent"], answers)


def _left(name: str, id: str = "leaving-1") -> Document:
    text = LeavingText(id=id, group="coast", node_id=IDS[name], at=NOW)
    return documents.sign(Kind.LEAVING, text, KEYS[name])


def test_who_leaves_a_group_is_out_at_once_and_the_epoch_grows() -> None:
    first = _group("Ghent", "Ostend", "Zeebrugge")
    group = _net(first, _left("Ostend")).roster.groups["coast"]
    assert (group.members, group.epoch) == ({IDS["Ghent"], IDS["Zeebrugge"]}, 2)
    unaware = _group("Ghent", "Ostend", at=NOW + DAY)
    assert IDS["Ostend"] not in _net(first, _left("Ostend"), unaware).roster.groups["coast"].members
    back = _group("Ghent", "Ostend", epoch=2, at=NOW + DAY, answers=("leaving-1",))
    group = _net(first, _left("Ostend"), back).roster.groups["coast"]
    assert (group.members, group.epoch) == ({IDS["Ghent"], IDS["Ostend"]}, 2)


def test_nobody_takes_another_out_of_a_group() -> None:
    text = LeavingText(id="x", group="coast", node_id=IDS["Ostend"], at=NOW)
    forged = documents.sign(Kind.LEAVING, text, KEYS["Zeebrugge"])
    assert _net(_group("Ghent", "Ostend"), forged).roster.groups["coast"].epoch == 1
    assert membership.problem_with(forged, IDS["Zeebrugge"], _net()) == "wrong-signer"


TERMS = Agreement(
    id="terms",
    title="Terms",
    parties=frozenset(),
    purposes=frozenset({Purpose.PORT_SECURITY}),
    legal_basis=frozenset({LegalBasis.ISPS_CODE}),
    personal_data=frozenset({PersonalData.NONE}),
    starts=NOW,
    ends=NOW + 365 * DAY,
)


def test_an_agreement_that_one_party_ends_early_stays_for_the_others() -> None:
    paper = make_agreement(TERMS, KEYS["Antwerp"], KEYS["Ghent"], KEYS["Ostend"], open_to_all=True)
    ending = documents.sign(
        Kind.ENDING, EndingText(agreement="terms", node_id=IDS["Ghent"], at=NOW + DAY), KEYS["Ghent"]
    )
    network = _net(paper, ending, make_agreement(TERMS, KEYS["Ghent"], open_to_all=True))
    assert network.roster.agreements["terms"].parties == {IDS["Antwerp"], IDS["Ostend"]}
    assert network.endings == {"terms": {IDS["Ghent"]: NOW + DAY}}


HISTORY: list[tuple[str, Document]] = [
    ("Antwerp", FIRST),
    ("Antwerp", member("Liege", "Antwerp")),
    ("Ghent", member("Liege", "Antwerp", "Ghent")),
    ("Antwerp", grant("Ostend", INVITES, signers="A")),
    ("Zeebrugge", grant("Ostend", INVITES, signers="AZ")),
    ("Ostend", next_key("Ostend")),
    ("Ghent", root(2, FIRST, "GZO", 2, "GZ", _net(member("Liege", "Antwerp", "Ghent")).marks)),
    ("Zeebrugge", revoked("Antwerp", "Zeebrugge")),
    ("Ghent", revoked("Antwerp", "Zeebrugge", "Ghent")),
    ("Ghent", _group("Ghent", "Ostend", "Zeebrugge")),
    ("Zeebrugge", _left("Zeebrugge")),
    ("Ghent", make_agreement(TERMS, KEYS["Ghent"], open_to_all=True)),
    ("Zeebrugge", make_agreement(TERMS, KEYS["Zeebrugge"], open_to_all=True)),
    (
        "Zeebrugge",
        documents.sign(Kind.ENDING, EndingText(agreement="terms", node_id=IDS["Zeebrugge"], at=NOW), KEYS["Zeebrugge"]),
    ),
]


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(0, len(HISTORY)))
def test_any_order_and_any_part_first_make_the_same_network(mix: random.Random, first: int) -> None:
    papers = [*FOUNDED, *(document for _, document in HISTORY)]
    mixed = [*papers, *papers[:first]]
    mix.shuffle(mixed)
    assert build(mixed, FOUNDERS) == build(papers, FOUNDERS)


@pytest.fixture(scope="module")
def here() -> Iterator[Site]:
    made = make_site(capabilities=[capability])
    yield made
    made.store.close()


def _receive(here: Site, known: Book, tx: Any, bearer: str, document: Document) -> str:
    return membership.receive(tx, known, document, IDS[bearer], NOW)[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_members_speaking_in_any_order_are_understood_alike(here: Site, mix: random.Random) -> None:
    """Each one's own word comes in its own order; between members, anything may happen."""
    known = Book()
    lanes: dict[str, list[Document]] = {}
    for bearer, document in HISTORY:
        lanes.setdefault(bearer, []).append(document)
    with here.store.transaction() as tx:
        book.forget_network(tx)
        book.add_roots(tx, FOUNDERS)
        membership.take(tx, known, FOUNDED, IDS["Antwerp"], NOW)
        while lanes:
            bearer = mix.choice(sorted(lanes))
            _receive(here, known, tx, bearer, lanes[bearer].pop(0))
            if not lanes[bearer]:
                del lanes[bearer]
        network = known.network(tx)
    expected = build([*FOUNDED, *(document for _, document in HISTORY)], FOUNDERS)
    assert (network.root, network.roster.groups, network.log) == (expected.root, expected.roster.groups, expected.log)
    assert (network.members, network.roster) == (expected.members, expected.roster)


def _evil(draw: Any) -> Document:
    me, other = IDS["Ostend"], IDS[draw(st.sampled_from(["Antwerp", "Ghent", "Ostend", "Thief"]))]
    at = NOW + draw(st.integers(-5, 5)) * DAY
    roles = tuple(draw(st.lists(st.sampled_from(list(AuthorityRole)), unique=True)))
    name = next(each for each in NAMES if IDS[each] == other)
    choice = draw(st.sampled_from(["member", "grant", "root", "revocation", "recovery", "leaving"]))
    if choice == "member":
        return member(name, "Ostend", roles=roles, at=at)
    if choice == "grant":
        return documents.sign(Kind.GRANT, Grant(node_id=other, roles=roles, valid_from=at, by=me), KEYS["Ostend"])
    if choice == "root":
        return root(draw(st.integers(1, 3)), draw(st.sampled_from([None, FIRST])), "O", 1, "O", MARKS)
    if choice == "recovery":
        return recovered(name, "O", NEXT["Thief"], draw(st.integers(1, 3)))
    if choice == "leaving":
        return documents.sign(Kind.LEAVING, LeavingText(id="x", group="coast", node_id=other, at=at), KEYS["Ostend"])
    return documents.sign(
        Kind.REVOCATION, Revocation(node_id=other if other != me else IDS["Ghent"], at=at, by=me), KEYS["Ostend"]
    )


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans())
def test_whatever_a_member_signs_alone_raises_nobody_and_ends_nobody(data: st.DataObject, with_root: bool) -> None:
    base = TWO_OF_THREE if with_root else FOUNDED
    evil = [_evil(data.draw) for _ in range(data.draw(st.integers(1, 4)))]
    before, after = build(base, FOUNDERS), build([*base, *evil], FOUNDERS)
    assert after.members.keys() == before.members.keys()
    assert {node: each.roles for node, each in after.members.items()} == {
        node: each.roles for node, each in before.members.items()
    }
    assert (after.root, after.roster.revoked) == (before.root, before.roster.revoked)
    assert all(after.keys(node) == before.keys(node) for node in before.members)
