"""Container number (ISO 6346:2022): three owner letters, a category letter U, J or Z, six digits, a check digit.

The remainder 10 is written as 0, so such a number is weaker: one wrong character in it can also give 0.
The standard advises owners against serial numbers with that remainder; they exist all the same.
"""

from __future__ import annotations

from port2port.core.identifiers.text import compact, is_digits, is_letters, passes, refuse

CHARACTERS = 11
CATEGORIES = {"U": "freight container", "J": "detachable equipment", "Z": "trailer or chassis"}
LETTER_VALUES = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (value for value in range(10, 39) if value % 11), strict=True))
"""10 to 38 without the multiples of 11 (ISO 6346 annex A)."""
_NAME, _EXPECTED = "a container number", "four letters and seven digits such as CSQU3054383"


def normalise(text: str) -> str:
    """Capitals and digits without spaces or hyphens."""
    return compact(text)


def remainder(ten_characters: str) -> int:
    """Sum of values times 1, 2, 4 … 512, modulo 11: the check digit, or 10, which is written 0."""
    values = (LETTER_VALUES[each] if each in LETTER_VALUES else int(each) for each in ten_characters)
    return sum(value << place for place, value in enumerate(values)) % 11


def check_digit(ten_characters: str) -> int:
    """The digit that is painted on the container."""
    return remainder(ten_characters) % 10


def check(text: str) -> str:
    """The number as eleven characters. Raises `BadInput`."""
    number = normalise(text)
    if len(number) != CHARACTERS or not is_letters(number[:4]) or not is_digits(number[4:]):
        raise refuse(text, _NAME, "it is not four letters and seven digits", _EXPECTED)
    if number[3] not in CATEGORIES:
        raise refuse(text, _NAME, f"the fourth letter is {number[3]}, and only U, J and Z exist", _EXPECTED)
    if check_digit(number[:10]) != int(number[10]):
        wrong = f"the last digit should be {check_digit(number[:10])} if the others are right"
        raise refuse(text, _NAME, wrong, _EXPECTED)
    return number


def is_valid(text: str) -> bool:
    return passes(check, text)


def is_weak(number: str) -> bool:
    """Whether a checked number has remainder 10, so that its check digit 0 catches less."""
    return remainder(number[:10]) == 10
