"""IMO ship identification number (IMO resolution A.1117(30)): seven digits, the last one a check digit.

Company and registered owner numbers look alike and are checked by other weights; a number that fails here
is not therefore a company's.
"""

from __future__ import annotations

from port2port.core.identifiers.text import is_digits, passes, refuse, without_label

DIGITS = 7
WEIGHTS = (7, 6, 5, 4, 3, 2)
_NAME, _EXPECTED = "an IMO ship number", "seven digits such as 9074729"


def normalise(text: str) -> str:
    """Digits without `IMO` in front."""
    return without_label(text, "IMO")


def check_digit(six_digits: str) -> int:
    """Sum of the digits times 7, 6, 5, 4, 3, 2, modulo 10."""
    return sum(int(digit) * weight for digit, weight in zip(six_digits, WEIGHTS, strict=True)) % 10


def check(text: str) -> str:
    """The number as seven digits. Raises `BadInput`."""
    number = normalise(text)
    if len(number) != DIGITS or not is_digits(number):
        raise refuse(text, _NAME, "it is not seven digits", _EXPECTED)
    if number == "0" * DIGITS:
        raise refuse(text, _NAME, "0000000 stands for a ship that has none", _EXPECTED)
    if check_digit(number[:6]) != int(number[6]):
        wrong = f"the last digit should be {check_digit(number[:6])} if the others are right"
        raise refuse(text, _NAME, wrong, _EXPECTED)
    return number


def is_valid(text: str) -> bool:
    return passes(check, text)
