"""Registration plates of Belgium, the Netherlands, France, Germany and Luxembourg, as their regular series are formed.

A plate here is what a camera can see: capitals and digits without separators. Plates chosen by their owner
(Belgium) and some official ones follow no series; `check` refuses them, so a refusal is a reason to look again,
not proof of a false plate. In Germany two vehicles may differ only in where the gap stands (B-AB 12, BA-B 12).
"""

from __future__ import annotations

import re

from port2port.core.errors import BadInput
from port2port.core.identifiers.text import compact, passes, refuse

SHAPES: dict[str, tuple[str, ...]] = {
    "BE": (
        r"[1-9][A-Z]{3}\d{3}",  # since 2010: 1-ABC-123
        r"[GLMOQSTUVWXYZ][A-Z]{3}\d{3}",  # since 2010: special series, e.g. Q trailers, M motorcycles, O veterans
        r"[A-Z]{3}\d{3}",  # 1973 to 2008
        r"\d{3}[A-Z]{3}",  # 2008 to 2010
        r"CD[A-Z]{2}\d{3}",  # diplomats
        r"[AEP]\d{1,3}",  # government, governments of the regions, parliament
    ),
    "NL": (
        r"[A-Z]{2}\d{4}",  # sidecode 1
        r"\d{4}[A-Z]{2}",
        r"\d{2}[A-Z]{2}\d{2}",
        r"[A-Z]{2}\d{2}[A-Z]{2}",
        r"[A-Z]{4}\d{2}",
        r"\d{2}[A-Z]{4}",
        r"\d{2}[A-Z]{3}\d",
        r"\d[A-Z]{3}\d{2}",
        r"[A-Z]{2}\d{3}[A-Z]",
        r"[A-Z]\d{3}[A-Z]{2}",
        r"[A-Z]{3}\d{2}[A-Z]",
        r"[A-Z]\d{2}[A-Z]{3}",
        r"\d[A-Z]{2}\d{3}",
        r"\d{3}[A-Z]{2}\d",  # sidecode 14
    ),
    "FR": (
        r"(?!SS)[A-HJ-NP-TV-Z]{2}(?!000)\d{3}(?!SS)[A-HJ-NP-TV-Z]{2}",  # since 2009; WW in front: provisional
        r"W(?!000)\d{3}(?!SS)[A-HJ-NP-TV-Z]{2}",  # garages
        r"[1-9]\d{0,3}[A-HJ-NP-Z]{1,3}(0[1-9]|[1-8]\d|9[0-5]|2[AB]|97[1-8])",  # 1950 to 2009, department last
    ),
    "DE": (
        r"(?=.{3,8}$)[A-ZÄÖÜ]{1,3}[A-Z]{1,2}[1-9]\d{0,3}[EH]?",  # E: electric, H: veteran
        r"[A-ZÄÖÜ]{1,3}([1-9]\d{1,5}|0[3-7]\d{2,4})",  # authorities, armed forces (Y); 03 to 07: trade, short-term
    ),
    "LU": (
        r"[A-Z]{2}\d{4}",
        r"[A-Z]\d{4}",
        r"\d{4,5}",
    ),
}
"""Country -> the forms of its regular series, without separators."""
EXAMPLES = {"BE": "1-ABC-123", "NL": "G-123-BB", "FR": "AB-123-CD", "DE": "HH-AB 1234", "LU": "AB 1234"}
_NAME = "a registration plate"
_COMPILED = {land: tuple(re.compile(shape, re.ASCII) for shape in shapes) for land, shapes in SHAPES.items()}


def normalise(text: str) -> str:
    """Capitals and digits, without separators."""
    return compact(text)


def check(text: str, country: str = "") -> str:
    """The plate without separators. Raises `BadInput` unless it has a form of `country`, or of any, when not given."""
    plate = normalise(text)
    if country and country not in SHAPES:
        known = ", ".join(SHAPES)
        raise BadInput(f"The plates of country {country[:2]!r} are not known here.", hint=f"Known: {known}.")
    found = countries(plate)
    if country and country not in found:
        wrong = f"it has none of the forms used in {country}"
        raise refuse(text, _NAME, wrong, f"a form such as {EXAMPLES[country]}")
    if not found:
        raise refuse(text, _NAME, "it has no form that we know", f"a form such as {', '.join(EXAMPLES.values())}")
    return plate


def is_valid(text: str, country: str = "") -> bool:
    return passes(lambda given: check(given, country), text)


def countries(text: str) -> tuple[str, ...]:
    """The countries whose regular series have this form: often more than one."""
    plate = normalise(text)
    return tuple(land for land, shapes in _COMPILED.items() if any(shape.fullmatch(plate) for shape in shapes))


def sidecode(text: str) -> int | None:
    """The number of the Dutch series, 1 to 14."""
    plate = normalise(text)
    fits = (number for number, shape in enumerate(_COMPILED["NL"], start=1) if shape.fullmatch(plate))
    return next(fits, None)


def key(text: str, country: str) -> str:
    """Plate with its country, e.g. `BE:1ABC123`: elsewhere they are another vehicle. Raises `BadInput`."""
    return f"{country}:{check(text, country)}"
