"""`port2port incidents list`, beside a node's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from arrivals_kit import arrive, label_of
from click.testing import CliRunner
from incidents_kit import ANTWERP, OPERATOR, make_desk, say

from port2port.core.errors import BadInput
from port2port.core.handling import Tlp, named_nodes
from port2port.incidents import capability
from port2port.incidents.opening import store_of

RUN = CliRunner()


def test_it_lists_what_is_open_and_nothing_of_tlp_red(tmp_path: Path) -> None:
    (tmp_path / "port2port.toml").write_text('[node]\nname = "Port of Ostend"\n')
    desk = make_desk(url=f"sqlite:///{tmp_path / 'node.db'}")
    desk.service.from_alert("alert-1", OPERATOR, say)
    us = desk.site.party.node_id
    arrive(desk, handling=label_of(ANTWERP, tlp=Tlp.RED, audience=named_nodes(us), readers=frozenset({f"x@{us}"})))
    desk.site.store.close()
    assert capability.commands is not None
    shown = RUN.invoke(capability.commands, ["list"], obj=tmp_path)
    assert shown.exit_code == 0, shown.output
    assert "OST-2026-0001" in shown.output
    assert "Bags floating" not in shown.output


def test_without_a_node_it_says_so(tmp_path: Path) -> None:
    assert capability.commands is not None
    assert isinstance(RUN.invoke(capability.commands, ["list"], obj=tmp_path).exception, BadInput)


def test_an_unreadable_settings_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "port2port.toml").write_bytes(b"[node\xff")
    with pytest.raises(BadInput, match="cannot be read"):
        store_of(tmp_path, {})


def test_the_environment_names_the_store(tmp_path: Path) -> None:
    (tmp_path / "port2port.toml").write_text("[node]\n")
    assert store_of(tmp_path, {"PORT2PORT_NODE__STORE": "postgresql://x"}) == "postgresql://x"
    assert store_of(tmp_path, {}).startswith("sqlite:///")
