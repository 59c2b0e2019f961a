"""The node's identity key in its file."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from port2port.core.errors import BadInput
from port2port.store.identity import (
    FILE_NAME,
    FIRST_NAME,
    begin_anew,
    load_or_create,
    owner_of,
    public_bytes,
)


def test_the_key_is_made_once_and_then_stays(tmp_path: Path) -> None:
    first = load_or_create(tmp_path / "node")
    assert public_bytes(load_or_create(tmp_path / "node")) == public_bytes(first)
    assert len(public_bytes(first)) == 32


def test_two_nodes_have_two_keys(tmp_path: Path) -> None:
    assert public_bytes(load_or_create(tmp_path / "a")) != public_bytes(load_or_create(tmp_path / "b"))


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_key_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        load_or_create(tmp_path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / FILE_NAME).write_bytes(pem)
    (tmp_path / FILE_NAME).chmod(0o600)
    with pytest.raises(BadInput, match="not an Ed25519 key"):
        load_or_create(tmp_path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\xff\xfe"])
def test_a_damaged_key_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    (tmp_path / FILE_NAME).chmod(0o600)
    with pytest.raises(BadInput, match="backup"):
        load_or_create(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_many_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = {public_bytes(key) for key in threads.map(lambda _: load_or_create(tmp_path), range(8))}
    assert len(keys) == 1
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_a_node_changes_its_key_and_stays_who_it_is(tmp_path: Path) -> None:
    node = load_or_create(tmp_path)
    who, old, coming = node.node_id, public_bytes(node), public_bytes(node.next_key())
    assert public_bytes(load_or_create(tmp_path).next_key()) == coming, "the same until it is taken up"
    beside = load_or_create(tmp_path)
    assert not node.take_up(bytes(32))
    assert node.take_up(coming)
    assert (public_bytes(node), node.node_id) == (coming, who) != (old, who)
    assert beside.take_up(coming), "another process sees that it was done"
    again = load_or_create(tmp_path)
    assert (public_bytes(again), again.node_id, owner_of(again)) == (coming, who, who)
    assert again.take_up(public_bytes(again.next_key()))
    assert load_or_create(tmp_path).node_id == who


def test_a_lost_key_is_replaced_and_the_node_stays_who_it_is(tmp_path: Path) -> None:
    node = load_or_create(tmp_path)
    fresh = begin_anew(tmp_path, public_bytes(node))
    assert fresh.node_id == node.node_id
    assert public_bytes(fresh) != public_bytes(node)
    assert public_bytes(load_or_create(tmp_path)) == public_bytes(fresh)
    assert [path.name for path in tmp_path.glob("identity.key.before-*")], "the old one is kept, for what it signed"


def test_a_first_key_that_is_none_is_refused(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    (tmp_path / FIRST_NAME).write_text("abc\n")
    with pytest.raises(BadInput, match="no public key"):
        load_or_create(tmp_path)
