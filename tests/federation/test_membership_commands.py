"""The commands of officers and members beside running nodes, as the pages of the documentation use them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.federation.test_joining import _folder, _invite, _open_agreement, _run

from port2port.core.errors import Port2PortError
from port2port.sharing.facts import MemberJoined
from port2port.store.identity import load_or_create, public_bytes


@pytest.fixture
def two(world: Any) -> Any:
    """Antwerp, which began the network, and Ostend, with their folders."""
    antwerp, ostend = (world.node(name, on_disk=True) for name in ("Antwerp", "Ostend"))
    folders = [_folder(world, each) for each in (antwerp, ostend)]
    code = _invite(folders[0], "Port of Ostend")
    _open_agreement(world, antwerp)
    _run(folders[1], "join", code, "--accede")
    ostend.wait_for(MemberJoined, 2)
    return antwerp, ostend, *folders


def test_officers_are_named_sign_and_grant(two: Any) -> None:
    antwerp, ostend, here, there = two
    assert "Each decides alone" in _run(here, "officers")
    assert "1 more officer has signed" in _run(here, "officers", "Antwerp", "Ostend", "--threshold", "2")
    ostend.until(lambda: ostend.parts.peers.network().pending)
    said = _run(there, "show", "--pending")
    assert "2 of these decide from now on: Antwerp, Ostend" in said
    (id,) = re.findall(r"\b[0-9a-f]{8}\b", said)
    assert "it counts from now on" in _run(there, "sign", id, "--yes")
    antwerp.until(lambda: antwerp.parts.peers.network().root.version == 1)
    assert "2 of 2 decide together" in _run(here, "officers")
    assert "1 more officer has signed" in _run(here, "grant", "Ostend", "invites")
    with pytest.raises(Port2PortError, match="gives himself"):
        _run(there, "grant", "Ostend", "invites")


def test_agreements_and_groups_are_listed_left_and_ended(two: Any) -> None:
    antwerp, ostend, here, there = two
    _run(here, "group", "Coast ports", "Ostend")
    ostend.until(lambda: ostend.parts.peers.network().roster.groups)
    assert "Coast ports" in _run(there, "groups")
    assert "has left" in _run(there, "group", "Coast ports", "leave")
    assert "No group yet" in _run(there, "groups")
    antwerp.until(lambda: next(iter(antwerp.parts.peers.network().roster.groups.values())).epoch == 2)
    assert "Ostend" in _run(here, "group", "Coast ports", "add", "Ostend")
    assert "Test agreement" in _run(there, "agreements")
    assert "no longer" in _run(there, "agreement", "end", "Test agreement", "--yes")
    assert "ended" in _run(there, "agreements")


def test_a_member_moves_changes_its_key_and_leaves(two: Any) -> None:
    antwerp, ostend, _, there = two
    assert "Told" in _run(there, "address", ostend.address)
    assert "Announced" in _run(there, "rotate-key", "--days", "2")
    antwerp.until(lambda: len(antwerp.parts.peers.network().keys(ostend.id)) == 2)
    assert "has left the network" in _run(there, "leave", "--yes")
    antwerp.until(lambda: not antwerp.parts.peers.network().is_member(ostend.id))
    assert "by this organisation itself" in _run(there, "show")


def test_a_lost_key_is_replaced_by_the_word_of_officers(two: Any) -> None:
    antwerp, ostend, here, there = two
    ostend.stop()
    ostend.tasks = []
    (line,) = [each for each in _run(there, "new-key", "Ostend", "--yes").splitlines() if "recover" in each]
    assert "counts from now on" in _run(here, *line.split()[2:])
    fresh = load_or_create(there)
    assert fresh.node_id == ostend.id
    assert antwerp.parts.peers.network().keys(ostend.id, antwerp.clock()) == (public_bytes(fresh),)
    with pytest.raises(Port2PortError, match="had before"):
        _run(here, *line.split()[2:])
