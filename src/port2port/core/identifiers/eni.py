"""European Vessel Identification Number of inland vessels (ES-TRIN art. 2.17 and annex 2): eight digits, for life.

The first three digits are the authority that gave it; `0` and a seven-digit Rhine number, or `9` and the
IMO number, mark vessels that had another number before. Only the last kind has a check digit.
"""

from __future__ import annotations

from port2port.core.errors import BadInput
from port2port.core.identifiers import imo
from port2port.core.identifiers.text import is_digits, passes, refuse, without_label

DIGITS = 8
_NAME, _EXPECTED = "an ENI", "eight digits such as 06105312"

AUTHORITIES = (
    (1, 19, "FR"),
    (20, 39, "NL"),
    (40, 59, "DE"),
    (60, 69, "BE"),
    (70, 79, "CH"),
    (100, 119, "NO"),
    (120, 139, "DK"),
    (140, 159, "GB"),
    (160, 169, "IS"),
    (170, 179, "IE"),
    (180, 189, "PT"),
    (200, 219, "LU"),
    (220, 239, "FI"),
    (240, 259, "PL"),
    (260, 269, "EE"),
    (270, 279, "LT"),
    (280, 289, "LV"),
    (300, 309, "AT"),
    (310, 319, "LI"),
    (320, 329, "CZ"),
    (330, 339, "SK"),
    (350, 359, "HR"),
    (360, 369, "RS"),
    (370, 379, "BA"),
    (380, 399, "HU"),
    (400, 419, "RU"),
    (420, 439, "UA"),
    (440, 449, "BY"),
    (450, 459, "MD"),
    (460, 469, "RO"),
    (470, 479, "BG"),
    (480, 489, "GE"),
    (500, 519, "TR"),
    (520, 539, "GR"),
    (540, 549, "CY"),
    (550, 559, "AL"),
    (560, 569, "MK"),
    (570, 579, "SI"),
    (580, 589, "ME"),
    (600, 619, "IT"),
    (620, 639, "ES"),
    (640, 649, "AD"),
    (650, 659, "MT"),
    (660, 669, "MC"),
    (670, 679, "SM"),
    (700, 719, "SE"),
    (720, 739, "CA"),
    (740, 759, "US"),
    (760, 769, "IL"),
    (800, 809, "AZ"),
    (810, 819, "KZ"),
    (820, 829, "KG"),
    (830, 839, "TJ"),
    (840, 849, "TM"),
    (850, 859, "UZ"),
    (860, 869, "IR"),
)
"""First and last three-digit prefix -> ISO 3166 code of the state (ES-TRIN annex 2). What is not listed is reserve."""


def normalise(text: str) -> str:
    """Digits without `ENI` in front."""
    return without_label(text, "ENI")


def check(text: str) -> str:
    """The number as eight digits. Raises `BadInput`."""
    number = normalise(text)
    if len(number) != DIGITS or not is_digits(number):
        raise refuse(text, _NAME, "it is not eight digits", _EXPECTED)
    if number == "0" * DIGITS:
        raise refuse(text, _NAME, "00000000 stands for a vessel that has none", _EXPECTED)
    if number[0] == "9":
        _check_imo(text, number[1:])
    return number


def _check_imo(text: str, digits: str) -> None:
    try:
        imo.check(digits)
    except BadInput as error:
        wrong = f"after a first digit 9 comes an IMO number, and {digits} is none"
        raise refuse(text, _NAME, wrong, "9 and a valid IMO number, such as 99074729") from error


def is_valid(text: str) -> bool:
    return passes(check, text)


def imo_number(number: str) -> str | None:
    """The IMO number inside a checked ENI, where there is one."""
    return number[1:] if number[0] == "9" else None


def country(number: str) -> str | None:
    """ISO 3166 code of the state whose authority gave a checked ENI; None: not known, or an IMO number inside."""
    prefix = int(number[:3])
    found = (state for first, last, state in AUTHORITIES if first <= prefix <= last)
    return next(found, "") or None
