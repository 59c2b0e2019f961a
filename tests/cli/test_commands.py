"""The command line says what, why and what next, and ends with a number for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from port2port.__main__ import port2port
from port2port.cli import run, table


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(port2port, [str(each) for each in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def harbour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "harbour"
    code, out, _ = said(capsys, "--data", folder, "init", "--name", "Port of Ostend", "--short-name", "Ostend")
    assert code == 0
    assert "serve" in out
    return folder


def test_a_new_node_is_in_order(harbour: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--data", harbour, "doctor")
    assert code == 0
    assert "Port of Ostend" in out
    assert "in order" in out


def test_init_does_not_overwrite(harbour: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "--data", harbour, "init", "--name", "x", "--short-name", "x")
    assert code == 5
    assert "exists already" in err


def test_a_folder_without_a_node_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "--data", tmp_path / "nowhere", "doctor")
    assert code == 4
    assert "port2port init" in err


def test_a_wrong_setting_is_named_and_the_node_does_not_start(
    harbour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (harbour / "port2port.toml").open("a") as file:
        file.write("[vessels]\nzone_file = 'x'\n")
    code, _, err = said(capsys, "--data", harbour, "serve")
    assert code == 2
    assert "vessels.zone_file" in err
    assert "Did you mean 'vessels.zones_file'?" in err


def test_a_setting_is_explained(harbour: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--data", harbour, "config", "explain", "node.name")
    assert code == 0
    assert "'Port of Ostend'" in out
    assert "port2port.toml" in out


def test_an_invitation_is_printed_to_those_who_may_invite_only(
    harbour: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capsys, "--data", harbour, "network", "invite", "--for", "Port of Ghent")
    assert (code, "set roles in [node]" in err) == (3, True), err
    with (harbour / "port2port.toml").open("a") as file:
        file.write('roles = ["invites"]\n[sharing]\nlisten = "127.0.0.1:8299"\n')
    code, out, err = said(capsys, "--data", harbour, "network", "invite", "--for", "Port of Ghent")
    assert (code, "network join CODE" in out) == (0, True), err
    code, out, _ = said(capsys, "--data", harbour, "journal", "tail", "-n", "5")
    assert "MemberInvited" in [json.loads(line)["kind"] for line in out.splitlines()]


def test_an_agreement_and_a_group_begin_a_network(harbour: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = (harbour / "port2port.toml").read_text()
    roles = settings + 'roles = ["invites"]\n[sharing]\nlisten = "127.0.0.1:8299"\n'
    (harbour / "port2port.toml").write_text(roles)
    code, out, err = said(capsys, "--data", harbour, "network", "agree", "Coast ports", "--days", "30")
    assert (code, "network accede" in out) == (0, True), err
    assert said(capsys, "--data", harbour, "network", "group", "Coast", "Port of Ostend")[0] == 0
    code, _, err = said(capsys, "--data", harbour, "network", "group", "Coast", "Port of Nowhere")
    assert code == 4
    assert "network show" in err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--help")
    assert code == 0
    assert all(name in out for name in ("demo", "init", "serve", "doctor", "journal", "config", "network", "vessels"))


def test_a_mistyped_command_ends_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "sreve")[0] == 2


def test_a_table_aligns_and_explains_itself_when_empty() -> None:
    shown = table(["what", "n"], [["a", 5], ["bb", 12]])
    assert shown.splitlines() == ["what   n", "────  ──", "a      5", "bb    12"]
    assert table(["what"], [], empty="No partners yet.") == "No partners yet."
