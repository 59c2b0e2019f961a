"""What people see of the log: the page, and the commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from audit_kit import Keeper
from click.testing import CliRunner, Result

from port2port.capability import Site
from port2port.core.errors import NotFound
from port2port.core.fact import audited_facts
from port2port.core.party import Role
from port2port.sharing import capability
from port2port.sharing.audit import present, tables, verify_bundle
from port2port.sharing.audit.cli import audit
from port2port.sharing.audit.web import READERS, pages, routes, word_of
from port2port.sharing.facts import AuditErased
from port2port.testing.browser import Browser, browser
from port2port.web import load_words
from port2port.web.facts import RoleChanged


class AlreadyOpen:
    """What the command line hands over, without a folder."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @contextmanager
    def open_site(self) -> Iterator[Site]:
        yield self.site


def run(keeper: Keeper, *words: str) -> Result:
    return CliRunner().invoke(audit, list(words), obj=AlreadyOpen(keeper.site))


@contextmanager
def signed_in(keeper: Keeper, role: Role) -> Iterator[Browser]:
    folders = {"sharing": capability.folder}
    with browser(keeper.site, role=role, routes=routes(keeper.parts), pages=pages(), folders=folders) as it:
        yield it


@pytest.mark.parametrize("role", list(Role))
def test_the_page_is_for_administrators_and_security_officers(keeper: Keeper, role: Role) -> None:
    with signed_in(keeper, role) as it:
        expected = 200 if role in READERS else 403
        assert it.get("/audit").status_code == expected
        assert it.post("/audit/verify").status_code == (303 if role in READERS else 403)
        assert ('href="/audit"' in it.get("/account").text) == (role in READERS)


def test_the_page_says_when_what_and_who(keeper: Keeper) -> None:
    keeper.invite()
    keeper.read()
    with signed_in(keeper, Role.SECURITY_OFFICER) as it:
        keeper.read()
        shown = it.get("/audit").text
    assert "Port of Bruges" in shown
    assert "Organisation invited" in shown
    assert "Signed in" in shown
    assert "No partner has confirmed it yet." in shown
    assert "Not checked yet." in shown


def test_an_entry_tells_who_did_it_and_to_whom(keeper: Keeper) -> None:
    now = keeper.clock()
    with keeper.site.store.transaction() as tx:
        tx.append(RoleChanged(at=now, account="account-1", role=Role.ANALYST, by="account-2"))
    keeper.read()
    with keeper.site.store.reading() as view:
        entry = present.shown(tables.newest_leaves(view, 1)[0], {"account-1": "Jo", "account-2": "An"})
    assert (entry.kind, entry.who, entry.what) == ("RoleChanged", "An", "Jo · analyst")


def test_the_page_shows_one_kind_when_asked(keeper: Keeper) -> None:
    keeper.invite()
    keeper.grow(3)
    with signed_in(keeper, Role.ADMINISTRATOR) as it:
        shown = it.get("/audit?kind=MemberInvited").text
    assert "Port of Bruges" in shown
    assert "someone-1" not in shown


def test_older_entries_are_one_click_away(keeper: Keeper) -> None:
    keeper.grow(250)
    with signed_in(keeper, Role.ADMINISTRATOR) as it:
        first = it.get("/audit").text
        assert "/audit?kind=&amp;before=150" in first
        assert "someone-149<" in it.get("/audit?before=150").text
        assert "Older entries" not in it.get("/audit?before=50").text
        assert it.get("/audit?before=-1").status_code == 400
        assert it.get("/audit?kind=" + "x" * 61).status_code == 400


def test_the_state_line_tells_the_check_and_the_partners(network: Callable[[int], list[Keeper]]) -> None:
    first, *_ = network(4)
    first.grow(10)
    first.round()
    with signed_in(first, Role.ADMINISTRATOR) as it:
        it.post("/audit/verify")
        shown = it.get("/audit").text
    assert "Checked to entry 15" in shown
    assert "by 3 partners" in shown
    assert all(name in shown for name in ("Ostend", "Ghent", "Liège"))


def test_a_problem_stands_on_top(keeper: Keeper) -> None:
    keeper.grow(10)
    keeper.checkpoint()
    keeper.sql("UPDATE sharing_audit_leaf SET entry = :other WHERE place = 2", other=bytes(32))
    with signed_in(keeper, Role.ADMINISTRATOR) as it:
        it.post("/audit/verify")
        shown = it.get("/audit").text
    assert 'role="alert"' in shown
    assert "port2port audit verify" in shown


def test_hostile_text_in_an_entry_is_text(keeper: Keeper) -> None:
    keeper.record(1, name="<script>alert(1)</script>")
    keeper.read()
    with signed_in(keeper, Role.ADMINISTRATOR) as it:
        shown = it.get("/audit").text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_every_kind_of_entry_has_a_word_in_four_languages() -> None:
    words = load_words({"sharing": Path(capability.folder)})
    here = [each.kind() for each in audited_facts() if each.__module__.startswith("port2port.")]
    assert len(here) > 20
    assert not [kind for kind in here if not words.has(word_of(kind))]


def test_verify_says_that_the_log_is_whole_and_ends_with_zero(keeper: Keeper) -> None:
    keeper.grow(5)
    result = run(keeper, "verify")
    assert result.exit_code == 0, result.output
    assert "The log is whole: 5 entries" in result.output
    assert "No partner has confirmed it yet." in result.output


def test_verify_says_what_is_wrong_and_ends_with_one(keeper: Keeper) -> None:
    keeper.grow(5)
    keeper.sql("UPDATE sharing_audit_leaf SET entry = :other WHERE place = 2", other=bytes(32))
    result = run(keeper, "verify")
    assert result.exit_code == 1
    assert "NOT as it was" in result.output
    assert "Entry 2 was changed." in result.output


def test_show_is_a_table_of_when_what_who(keeper: Keeper) -> None:
    keeper.grow(3)
    keeper.invite()
    keeper.read()
    shown = run(keeper, "show").output
    assert "SignedIn" in shown
    assert "someone-2" in shown
    assert "MemberInvited" in shown
    only = run(keeper, "show", "--kind", "MemberInvited", "--json").output
    assert [each["kind"] for each in json.loads(only)] == ["MemberInvited"]


def test_export_and_verify_the_bundle(keeper: Keeper, tmp_path: Path) -> None:
    keeper.grow(5)
    keeper.checkpoint()
    folder = tmp_path / "for-the-auditor"
    result = run(keeper, "export", str(folder))
    assert result.exit_code == 0, result.output
    assert run(keeper, "verify", "--bundle", str(folder)).exit_code == 0
    assert verify_bundle.main([str(folder)]) == 0
    (folder / "records.jsonl").write_text("")
    assert run(keeper, "verify", "--bundle", str(folder)).exit_code == 1


def test_erase_takes_the_content_and_leaves_the_place(keeper: Keeper) -> None:
    keeper.grow(5)
    result = run(keeper, "erase", "1", "3", "--reason", "asked for")
    assert result.exit_code == 0, result.output
    assert "The content of 2 entries is erased." in result.output
    keeper.read()
    assert keeper.facts(AuditErased)[0].reason == "asked for"
    assert run(keeper, "verify").exit_code == 0
    assert "someone-1" not in run(keeper, "show").output


def test_accept_begins_anew_with_a_partners_log(network: Callable[[int], list[Keeper]]) -> None:
    first, second = network(2)
    first.grow(5)
    first.round()
    assert run(second, "accept", "Antwerp", "--yes").exit_code == 0
    with second.site.store.reading() as view:
        assert tables.find_seen(view, first.id) is None
    again = run(second, "accept", "Antwerp", "--yes")
    assert isinstance(again.exception, NotFound)
