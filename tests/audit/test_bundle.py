"""An exported log is checked by one file that knows nothing of the node."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from audit_kit import Keeper

from port2port.core.errors import Conflict, NotFound
from port2port.sharing.audit import bundle, checkpoint, verify_bundle
from port2port.sharing.audit.running import known_keys
from port2port.store.identity import public_bytes


def export(keeper: Keeper, folder: Path) -> int:
    with keeper.site.store.reading() as view:
        party = keeper.site.party
        return bundle.export(view, folder, party.node_id, party.name, lambda node: known_keys(keeper.peers, view, node))


def vkey(keeper: Keeper) -> str:
    return checkpoint.log_key(keeper.id, public_bytes(keeper.site.identity)).vkey()


@pytest.fixture
def exported(keeper: Keeper, tmp_path: Path) -> Path:
    keeper.grow(500)
    with keeper.site.store.transaction() as tx:
        keeper.parts.log.erase(tx, [9], "asked", "officer")
    keeper.grow(100)
    keeper.checkpoint()
    assert export(keeper, tmp_path / "bundle") == 601
    return tmp_path / "bundle"


def test_an_exported_log_is_whole(exported: Path, keeper: Keeper) -> None:
    found = verify_bundle.verify(exported)
    assert found.problems == []
    assert any("601 entries" in each for each in found.facts)
    assert any("content of 1 was erased" in each for each in found.facts)
    assert any("Compare keys.txt" in each for each in found.facts)
    trusted = verify_bundle.verify(exported, [vkey(keeper)])
    assert trusted.problems == []
    assert not any("Compare" in each for each in trusted.facts)


def test_with_another_key_than_the_logs_nothing_holds(exported: Path) -> None:
    other = Keeper(2)
    assert verify_bundle.verify(exported, [vkey(other)]).problems
    other.close()


def test_the_file_runs_alone_and_answers_with_its_exit_code(exported: Path, tmp_path: Path) -> None:
    alone = tmp_path / "verify_bundle.py"
    shutil.copy(str(verify_bundle.__file__), alone)
    command = [sys.executable, "-I", str(alone), str(exported)]
    good = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (good.returncode, good.stdout.splitlines()[0]) == (0, "The log is whole."), good.stderr
    records = exported / "records.jsonl"
    records.write_text(records.read_text().replace("someone-3", "someone-4"))
    bad = subprocess.run(command, capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert "was changed" in bad.stdout


def test_the_file_needs_the_standard_library_and_cryptography_only() -> None:
    tree = ast.parse(Path(str(verify_bundle.__file__)).read_text())
    names = {each.module or "" for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
    names |= {name.name for each in ast.walk(tree) if isinstance(each, ast.Import) for name in each.names}
    roots = {name.partition(".")[0] for name in names}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}


def test_confirmations_of_partners_come_along(network: object, tmp_path: Path) -> None:
    nodes: list[Keeper] = network(4)  # type: ignore[operator]
    nodes[0].grow(30)
    nodes[0].round()
    export(nodes[0], tmp_path / "bundle")
    found = verify_bundle.verify(tmp_path / "bundle")
    assert found.problems == []
    confirmed = nodes[0].checkpoint().size
    assert f"Confirmed to entry {confirmed} by 3:" in found.facts


def test_every_byte_that_is_altered_in_what_counts_is_found(exported: Path) -> None:
    random = Random(7)
    files = sorted(
        each for each in exported.rglob("*") if each.is_file() and each.name not in ("about.json", "keys.txt")
    )
    for _ in range(120):
        path = random.choice(files)
        good = path.read_bytes()
        at = random.randrange(len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << random.randrange(8)]) + good[at + 1 :])
        assert verify_bundle.verify(exported).problems, (path, at)
        path.write_bytes(good)
    assert verify_bundle.verify(exported).problems == []


def test_every_file_that_is_cut_or_missing_is_found(exported: Path) -> None:
    for path in sorted(each for each in exported.rglob("*") if each.is_file()):
        good = path.read_bytes()
        if path.parent.name == "checkpoints":
            continue
        path.write_bytes(good[: len(good) // 2])
        assert verify_bundle.verify(exported).problems, path
        path.unlink()
        assert verify_bundle.verify(exported).problems, path
        path.write_bytes(good)


def test_a_hostile_bundle_is_a_problem_and_no_crash(exported: Path) -> None:
    hostile = (b"", b"\xff\xfe", b"[]", b"[" * 100_000, b"{}", b'{"format": 1}', b"\n\n", b"0" * 100_000)
    for path in sorted(each for each in exported.rglob("*") if each.is_file() and each.parent == exported):
        good = path.read_bytes()
        for data in hostile:
            path.write_bytes(data)
            assert verify_bundle.verify(exported).problems, (path, data[:10])
        path.write_bytes(good)


def test_a_folder_with_something_in_it_is_left_alone(exported: Path, keeper: Keeper) -> None:
    with pytest.raises(Conflict):
        export(keeper, exported)


def test_there_is_nothing_to_export_before_the_first_checkpoint(keeper: Keeper, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        export(keeper, tmp_path / "bundle")
