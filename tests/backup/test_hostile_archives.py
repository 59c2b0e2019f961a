"""Whatever a file claims to be: it is refused with one sentence, and nothing is written for it."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backup_kit import BASIS, CONTENT, body_of, command, line, plain, write_archive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from port2port.backup.limits import FREE_GROWTH_BYTES, MAX_HEADER_BYTES
from port2port.backup.manifest import FileLine

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Restores a file, which must fail and leave nothing behind; answers what was said."""

    def restore(archive: Path, *options: object) -> str:
        place = tmp_path / "place"
        place.mkdir(exist_ok=True)
        outside = sorted(each for each in tmp_path.rglob("*") if place not in each.parents)
        code = command("--data", place / "moved", "restore", archive, *options)
        said = capsys.readouterr().err
        assert code == 2, said
        assert "Traceback" not in said
        assert list(place.iterdir()) == []
        assert sorted(each for each in tmp_path.rglob("*") if place not in each.parents) == outside
        return said

    return restore


@pytest.fixture
def made(harbour: Path, backups: Path) -> Path:
    """An archive that is not encrypted."""
    path = backups / "made.tar.zst"
    assert command("--data", harbour, "backup", "--no-encryption", path) == 0
    return path


def forged(path: Path, *extra: tuple[str, bytes]) -> Path:
    """An archive with these files beside what each has."""
    members = [*BASIS, *extra]
    write_archive(path, [line(*each) for each in members], [(plain(*each), each[1]) for each in members])
    return path


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/etc/outside",
        "zones/../../outside",
        "zones/./a",
        "zones//a",
        "a\\b",
        "",
        ".",
        "..",
        "a\nb",
        "manifest.json",
        "d/" * 13 + "deep",
        "x" * 251,
    ],
)
def test_a_file_that_would_stand_elsewhere_is_refused(name: str, tmp_path: Path, refused: Refused) -> None:
    archive = tmp_path / "forged.tar.zst"
    lines = [*(line(*each) for each in BASIS), line(name, b"x")]
    members = [(plain(each, content), content) for each, content in BASIS]
    write_archive(archive, lines, [*members, (plain("x", b"x"), b"x")])
    assert "cannot be used" in refused(archive)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_is_refused(kind: bytes, tmp_path: Path, refused: Refused) -> None:
    info = plain("zones", b"")
    info.type, info.linkname = kind, "/etc" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    members = [(plain(each, content), content) for each, content in BASIS]
    lines = [*(line(*each) for each in BASIS), line("zones", b"")]
    archive = tmp_path / "forged.tar.zst"
    write_archive(archive, lines, [*members, (info, b"")])
    assert "no plain file" in refused(archive)


def test_files_that_are_not_those_of_the_list_are_refused(tmp_path: Path, refused: Refused) -> None:
    members = [(plain(each, content), content) for each, content in BASIS]
    lines = [line(*each) for each in BASIS]
    archive = tmp_path / "forged.tar.zst"
    write_archive(archive, lines, [*members, (plain("more", b"x"), b"x")])
    assert "follows its last file" in refused(archive)
    write_archive(archive, [*lines, line("more", b"x")], members)
    assert "cannot be used" in refused(archive)
    write_archive(archive, [*lines, lines[0]], members)
    assert "one of them twice" in refused(archive)
    write_archive(archive, [*lines, line("more", b"x")], [*members, (plain("more", b"y"), b"y")])
    assert "more is not what it was" in refused(archive)


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, refused: Refused) -> None:
    zeros = bytes(FREE_GROWTH_BYTES + 2**20)
    archive = tmp_path / "bomb.tar.zst"
    forged(archive, ("zones/zeros", zeros))
    assert archive.stat().st_size < 100_000
    assert "out of all proportion" in refused(archive)
    write_archive(archive, [*(line(*each) for each in BASIS), FileLine("huge", 2**62, "00" * 32)], [])
    assert "out of all proportion" in refused(archive)


def test_a_database_that_is_none_and_an_identity_that_is_anothers_are_refused(
    made: Path, tmp_path: Path, refused: Refused
) -> None:
    assert "database is damaged" in refused(forged(tmp_path / "forged.tar.zst"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x50",
        b"no archive at all",
        b"\x50\x2a\x4d\x18",
        b"\x50\x2a\x4d\x18\xff\xff\xff\xff",
        b"\x50\x2a\x4d\x18" + (MAX_HEADER_BYTES).to_bytes(4, "little") + b"{}",
        b"\x50\x2a\x4d\x18\x02\x00\x00\x00{}",
        b'\x50\x2a\x4d\x18\x0c\x00\x00\x00{"format":9}',
        b"\x50\x2a\x4d\x18\x10\x00\x00\x00" + b"[" * 16,
    ],
)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path, refused: Refused) -> None:
    archive = tmp_path / "some.tar.zst"
    archive.write_bytes(content)
    assert refused(archive).startswith("Error: This")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 0.999))
def test_an_archive_that_is_cut_off_is_refused(made: Path, tmp_path: Path, refused: Refused, share: float) -> None:
    data = made.read_bytes()
    cut = tmp_path / "cut.tar.zst"
    cut.write_bytes(data[: int(len(data) * share)])
    assert "Nothing was changed" in refused(cut)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 0.999), st.integers(0, 7))
def test_a_flipped_bit_is_found_or_changes_nothing(made: Path, tmp_path: Path, share: float, bit: int) -> None:
    data = bytearray(made.read_bytes())
    data[int(len(data) * share)] ^= 1 << bit
    flipped, moved = tmp_path / "flipped.tar.zst", tmp_path / "moved"
    flipped.write_bytes(data)
    code = command("--data", moved, "restore", flipped)
    assert code in (0, 1, 2)
    assert moved.exists() == (code == 0)
    if code == 0:
        assert body_of(moved, "report-1") == CONTENT
        shutil.rmtree(moved)


def test_a_flipped_bit_under_a_passphrase_is_always_found(
    harbour: Path, backups: Path, secret: Path, tmp_path: Path, refused: Refused
) -> None:
    archive = backups / "sealed.p2pbackup"
    assert command("--data", harbour, "backup", "--passphrase-file", secret, archive) == 0
    whole, flipped = archive.read_bytes(), tmp_path / "flipped.p2pbackup"
    for position in (20, 60, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[position] ^= 1
        flipped.write_bytes(data)
        refused(flipped, "--passphrase-file", secret)
    flipped.write_bytes(whole[:-1])
    refused(flipped, "--passphrase-file", secret)
    flipped.write_bytes(whole + b"\0")
    refused(flipped, "--passphrase-file", secret)


def test_keys_of_another_node_are_refused(made: Path, tmp_path: Path, refused: Refused) -> None:
    other = tmp_path / "other"
    assert command("--data", other, "init", "--name", "Port of Ghent", "--short-name", "Ghent") == 0
    assert command("--data", other, "doctor") == 0
    keys = tmp_path / "keys.tar.zst"
    assert command("--data", other, "backup", "--no-encryption", "--keys-only", keys) == 0
    assert "keys of this node" in refused(made, "--keys", keys)
    assert "keys alone" in refused(keys)
