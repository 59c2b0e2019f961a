"""The tree of errors: what a person reads, and what a program catches."""

from __future__ import annotations

import pytest

from port2port.core.errors import BadInput, Conflict, DecodeError, NotAllowed, NotFound, Port2PortError, Unavailable


@pytest.mark.parametrize("kind", [BadInput, DecodeError, NotAllowed, NotFound, Conflict, Unavailable])
def test_an_error_says_what_is_wrong_and_what_to_do_next(kind: type[Port2PortError]) -> None:
    error = kind("The file is empty.", hint="Choose another file.")
    assert isinstance(error, Port2PortError)
    assert str(error) == "The file is empty. Choose another file."
    assert (error.message, error.hint) == ("The file is empty.", "Choose another file.")


def test_without_a_hint_nothing_trails() -> None:
    assert str(NotFound("There is no such incident.")) == "There is no such incident."


def test_bytes_that_cannot_be_read_are_bad_input_with_a_countable_reason() -> None:
    assert issubclass(DecodeError, BadInput)
    assert DecodeError("Too short.").reason == "malformed"
    assert DecodeError("Too short.", reason="checksum").reason == "checksum"


def test_the_five_branches_do_not_catch_each_other() -> None:
    branches = (BadInput, NotAllowed, NotFound, Conflict, Unavailable)
    assert all(not issubclass(a, b) for a in branches for b in branches if a is not b)
