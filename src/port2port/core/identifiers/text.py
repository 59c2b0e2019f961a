"""What all identifier modules need: bounded text, and one way to refuse."""

from __future__ import annotations

from collections.abc import Callable

from port2port.core.errors import BadInput

MAX_TEXT_CHARACTERS = 64
"""No identifier is longer, however it is spaced; the rest of a longer text is not looked at."""

SEPARATORS = " \t\r\n\u00a0\u2009\u202f-\u2010\u2011\u2012\u2013\u2014._/·:"
_LOWER, _UPPER = "abcdefghijklmnopqrstuvwxyzäöü", "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜ"
_COMPACT = str.maketrans(_LOWER, _UPPER, SEPARATORS)
_SPACED = str.maketrans(_LOWER + SEPARATORS, _UPPER + "-" * len(SEPARATORS))


def compact(text: str) -> str:
    """Capitals, without spaces, hyphens, dots, slashes and colons. `ß` or `ı` are not taken for letters of ours."""
    return text[: MAX_TEXT_CHARACTERS + 1].translate(_COMPACT)


def words(text: str) -> tuple[str, ...]:
    """The same, cut where the separators stood."""
    return tuple(word for word in text[: MAX_TEXT_CHARACTERS + 1].translate(_SPACED).split("-") if word)


def without_label(text: str, label: str) -> str:
    """Compact, without a label such as `IMO` in front, also when it was written twice."""
    plain = compact(text)
    while plain.startswith(label):
        plain = plain.removeprefix(label)
    return plain


def is_digits(text: str) -> bool:
    """Digits 0 to 9 only: `str.isdigit` also takes those of other scripts."""
    return bool(text) and all("0" <= character <= "9" for character in text)


def is_letters(text: str) -> bool:
    """Letters A to Z only."""
    return bool(text) and all("A" <= character <= "Z" for character in text)


def refuse(text: str, name: str, wrong: str, expected: str) -> BadInput:
    """The error for a text that is no such identifier; what was typed is shown shortened."""
    shown = text if len(text) <= MAX_TEXT_CHARACTERS else text[:MAX_TEXT_CHARACTERS] + "…"
    return BadInput(f"{shown!r} is not {name}: {wrong}.", hint=f"Expected {expected}.")


def passes(check: Callable[[str], object], text: str) -> bool:
    """Whether `check` takes the text."""
    try:
        check(text)
    except BadInput:
        return False
    return True
