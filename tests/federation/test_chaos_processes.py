"""Real nodes in network namespaces: cuts, lost packets, kill -9, full disks. Then everybody has what he may, once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from port2port.chaos import namespaces, storm
from port2port.chaos.namespaces import Lab, require_lab
from port2port.cli import run
from port2port.core.errors import Unavailable

SECONDS, NODES, SEED = 15.0, 4, 1


@pytest.fixture
def lab_is_possible() -> None:
    """Where CI promises root, not having a lab is a failure."""
    try:
        require_lab()
    except Unavailable as error:
        if os.environ.get("PORT2PORT_REQUIRE_SERVERS") == "1" and os.geteuid() == 0:
            pytest.fail(f"this machine promises root and servers: {error}")
        pytest.skip(f"real processes in network namespaces: {error}")


@pytest.mark.root
@pytest.mark.timeout(240)
@pytest.mark.usefixtures("lab_is_possible")
def test_after_a_storm_everybody_has_what_he_may_and_nothing_else() -> None:
    report = storm.run_storm(SECONDS, SEED, NODES)
    assert report.as_json()["violations"] == []
    assert report.acknowledged > 20
    assert report.faults.total() >= 3
    assert report.ledger.counts["due"] > report.acknowledged


@pytest.mark.root
@pytest.mark.usefixtures("lab_is_possible")
def test_a_cut_goes_one_way_and_is_mended() -> None:
    with Lab(2) as lab:
        assert _hears(lab, 1, 0)
        lab.cut(0, [1])
        assert not _hears(lab, 1, 0), "packets of host 0 no longer reach host 1"
        lab.mend()
        assert _hears(lab, 1, 0)
    assert not any(name.startswith("p2p") and str(os.getpid()) in name for name in _namespaces())


def test_without_its_programs_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces.shutil, "which", lambda _: None)
    with pytest.raises(Unavailable, match="apt-get install iproute2 nftables"):
        require_lab()


def test_without_a_lab_the_command_ends_with_6(monkeypatch: pytest.MonkeyPatch) -> None:
    from port2port.chaos.cli import chaos

    monkeypatch.setattr(namespaces.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(namespaces.shutil, "which", lambda name: f"/usr/sbin/{name}")
    assert run(chaos, ["processes", "--seconds", "1"]) == 6


def test_a_history_can_be_replayed_by_its_seed() -> None:
    from port2port.chaos.cli import chaos

    done = CliRunner().invoke(chaos, ["simulate", "--seed", "3", "--steps", "5", "--processors", "1"])
    assert done.exit_code == 0, done.output
    assert '"histories":1' in done.output


def _namespaces() -> list[str]:
    folder = Path("/var/run/netns")
    return os.listdir(folder) if folder.exists() else []


def _hears(lab: Lab, listener: int, caller: int) -> bool:
    """Whether a connection from `caller` to `listener` comes about."""
    server = lab.socket_on(listener)
    client = lab.socket_on(caller)
    try:
        server.bind((lab.address(listener), 0))
        server.listen(1)
        client.settimeout(0.5)
        client.connect(server.getsockname())
    except TimeoutError:
        return False
    finally:
        client.close()
        server.close()
    return True
