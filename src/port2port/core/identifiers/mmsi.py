"""Maritime mobile service identity (ITU-R M.585-9): nine digits whose beginning says what kind of station it is.

There is no check digit, and the number changes with the flag: it is never a key of ours.
"""

from __future__ import annotations

from enum import StrEnum

from port2port.core.identifiers import mid
from port2port.core.identifiers.text import is_digits, passes, refuse, without_label

DIGITS = 9
_NAME, _EXPECTED = "an MMSI", "nine digits such as 205123000"


class Kind(StrEnum):
    """What carries the identity."""

    SHIP = "ship"
    GROUP = "group"
    COAST = "coast"
    SAR_AIRCRAFT = "sar-aircraft"
    ATON = "aton"
    CRAFT = "craft"
    """Belongs to a parent ship."""
    HANDHELD = "handheld"
    SART = "sart"
    MOB = "mob"
    EPIRB = "epirb"


MARKERS = (
    ("111", Kind.SAR_AIRCRAFT),
    ("970", Kind.SART),
    ("972", Kind.MOB),
    ("974", Kind.EPIRB),
    ("99", Kind.ATON),
    ("98", Kind.CRAFT),
    ("00", Kind.COAST),
    ("0", Kind.GROUP),
    ("8", Kind.HANDHELD),
    ("", Kind.SHIP),
)
"""The digits before the MID, the longest first."""
WITHOUT_MID = frozenset({Kind.SART, Kind.MOB, Kind.EPIRB})
"""Their next digits are the maker's, not a country's."""


def normalise(text: str) -> str:
    """Digits without `MMSI` in front."""
    return without_label(text, "MMSI")


def check(text: str) -> str:
    """The identity as nine digits. Raises `BadInput`."""
    number = normalise(text)
    if len(number) != DIGITS or not is_digits(number):
        raise refuse(text, _NAME, "it is not nine digits", _EXPECTED)
    digits = mid_of(number)
    if digits is not None and not mid.FIRST <= int(digits) <= mid.LAST:
        wrong = f"{digits} stands where the country's digits 201 to 775 belong"
        raise refuse(text, _NAME, wrong, _EXPECTED)
    return number


def is_valid(text: str) -> bool:
    return passes(check, text)


def kind(number: str) -> Kind:
    """What a checked identity belongs to."""
    return _split(number)[1]


def mid_of(number: str) -> str | None:
    """The country's digits in nine digits; None for kinds that have none."""
    marker, what = _split(number)
    return None if what in WITHOUT_MID else number[len(marker) : len(marker) + 3]


def country(number: str) -> str | None:
    """ISO 3166 code of the state that gave a checked identity; None: none, or not known."""
    return mid.COUNTRY_OF_MID.get(mid_of(number) or "")


def _split(number: str) -> tuple[str, Kind]:
    return next(each for each in MARKERS if number.startswith(each[0]))
