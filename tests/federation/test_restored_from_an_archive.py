"""A node that is lost comes back out of an archive, on another disk, and goes on without using a number twice."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from port2port.__main__ import port2port
from port2port.cli import run
from port2port.core.exchange import ObjectArrived, ObjectErased
from port2port.sharing import capability, tables
from port2port.sharing.facts import LaneRestored, LaneStopped, ObjectPublished, RecallConfirmed
from port2port.sharing.lane import lane_for
from port2port.sharing.recall import Why
from port2port.sharing.recalling import take_back
from port2port.sharing.running import assemble
from port2port.testing import site as make_site

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""A node is stopped in the middle of a TLS handshake: asyncio of Python 3.11 leaves the transport to the collector."""


def _settle_in(node: Any, folder: Path) -> None:
    """What stands beside the database of a node that `serve` runs."""
    pem = node.site.identity.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "identity.key").write_bytes(pem)
    (folder / "identity.key").chmod(0o600)
    names = {"name": node.site.party.name, "short_name": node.site.party.short_name}
    lines = [f"{key} = {json.dumps(value)}" for key, value in names.items()]
    (folder / "port2port.toml").write_text("[node]\n" + "\n".join(lines) + "\n")


def _goes_on_in(node: Any, folder: Path) -> None:
    """The node runs again, on this folder and at its old address."""
    opened = make_site(
        capabilities=[capability],
        url=f"sqlite:///{folder / 'node.db'}",
        name=node.site.party.name,
        seed=node.seed,
        clock=node.clock,
    )
    node.site = replace(node.site, store=opened.store)
    node.settings = replace(node.settings, listen=node.fixed_address)
    node.parts = assemble(node.site, node.settings)


def _backed_up(world: Any, tmp_path: Path) -> tuple[Any, Any]:
    """Two nodes, the first on disk, and nothing shared yet."""
    harbour = tmp_path / "harbour"
    harbour.mkdir()
    antwerp, ostend = nodes = [world.node("Antwerp", inside=harbour), world.node("Ostend")]
    _settle_in(antwerp, harbour)
    world.acquaint(nodes, world.papers(nodes))
    return antwerp, ostend


def _lose_and_restore(node: Any, tmp_path: Path) -> None:
    """The machine is gone; the archive with its keys goes into another folder."""
    node.fixed_address = node.address
    node.stop()
    node.site.store.close()
    shutil.rmtree(tmp_path / "harbour")
    (archive,) = (tmp_path / "backups").iterdir()
    assert run(port2port, ["--data", str(tmp_path / "moved"), "restore", str(archive)]) == 0
    _goes_on_in(node, tmp_path / "moved")


def _body(node: Any, object_id: str) -> bytes | None:
    with node.site.store.reading() as view:
        return view.body(object_id, 1)  # type: ignore[no-any-return]


def test_a_lost_node_restored_elsewhere_fetches_its_word_back_and_goes_on(world: Any, tmp_path: Path) -> None:
    harbour, backups, moved = tmp_path / "harbour", tmp_path / "backups", tmp_path / "moved"
    harbour.mkdir()
    antwerp, ostend = nodes = [world.node("Antwerp", inside=harbour), world.node("Ostend")]
    _settle_in(antwerp, harbour)
    world.acquaint(nodes, world.papers(nodes))
    antwerp.share("a")
    ostend.wait_for(ObjectArrived)
    assert run(port2port, ["--data", str(harbour), "backup", "--no-encryption", "--verify", str(backups)]) == 0
    antwerp.share("b")
    antwerp.share("c")
    ostend.wait_for(ObjectArrived, 3)
    lane = lane_for(antwerp.label(), urgent=False).id
    told = antwerp.facts(ObjectPublished)[-1].sequence
    antwerp.fixed_address = antwerp.address
    antwerp.stop()
    antwerp.site.store.close()
    shutil.rmtree(harbour)

    (archive,) = backups.iterdir()
    assert run(port2port, ["--data", str(moved), "restore", str(archive)]) == 0
    _goes_on_in(antwerp, moved)
    with antwerp.site.store.reading() as view:
        row = tables.find_lane(view, lane)
        assert row is not None
        assert row.cursor.sequence < told
        assert view.body("a", 1) == b'{"id":"a","v":1}'
    antwerp.share("d")
    antwerp.start()

    antwerp.wait_for(LaneRestored)
    ostend.wait_for(ObjectArrived, 4)
    assert ostend.arrived() == [("a", 1), ("b", 1), ("c", 1), ("d", 1)]
    assert antwerp.facts(ObjectPublished)[-1].sequence == told + 1
    assert ostend.facts(LaneStopped) == []


def _back_up(tmp_path: Path) -> None:
    arguments = ["--data", str(tmp_path / "harbour"), "backup", "--no-encryption", str(tmp_path / "backups")]
    assert run(port2port, arguments) == 0


def test_what_the_node_erased_after_the_backup_is_erased_again(world: Any, tmp_path: Path) -> None:
    antwerp, ostend = _backed_up(world, tmp_path)
    antwerp.share("a")
    antwerp.share("b")
    ostend.wait_for(ObjectArrived, 2)
    _back_up(tmp_path)
    take_back(antwerp.site, ["a"], "erase", Why.COURT_ORDER, "officer")
    antwerp.wait_for(RecallConfirmed)
    assert _body(antwerp, "a") is None

    _lose_and_restore(antwerp, tmp_path)
    assert _body(antwerp, "a") is not None
    antwerp.start()
    antwerp.until(lambda: _body(antwerp, "a") is None)
    assert _body(antwerp, "b") is not None
    assert len(antwerp.wait_for(ObjectErased)) == 1


def test_what_a_partner_erased_after_the_backup_is_erased_here_again(world: Any, tmp_path: Path) -> None:
    antwerp, ostend = _backed_up(world, tmp_path)
    ostend.share("a")
    ostend.share("b")
    antwerp.wait_for(ObjectArrived, 2)
    _back_up(tmp_path)
    take_back(ostend.site, ["a"], "erase", Why.DATA_SUBJECT, "officer")
    ostend.wait_for(RecallConfirmed)

    _lose_and_restore(antwerp, tmp_path)
    assert _body(antwerp, f"{ostend.id}.a") is not None
    antwerp.start()
    antwerp.until(lambda: _body(antwerp, f"{ostend.id}.a") is None)
    assert _body(antwerp, f"{ostend.id}.b") is not None


def test_a_connection_that_began_after_the_backup_gets_no_number_twice(world: Any, tmp_path: Path) -> None:
    antwerp, ostend = _backed_up(world, tmp_path)
    _back_up(tmp_path)
    antwerp.share("a")
    ostend.wait_for(ObjectArrived)

    _lose_and_restore(antwerp, tmp_path)
    antwerp.share("b")
    antwerp.start()
    ostend.wait_for(ObjectArrived, 2)
    assert ostend.arrived() == [("a", 1), ("b", 1)]
    assert antwerp.facts(ObjectPublished)[-1].sequence == 2
    assert ostend.facts(LaneStopped) == []
