"""Lines and posts of strangers: read strictly, or refused."""

from __future__ import annotations

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.errors import BadInput, DecodeError
from port2port.sharing import documents, envelope, invitation, wire
from port2port.sharing.entry import Cursor, Entry, Header, commitment, follow, sign
from port2port.sharing.limits import MAX_BODY_BYTES, MAX_LINE_BYTES, MAX_PAGE_ENTRIES, PAGE_BODY_BYTES

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _page(*bodies: bytes) -> tuple[list[Entry], bytes]:
    cursor, entries = Cursor(), []
    for body in bodies:
        header = Header(bytes(16), cursor.sequence + 1, 1, 1_700_000_000_000, commitment(bytes(16), body))
        cursor = follow(cursor, header)
        entries.append(Entry(header, bytes(16), body))
    return entries, wire.encode(wire.page_line(entries, sign(KEY, bytes(16), cursor, 1_700_000_000_000)))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_a_page_comes_back_as_it_was_sent(bodies: list[bytes]) -> None:
    entries, line = _page(*bodies)
    message = wire.decode(line)
    assert isinstance(message, wire.PageLine)
    assert wire.entries_of(message)[0] == entries


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_as_a_line_are_read_or_refused(data: bytes) -> None:
    for read in (wire.decode, wire.decode_acks, envelope.decode, documents.decode):
        with pytest.raises(DecodeError):
            read(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(
    st.sampled_from(["page", "lane", "beat", "stop", "x"]),
    st.dictionaries(
        st.sampled_from(["lane", "entries", "chain", "ts_ms", "signature", "origin", "audience", "urgency", "epoch"]),
        _json,
    ),
)
def test_anything_shaped_like_a_line_is_read_or_refused(kind: str, fields: dict[str, object]) -> None:
    data = msgspec.json.encode({"type": kind, **fields})
    try:
        message = wire.decode(data)
    except DecodeError:
        return
    assert isinstance(message, wire.BeatLine)
    assert message.ts_ms >= 0


@settings(max_examples=200)
@given(st.data())
def test_one_changed_byte_in_a_page_never_gives_the_same_entries_with_other_content(data: st.DataObject) -> None:
    _, line = _page(b'{"a":1}', b'{"b":2}')
    at = data.draw(st.integers(0, len(line) - 2))
    changed = bytearray(line)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        message = wire.decode(bytes(changed))
    except DecodeError:
        return
    assert isinstance(message, wire.PageLine)
    got, checkpoint = wire.entries_of(message)
    same = wire.decode(line)
    assert message == same or (got, checkpoint) != wire.entries_of(same)  # some bits of base64 carry nothing


def test_a_full_page_of_our_own_making_fits_in_a_line() -> None:
    size = PAGE_BODY_BYTES // MAX_PAGE_ENTRIES
    _, line = _page(*[b"x" * size] * MAX_PAGE_ENTRIES)
    assert len(line) <= MAX_LINE_BYTES
    _, largest = _page(b"x" * MAX_BODY_BYTES)
    assert len(largest) <= MAX_LINE_BYTES
    wire.decode(line)


def test_what_is_too_large_is_refused_by_name() -> None:
    for line, reason in (
        (b" " * (MAX_LINE_BYTES + 1), "line-too-long"),
        (_page(b"x" * (MAX_BODY_BYTES + 1))[1], "body-too-large"),
        (_page(*[b"x"] * (MAX_PAGE_ENTRIES + 1))[1], "bad-page"),
    ):
        with pytest.raises(DecodeError) as refused:
            wire.decode(line)
        assert refused.value.reason == reason


def test_cursors_come_back_as_they_were_sent_and_nothing_else_is_read() -> None:
    cursors = {bytes(16): Cursor(3, b"c" * 32), b"\1" * 16: Cursor()}
    assert wire.decode_cursors(wire.encode_cursors(cursors)) == cursors
    assert wire.decode_cursors("") == {}
    for text in ("x", "00:1:00", f"{'0' * 32}:-1:{'0' * 64}", f"{'0' * 32}:1:{'0' * 63}", ",".join(["0"] * 2000)):
        with pytest.raises(DecodeError):
            wire.decode_cursors(text)


def test_an_envelope_that_is_too_large_or_no_json_is_not_sent() -> None:
    usual = {"origin": "a", "kind": "incident", "object_id": "i", "version": 1, "handling": None}
    for content in (b"{", b'"' + b"x" * MAX_BODY_BYTES + b'"'):
        with pytest.raises(BadInput):
            envelope.encode(envelope.Envelope(**usual, object=msgspec.Raw(content)))


CODE = invitation.Code("p2p.port.example", 8201, bytes(range(16)), bytes(range(32)))


def test_an_invitation_code_survives_paste_and_lower_case() -> None:
    text = CODE.text()
    assert text.startswith("P2P1-")
    assert invitation.read(text) == CODE
    assert invitation.read(f"  {text.lower()} \n") == CODE
    assert invitation.read(text.replace("-", " ").replace("P2P1 ", "P2P1-")) == CODE


@settings(max_examples=200)
@given(st.data())
def test_a_mistyped_code_is_found(data: st.DataObject) -> None:
    text = CODE.text()
    at = data.draw(st.sampled_from([i for i in range(5, len(text) - 1) if text[i] != "-"]))
    letter = data.draw(st.sampled_from([each for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" if each != text[at]]))
    with pytest.raises(BadInput):
        invitation.read(text[:at] + letter + text[at + 1 :])


@given(st.text(max_size=200))
def test_any_text_as_code_is_refused(text: str) -> None:
    for each in (text, "P2P1-" + text):
        with pytest.raises(BadInput):
            invitation.read(each)


def test_the_invitations_key_depends_on_secret_and_inviter() -> None:
    other = invitation.Code(CODE.host, CODE.port, bytes(16), CODE.inviter_key)
    third = invitation.Code(CODE.host, CODE.port, CODE.secret, bytes(32))
    assert len({CODE.subject(), other.subject(), third.subject()}) == 3
    assert len(base64.b32encode(CODE.secret)) * 5 >= 100
