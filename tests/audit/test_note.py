"""Signed notes, checkpoints and confirmations: the standard's example, and any bytes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from port2port.core.errors import DecodeError
from port2port.sharing.audit import checkpoint, note
from port2port.sharing.audit.checkpoint import Checkpoint
from port2port.sharing.audit.note import ED25519, Key, Note, Signature

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS_PUBLIC = WITNESS.public_key().public_bytes_raw()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj"
    "OBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
SAID = Checkpoint("port2port/abc", 7, bytes(32))


def test_the_standards_example_is_verified_and_written_back_the_same() -> None:
    key, read = note.read_vkey(VKEY), note.decode(NOTE)
    assert note.verified(read, [key]) == [key]
    assert read.text == "This is an example message.\n"
    assert read.encode() == NOTE
    assert key.vkey() == VKEY


def test_a_note_that_was_altered_is_refused() -> None:
    with pytest.raises(DecodeError, match="does not fit"):
        note.verified(note.decode(NOTE.replace(b"example message", b"example massage")), [note.read_vkey(VKEY)])


def test_signatures_of_strangers_are_passed_over() -> None:
    signed = note.sign(SAID.text(), SAID.origin, KEY)
    stranger = Signature("stranger", b"1234", b"x" * 64)
    same_id = Signature("other", signed.signatures[0].key_id, b"x" * 64)
    mixed = note.decode(Note(signed.text, (stranger, same_id, *signed.signatures)).encode())
    key = Key(SAID.origin, ED25519, PUBLIC)
    assert note.verified(mixed, [key]) == [key]
    assert note.verified(mixed, [Key(SAID.origin, ED25519, WITNESS_PUBLIC)]) == []


def test_a_text_may_have_empty_lines_and_ends_before_the_last_one() -> None:
    signed = note.sign("one\n\n\ntwo\n", "name", KEY)
    assert note.decode(signed.encode()) == signed


def test_sixteen_signatures_are_accepted_and_a_flood_is_not() -> None:
    many = tuple(Signature(f"s{number}", b"1234", b"x" * 64) for number in range(note.MAX_SIGNATURES + 1))
    assert len(note.decode(Note("t\n", many[:16]).encode()).signatures) == 16
    with pytest.raises(DecodeError):
        note.decode(Note("t\n", many).encode())


GOOD = note.sign(SAID.text(), SAID.origin, KEY).encode()


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"text\n",
        b"text\n\n",
        GOOD[:-1],
        GOOD.replace("— ".encode(), b"- "),
        GOOD.replace(b"port2port/abc ", b"port2port/a+c "),
        GOOD.replace(b"\n7\n", b"\n\t7\n"),
        GOOD + b"\n",
        GOOD + b"more\n",
        GOOD[:-2] + b"!\n",
        b"\xff" + GOOD,
        b"x" * note.MAX_NOTE_BYTES + GOOD,
        b"text\n\n" + "— name AAAA\n".encode(),
    ],
)
def test_a_malformed_note_is_refused(wrong: bytes) -> None:
    with pytest.raises(DecodeError):
        note.verified(note.decode(wrong), [Key(SAID.origin, ED25519, PUBLIC)])


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
@example(b"\n\n")
@example("\n\n\n\n— a AAAAAAA=\n".encode())
def test_any_bytes_are_a_note_that_is_written_back_the_same_or_are_refused(data: bytes) -> None:
    for whole in (data, b"text\n\n" + data, GOOD[:40] + data + GOOD[40:]):
        try:
            read = note.decode(whole)
        except DecodeError:
            continue
        assert read.encode() == whole


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120))
@example("a\n1\n" + "A" * 43 + "=\n")
@example("a\n01\n" + "A" * 43 + "=\n")
@example("a\n１\n" + "A" * 43 + "=\n")
def test_any_text_is_a_checkpoint_that_is_written_back_the_same_or_is_refused(text: str) -> None:
    try:
        read = checkpoint.read(text)
    except DecodeError:
        return
    assert read.text() == text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_key_that_is_written_back_the_same_or_is_refused(text: str) -> None:
    for whole in (text, VKEY[:20] + text + VKEY[20:]):
        try:
            assert note.read_vkey(whole).vkey() == whole
        except DecodeError:
            continue


@pytest.mark.parametrize("size", ["-1", "01", "+1", "1 ", "", "9" * 19, "١", "1e3"])
def test_a_size_is_a_plain_number(size: str) -> None:
    with pytest.raises(DecodeError):
        checkpoint.read(SAID.text().replace("\n7\n", f"\n{size}\n"))


def test_a_checkpoint_keeps_its_extension_lines_and_has_no_empty_ones() -> None:
    said = Checkpoint("o", 0, bytes(32), ("one", "two"))
    assert checkpoint.read(said.text()) == said
    with pytest.raises(DecodeError):
        checkpoint.read(said.text() + "\n")


def test_a_checkpoint_is_its_logs_only_when_the_logs_key_signed_it() -> None:
    good = note.decode(GOOD)
    assert checkpoint.of_log(good, "abc", (PUBLIC,)) == SAID
    assert checkpoint.of_log(good, "abc", (WITNESS_PUBLIC, PUBLIC)) == SAID
    assert checkpoint.of_log(good, "abc", (WITNESS_PUBLIC,)) is None
    assert checkpoint.of_log(good, "abd", (PUBLIC,)) is None


def test_a_confirmation_says_when_and_holds_for_this_text_only() -> None:
    key = checkpoint.witness_key("w", WITNESS_PUBLIC)
    line = checkpoint.cosign(SAID.text(), key.name, WITNESS, NOW)
    assert checkpoint.cosigned_at(SAID.text(), line, key) == NOW
    assert checkpoint.cosigned_at(Checkpoint("o", 8, bytes(32)).text(), line, key) is None
    assert checkpoint.cosigned_at(SAID.text(), line, checkpoint.log_key("w", WITNESS_PUBLIC)) is None
    later = Signature(line.name, line.key_id, (2**40).to_bytes(8, "big") + line.data[8:])
    assert checkpoint.cosigned_at(SAID.text(), later, key) is None


def test_a_confirmation_is_made_of_what_the_standard_says() -> None:
    line = checkpoint.cosign(SAID.text(), "port2port/w", WITNESS, NOW)
    seconds = int(NOW.timestamp())
    assert line.data[:8] == seconds.to_bytes(8, "big")
    message = f"cosignature/v1\ntime {seconds}\nport2port/abc\n7\n{'A' * 43}=\n".encode()
    WITNESS.public_key().verify(line.data[8:], message)


def test_a_key_signs_notes_and_confirmations_under_different_ids() -> None:
    assert checkpoint.log_key("w", PUBLIC).id != checkpoint.witness_key("w", PUBLIC).id
