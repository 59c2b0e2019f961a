"""Tools of others read what we write, and confirm it: aics-tlog and aics-witness, made from C2SP alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audit_kit import Keeper
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.sharing.audit import bundle, checkpoint, log, merkle, note
from port2port.sharing.audit.note import read_vkey
from port2port.sharing.audit.running import known_keys
from port2port.sharing.audit.witness import Request

tlog: Any = pytest.importorskip("aics_tlog", reason="aics-tlog needs Python 3.12")
witness: Any = pytest.importorskip("aics_witness", reason="aics-witness needs Python 3.12")
Network = Callable[[int], list[Keeper]]


@pytest.fixture
def exported(network: Network, tmp_path: Path) -> Path:
    first = network(4)[0]
    first.grow(700)
    first.round()
    with first.site.store.reading() as view:
        party = first.site.party
        bundle.export(view, tmp_path / "log", party.node_id, party.name, lambda id: known_keys(first.peers, view, id))
    return tmp_path / "log"


def test_a_foreign_tool_verifies_checkpoint_confirmations_and_every_tile(exported: Path) -> None:
    keys = [tlog.parse_vkey(line) for line in (exported / "keys.txt").read_text().splitlines()]
    signed = tlog.parse_note((exported / "checkpoint").read_text())
    said = tlog.parse_checkpoint(signed.text)
    result = tlog.verify_checkpoint(signed, keys[0], keys[1:], quorum=3, expected_origin=said.origin)
    assert result.ok, result
    tlog.audit_tiles(tlog.FileSystemTileReader(exported), said.size, said.root)


def test_foreign_proofs_are_ours_and_the_other_way_round(exported: Path) -> None:
    reader = tlog.FileSystemTileReader(exported)
    said = tlog.parse_checkpoint(tlog.parse_note((exported / "checkpoint").read_text()).text)
    for place in (0, 1, 255, 256, said.size - 1):
        proof = tlog.inclusion_proof_from_tiles(reader, place, said.size)
        leaf = merkle.leaf_hash(tlog.read_entry(reader, place, said.size))
        assert merkle.is_included(leaf, place, said.size, proof, said.root)
    for old in (1, 100, 256, said.size - 1):
        root = tlog.tree_root_from_tiles(reader, old, said.size)
        proof = tlog.consistency_proof_from_tiles(reader, old, said.size)
        assert merkle.is_consistent(old, root, said.size, said.root, proof)


def test_a_foreign_witness_confirms_our_log_and_refuses_a_rewritten_one(keeper: Keeper, tmp_path: Path) -> None:
    key = checkpoint.log_key(keeper.id, known_keys_of(keeper)[0])
    store = witness.WitnessStore(tmp_path / "witness.db", create=True)
    logs = [witness.LogConfig(key.name, (tlog.parse_vkey(key.vkey()),))]
    foreign = witness.Witness("witness.example/w1", Ed25519PrivateKey.generate(), store, logs)
    cosigner = read_vkey(foreign.vkey_text)
    old = 0
    for _ in range(3):
        keeper.grow(300)
        text, body = request(keeper, old)
        (line,) = note.read_signatures(foreign.add_checkpoint(body).decode())
        assert checkpoint.cosigned_at(text, line, cosigner) is not None
        old = keeper.checkpoint().size
    keeper.sql("UPDATE sharing_audit_leaf SET entry = :other WHERE place = 890", other=bytes(32))
    keeper.sql("DELETE FROM sharing_audit_checkpoint")
    keeper.grow(5)
    with pytest.raises(witness.WitnessError):
        foreign.add_checkpoint(request(keeper, old)[1])
    store.close()


def known_keys_of(keeper: Keeper) -> tuple[bytes, ...]:
    with keeper.site.store.reading() as view:
        return known_keys(keeper.peers, view, keeper.id)


def request(keeper: Keeper, old: int) -> tuple[str, bytes]:
    made = keeper.checkpoint()
    with keeper.site.store.reading() as view:
        proof = log.consistency(view, old, made.size)
    signed = note.decode(made.note)
    return signed.text, Request(old, tuple(proof), signed).encode()
