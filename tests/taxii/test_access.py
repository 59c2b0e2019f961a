"""Who sees what: accounts, labels, and what a hidden object must not change."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from taxii_kit import OTHER_ID, Node, Program, a_node, indicator

from port2port.core.errors import BadInput, Conflict, NotFound
from port2port.core.exchange import ObjectErased, ObjectWithdrawn
from port2port.core.handling import Purpose, Tlp, named_nodes
from port2port.sharing.taxii import accounts
from port2port.sharing.taxii.facts import TaxiiAccountAdded, TaxiiAccountRemoved, TaxiiHandedIn
from port2port.web.passwords import Passwords

WIDE, NARROW = 1, 2


def _only_us(node: Node) -> Any:
    return named_nodes(node.site.party.node_id)


LABELS: dict[str, Callable[[Node], dict[str, Any]]] = {
    "green": lambda node: {"tlp": Tlp.GREEN},
    "amber": lambda node: {"tlp": Tlp.AMBER},
    "amber-strict": lambda node: {"tlp": Tlp.AMBER_STRICT, "audience": _only_us(node)},
    "red for siem": lambda node: {
        "tlp": Tlp.RED,
        "audience": _only_us(node),
        "readers": frozenset({f"siem@{node.site.party.node_id}"}),
    },
    "red for anna": lambda node: {
        "tlp": Tlp.RED,
        "audience": _only_us(node),
        "readers": frozenset({f"anna@{node.site.party.node_id}"}),
    },
    "for others": lambda node: {"audience": named_nodes(OTHER_ID)},
    "for training": lambda node: {"purpose": Purpose.TRAINING},
    "unknown agreement": lambda node: {"agreement_id": "another"},
    "of an exercise": lambda node: {"context": "exercise-1"},
}
SEEN = {
    Tlp.CLEAR: set(),
    Tlp.GREEN: {"green"},
    Tlp.AMBER: {"green", "amber"},
    Tlp.AMBER_STRICT: {"green", "amber", "amber-strict"},
    Tlp.RED: {"green", "amber", "amber-strict", "red for siem"},
}


@pytest.mark.parametrize("bound", list(Tlp))
def test_an_account_sees_what_handling_and_its_bound_allow(node: Node, bound: Tlp) -> None:
    for number, label in enumerate(LABELS.values()):
        node.arrives([indicator(number)], node.label(**label(node)))
    siem = node.account("siem", max_tlp=bound)
    expected = [indicator(number) for number, name in enumerate(LABELS) if name in SEEN[bound]]
    assert sorted(each["name"] for each in siem.all_objects("all")) == [each["name"] for each in expected]
    collections = [each["id"] for each in siem.get("node/collections/").json()["collections"][1:]]
    assert len(collections) == len(expected)
    seen = [each["name"] for one in collections for each in siem.all_objects(one)]
    assert sorted(seen) == [each["name"] for each in expected]


def test_purposes_are_kept_apart(node: Node) -> None:
    node.arrives([indicator(1)], node.label(purpose=Purpose.TRAINING))
    assert node.account("trainer", purpose=Purpose.TRAINING).all_objects() == [indicator(1)]
    assert node.account("siem").all_objects() == []


def test_our_own_red_objects_are_for_named_readers_only(node: Node) -> None:
    me = node.site.party.node_id
    readers = frozenset({f"anna@{OTHER_ID}"})
    node.offers([indicator(1)], node.label(me, named_nodes(OTHER_ID), tlp=Tlp.RED, readers=readers))
    node.offers([indicator(2)], node.label(me, named_nodes(OTHER_ID), tlp=Tlp.AMBER_STRICT))
    assert node.account("siem", max_tlp=Tlp.RED).all_objects() == [indicator(2)]


TALK = (
    "",
    "node/",
    "node/collections/",
    "node/collections/all/",
    "node/collections/all/objects/",
    "node/collections/all/objects/?limit=1",
    "node/collections/all/objects/?match[version]=all",
    "node/collections/all/manifest/",
    f"node/collections/all/objects/{indicator(NARROW)['id']}/",
    f"node/collections/all/objects/{indicator(NARROW)['id']}/versions/",
    f"node/collections/all/objects/{indicator(WIDE)['id']}/",
    f"node/collections/all/objects/{indicator(WIDE)['id']}/versions/",
)
_VARIES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|127\.0\.0\.1:\d+")


def _said(answer: httpx.Response) -> tuple[Any, ...]:
    """Everything a program gets to see, without the moment and the port."""
    headers = [pair for pair in answer.headers.raw if pair[0].lower() not in (b"date", b"content-security-policy")]
    return (
        answer.status_code,
        _VARIES.sub(b"*", answer.content),
        [_VARIES.sub(b"*", b": ".join(each)) for each in headers],
    )


def _conversation(*, hidden: bool) -> list[tuple[Any, ...]]:
    with a_node() as node:
        narrow = node.label(tlp=Tlp.AMBER)
        if hidden:
            node.arrives([indicator(NARROW), indicator(WIDE, "2026-05-01T00:00:00.000Z")], narrow)
            node.arrives([indicator(100 + number) for number in range(50)], narrow)
        node.arrives([indicator(WIDE)])
        if hidden:
            node.arrives([indicator(WIDE, "2026-01-15T00:00:00.000Z"), indicator(3)], narrow)
        node.arrives([indicator(3), indicator(4)])
        siem = node.account("siem", max_tlp=Tlp.GREEN)
        lane = siem.get("node/collections/").json()["collections"][1]["id"]
        paths = [*TALK, *(path.replace("/all/", f"/{lane}/") for path in TALK[3:])]
        answers = [siem.get(path) for path in paths]
        assert len(siem.all_objects()) == 3
        return [*map(_said, answers), *map(_said, _pages(siem))]


def _pages(siem: Program) -> list[httpx.Response]:
    answers = [siem.get("node/collections/all/objects/", limit=1)]
    while answers[-1].json()["more"]:
        answers.append(siem.get("node/collections/all/objects/", next=answers[-1].json()["next"]))
    return answers


def test_hidden_objects_change_no_byte_of_any_answer() -> None:
    without, with_hidden = _conversation(hidden=False), _conversation(hidden=True)
    # `next` holds a stamp, which is a moment: the same length at the same place says the same
    tokens = re.compile(rb'"next":"[\w-]+"')
    assert [(a, tokens.sub(b"*", b), c) for a, b, c in with_hidden] == [
        (a, tokens.sub(b"*", b), c) for a, b, c in without
    ]


def test_a_hidden_collection_is_like_none(node: Node) -> None:
    node.arrives([indicator(1)], node.label(tlp=Tlp.AMBER))
    wide, narrow = node.account("wide"), node.account("narrow", max_tlp=Tlp.GREEN)
    lane = wide.get("node/collections/").json()["collections"][1]["id"]
    there, nowhere = (narrow.get(f"node/collections/{each}/objects/") for each in (lane, lane[:-1] + "0"))
    assert there.status_code == nowhere.status_code == 404
    assert there.content == nowhere.content


def test_what_may_no_longer_be_kept_is_gone(node: Node) -> None:
    node.arrives(
        [indicator(1), indicator(3, "2026-06-01T00:00:00.000Z")],
        node.label(retain_until=node.clock() + timedelta(days=2)),
    )
    node.arrives([indicator(2), indicator(3)])
    siem = node.account("siem")
    lane = siem.get("node/collections/").json()["collections"][1]["id"]
    assert len(siem.all_objects()) == 3
    node.clock.shift = timedelta(days=2, minutes=1)
    for each in ("all", lane):
        assert siem.all_objects(each) == [indicator(2), indicator(3)]
    node.clock.shift = timedelta(days=31)
    assert siem.all_objects() == []
    assert len(siem.get("node/collections/").json()["collections"]) == 1


def test_when_an_agreement_ends_what_it_covered_is_gone(node: Node) -> None:
    node.arrives([indicator(1)], node.label(retain_until=node.clock() + timedelta(days=3000)))
    node.offers([indicator(2)], node.label(node.site.party.node_id, retain_until=node.clock() + timedelta(days=3000)))
    siem = node.account("siem")
    assert len(siem.all_objects()) == 2
    node.clock.shift = timedelta(days=500)
    assert siem.all_objects() == [indicator(2)]
    node.clock.shift = timedelta()
    assert len(siem.all_objects()) == 2


def test_what_stands_in_two_bundles_is_shown_once_and_outlives_the_first(node: Node) -> None:
    shared = indicator(9)
    first = node.arrives([shared, indicator(1)], object_id="a")
    node.arrives([shared, indicator(2)], node.label(tlp=Tlp.AMBER), object_id="b")
    node.arrives([shared, indicator(3)], object_id="c")
    siem = node.account("siem")
    assert siem.all_objects() == [shared, indicator(1), indicator(3), indicator(2)]
    _recall(node, first, ObjectWithdrawn)
    left = siem.all_objects()
    assert [each for each in left if not each.get("revoked")] == [indicator(3), indicator(2), shared]


@pytest.mark.parametrize("how", [ObjectErased, ObjectWithdrawn])
def test_a_recalled_object_leaves_a_revoked_version_that_says_nothing(node: Node, how: type[Any]) -> None:
    here = node.arrives([indicator(1)])
    siem = node.account("siem")
    before = siem.all_objects()
    _recall(node, here, how)
    (after,) = siem.all_objects()
    assert after["id"] == before[0]["id"]
    assert after["revoked"] is True
    assert after["modified"] > before[0]["modified"]
    assert after["name"] == ""
    assert "Number 1" not in str(after)
    assert "example.com" not in str(after)
    versions = siem.get(f"node/collections/all/objects/{after['id']}/versions/").json()["versions"]
    assert versions == [after["modified"]]


def test_a_newer_version_stays_when_the_older_is_withdrawn(node: Node) -> None:
    newer = indicator(1, "2026-03-01T00:00:00.000Z")
    node.arrives([indicator(1)], object_id="a", version=1)
    here = node.arrives([newer], node.label(tlp=Tlp.AMBER), object_id="a", version=2)
    siem = node.account("siem")
    _recall(node, here, ObjectWithdrawn, version=1)
    assert newer in siem.all_objects()


def _recall(node: Node, here: str, how: type[Any], version: int = 1) -> None:
    with node.site.store.transaction() as tx:
        tx.forget_bodies([(here, version)])
        tx.append(
            how(
                at=node.clock(),
                object_kind="incident",
                object_id=here,
                version=version,
                origin=OTHER_ID,
                reason="mistake",
            )
        )
    node.catch_up()


def test_a_body_that_was_forgotten_meanwhile_is_passed_by(node: Node) -> None:
    here = node.arrives([indicator(1)])
    node.arrives([indicator(2)])
    siem = node.account("siem")
    with node.site.store.transaction() as tx:
        tx.forget_bodies([(here, 1)])
    assert siem.all_objects() == [indicator(2)]


# credentials


def test_without_the_right_password_there_is_a_challenge_and_nothing_else(node: Node) -> None:
    siem = node.account("siem")
    said = set()
    for name, password in (("siem", "wrong"), ("nobody", siem.password), ("siem", ""), ("", ""), ("Ä", "\x00" * 100)):
        answer = Program(node.url, name, password).get("node/")
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="TAXII", charset="UTF-8"'
        said.add((answer.status_code, answer.content))
    for header in ("Bearer x", "Basic", "Basic !!!", "Basic " + "A" * 5000, "Basic c2llbQ=="):
        answer = httpx.get(node.url, headers={"Authorization": header})
        said.add((answer.status_code, answer.content))
    assert [each[0] for each in said] == [401]
    assert node.site.counters.get("sharing.refused.taxii-password") >= 2


def test_an_unknown_name_costs_as_much_as_a_wrong_password(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.account("siem")
    hashed: list[str] = []
    matches = Passwords.matches

    def counting(self: Passwords, stored: str, password: str) -> bool:
        hashed.append(password)
        return matches(self, stored, password)

    monkeypatch.setattr(Passwords, "matches", counting)
    for name in ("siem", "nobody"):
        Program(node.url, name, "wrong").get("node/")
    assert len(hashed) == 2


def test_who_guesses_waits_and_who_is_known_does_not(node: Node) -> None:
    siem = node.account("siem")
    assert siem.get("node/").status_code == 200
    answers = [Program(node.url, "siem", f"guess {number}").get("node/") for number in range(12)]
    assert [each.status_code for each in answers][-1] == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert siem.get("node/").status_code == 200
    assert Program(node.url, "other", "guess").get("node/").status_code == 401


def test_a_removed_account_is_unknown_from_the_next_request_on(node: Node) -> None:
    siem = node.account("siem")
    assert siem.get("node/").status_code == 200
    accounts.remove(node.site, "siem")
    assert siem.get("node/").status_code == 401
    again = node.account("siem")
    assert siem.get("node/").status_code == 401
    assert again.get("node/").status_code == 200
    with pytest.raises(NotFound):
        accounts.remove(node.site, "nobody")


def test_accounts_are_made_once_and_can_do_something(node: Node) -> None:
    node.account("siem")
    with pytest.raises(Conflict):
        node.account("SIEM")
    for name in ("a:b", "a@b", "", " ", "x" * 200):
        with pytest.raises(BadInput):
            node.account(name)
    with pytest.raises(BadInput):
        node.account("idle", may_read=False)


def test_the_journal_tells_who_was_let_in_and_handed_in(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(1), {}])
    accounts.remove(node.site, "feed")
    kinds = {TaxiiAccountAdded.kind(), TaxiiAccountRemoved.kind(), TaxiiHandedIn.kind()}
    added, handed, removed = (each.fact for each in node.site.store.read(0, 99, kinds))
    assert isinstance(handed, TaxiiHandedIn)
    assert (handed.name, handed.taken, handed.refused) == ("feed", 1, 1)
    assert added.name == removed.name == "feed"  # type: ignore[union-attr]
    assert feed.password not in str(added)


def test_what_was_handed_in_is_sealed_and_goes_when_its_time_is_over(node: Node) -> None:
    feed = node.account("feed", may_write=True)
    feed.post([indicator(1)])
    assert feed.all_objects("inbox") == [indicator(1)]
    node.clock.shift = timedelta(days=91)
    assert feed.all_objects("inbox") == []
    with node.site.store.reading() as view:
        assert view.rows("SELECT count(*) FROM store_body WHERE object_id LIKE 'taxii.%'") == [(0,)]
