"""ISRS location code, also RIS index code (Regulation (EU) 2019/1744 and RIS guidelines): 20 characters.

Country 2, UN location 3 (`XXX`: none), fairway section 5, object reference 5 (its first letter is the kind
of object; `00000`: none), hectometre 5.
"""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.identifiers.text import compact, is_digits, is_letters, passes, refuse

CHARACTERS = 20
NO_LOCATION = "XXX"
NO_OBJECT = "00000"
METRES_PER_HECTOMETRE = 100
_NAME, _EXPECTED = "an ISRS location code", "20 characters such as ATLNZ00001G000921352"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a code says."""

    country: str
    """ISO 3166, two letters."""
    location: str
    """The last three characters of the UN/LOCODE; empty: none."""
    section: str
    """Fairway section, as the country numbers it."""
    object_reference: str
    """Empty: the code is a point on the fairway."""
    hectometre: int
    """From the fairway's zero."""

    @property
    def locode(self) -> str:
        """The UN/LOCODE, empty where there is none."""
        return self.country + self.location if self.location else ""

    @property
    def object_kind(self) -> str:
        """First letter of the object reference, e.g. `L` for a lock and `B` for a bridge as countries use them."""
        return self.object_reference[:1]


def normalise(text: str) -> str:
    """Capitals and digits without spaces or hyphens."""
    return compact(text)


def check(text: str) -> str:
    """The code as 20 characters. Raises `BadInput`."""
    code = normalise(text)
    if len(code) != CHARACTERS or not code.isascii() or not code.isalnum():
        raise refuse(text, _NAME, "it is not 20 letters and digits", _EXPECTED)
    if not is_letters(code[:2]):
        raise refuse(text, _NAME, f"{code[:2]} is not a country", _EXPECTED)
    if not is_letters(code[10]) and code[10:15] != NO_OBJECT:
        raise refuse(text, _NAME, "the object reference begins with neither a letter nor is 00000", _EXPECTED)
    if not is_digits(code[15:]):
        raise refuse(text, _NAME, "it does not end in five digits for the hectometre", _EXPECTED)
    return code


def is_valid(text: str) -> bool:
    return passes(check, text)


def parse(text: str) -> Parts:
    """The parts of a code. Raises `BadInput`."""
    code = check(text)
    return Parts(
        country=code[:2],
        location="" if code[2:5] == NO_LOCATION else code[2:5],
        section=code[5:10],
        object_reference="" if code[10:15] == NO_OBJECT else code[10:15],
        hectometre=int(code[15:]),
    )


def hectometre(distance_m: float) -> int:
    """Metres along the fairway to hectometres: the nearest, halves up (km 45.450 is 00455)."""
    assert distance_m >= 0, "a fairway begins at zero"
    return int(distance_m / METRES_PER_HECTOMETRE + 0.5)
