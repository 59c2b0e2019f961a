"""The code that is read over the phone: what people do to it, and what strangers send in its place."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.errors import BadInput, DecodeError
from port2port.sharing import invitation, short_code
from port2port.sharing.short_code import CODE_LETTERS, LETTERS, Joiner, Knock, ShortCode, answer, make, read, read_knock

KEY, NODE = b"k" * 32, "ab" * 32
codes = st.builds(lambda seed, slot: make(slot, Random(seed).choice), st.integers(), st.sampled_from(LETTERS))


@given(codes)
def test_a_code_is_read_however_it_is_spelled(code: ShortCode) -> None:
    for text in (code.text(), code.text().lower(), code.letters, code.text().replace("-", " "), f" {code.text()}\n"):
        assert read(text) == code


@given(codes, st.integers(0, CODE_LETTERS - 1), st.sampled_from(LETTERS))
def test_any_one_wrong_letter_is_found_before_a_try_is_spent(code: ShortCode, place: int, letter: str) -> None:
    if letter != code.letters[place]:
        with pytest.raises(BadInput, match="mistyped"):
            read(code.letters[:place] + letter + code.letters[place + 1 :])


def test_letters_that_look_alike_are_in_no_code_and_told_as_such() -> None:
    assert not set("0O1I") & set(LETTERS)
    with pytest.raises(BadInput, match="No short code has 0 in it"):
        read("0KQ-M4X-RT9")


def test_a_code_is_spelled_as_in_radio_traffic() -> None:
    assert ShortCode("K7QM4XRT9").spoken() == "Kilo 7 Quebec - Mike 4 X-ray - Romeo Tango 9"


@given(st.text(max_size=30))
def test_any_text_is_a_code_or_refused(text: str) -> None:
    try:
        assert read(text).letters.isascii()
    except BadInput:
        return


@settings(max_examples=10, deadline=None)
@given(codes)
def test_who_knows_the_code_shares_a_secret_that_was_never_sent(code: ShortCode) -> None:
    joiner = Joiner(code)
    knock = joiner.knock()
    said, secret = answer(code, read_knock(knock), KEY, NODE)
    found = joiner.finish(said, "p2p.port.example", 8201)
    assert (found.secret, found.inviter_key, found.inviter_id) == (secret, KEY, NODE)
    assert code.password not in knock + said
    assert secret not in knock + said
    assert invitation.read(found.text()) == found, "it is an invitation of the long kind"


@settings(max_examples=10, deadline=None)
@given(codes, codes)
def test_who_guesses_wrong_shares_nothing(code: ShortCode, guess: ShortCode) -> None:
    if code != guess:
        said, _ = answer(code, read_knock(Joiner(code).knock()), KEY, NODE)
        joiner = Joiner(guess)
        joiner.knock()
        with pytest.raises(BadInput):
            joiner.finish(said, "h", 1)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.binary(min_size=32, max_size=32))
def test_any_bytes_are_a_knock_or_refused(data: bytes, element: bytes) -> None:
    code = ShortCode("K7QM4XRT9")
    for said in (data, msgspec.json.encode(Knock(slot="K", element=b"A" + element))):
        with suppress(DecodeError):
            answer(code, read_knock(said), KEY, NODE)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_answer_is_an_invitation_or_refused(data: bytes) -> None:
    joiner = Joiner(ShortCode("K7QM4XRT9"))
    joiner.knock()
    with pytest.raises(BadInput):
        joiner.finish(data, "h", 1)


def test_points_that_would_give_the_secret_away_are_refused() -> None:
    """Small-order points of the curve: the shared element would not depend on the code."""
    for point in (b"\x01" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"):
        with pytest.raises(DecodeError):
            answer(ShortCode("K7QM4XRT9"), Knock(slot="K", element=b"A" + point), KEY, NODE)


def test_a_joiners_own_words_sent_back_are_refused() -> None:
    joiner = Joiner(ShortCode("K7QM4XRT9"))
    element = msgspec.json.decode(joiner.knock(), type=Knock).element
    said = short_code.KnockAnswer(element=element, public_key=KEY, inviter=NODE, proof=bytes(32))
    with pytest.raises(BadInput):
        joiner.finish(msgspec.json.encode(said), "h", 1)
