"""`port2port incidents list`, beside a node's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from arrivals_kit import arrive, label_of
from click.testing import CliRunner
from incidents_kit import ANTWERP, OPERATOR, make_desk, say

from port2port.capability import Site
from port2port.core.handling import Tlp, named_nodes
from port2port.incidents import capability


class AlreadyOpen:
    """What the command line hands over, without a folder."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @contextmanager
    def open_site(self) -> Iterator[Site]:
        yield self.site


def listed(site: Site) -> str:
    (commands,) = capability.commands
    shown = CliRunner().invoke(commands, ["list"], obj=AlreadyOpen(site))
    assert shown.exit_code == 0, shown.output
    return shown.output


def test_it_lists_what_is_open_and_nothing_of_tlp_red() -> None:
    desk = make_desk()
    desk.service.from_alert("alert-1", OPERATOR, say)
    us = desk.site.party.node_id
    arrive(desk, handling=label_of(ANTWERP, tlp=Tlp.RED, audience=named_nodes(us), readers=frozenset({f"x@{us}"})))
    shown = listed(desk.site)
    assert "OST-2026-0001" in shown
    assert "Bags floating" not in shown
    desk.site.store.close()


def test_with_nothing_open_it_says_so() -> None:
    desk = make_desk()
    assert "Nothing open." in listed(desk.site)
    desk.site.store.close()
