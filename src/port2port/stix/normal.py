"""The usual spelling of what identifies our things: so that one box read at two gates gets one id. Pure.

Each function answers the spelling or raises `BadInput`. The rules are those of `core.identifiers`; serial numbers of
unmanned aircraft, seals and badges, which no other part knows, have theirs here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from port2port.core.errors import BadInput
from port2port.core.identifiers import container, eni, imo, locode, mmsi
from port2port.core.identifiers.text import compact

MAX_PLATE_CHARS = 15
MAX_SEAL_CHARS = 32
MAX_BADGE_CHARS = 64
MAX_NAME_CHARS = 200
_SERIAL_CHARACTERS = frozenset("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")
"""ANSI/CTA-2063-A section 4.2: without I and O."""
_PLATE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ÄÖÜ")


def plate(text: str) -> str:
    """Capitals and digits. Plates of every country: whether the series exists is not asked."""
    found = compact(text)
    if not 1 <= len(found) <= MAX_PLATE_CHARS or not _PLATE_CHARACTERS.issuperset(found):
        raise BadInput(f"A plate has 1 to {MAX_PLATE_CHARS} letters and digits.")
    return found


def country(text: str) -> str:
    """ISO 3166-1 alpha-2."""
    found = text.strip().upper()
    if found not in locode.COUNTRIES:
        raise BadInput("A country is two letters of ISO 3166-1, such as BE.")
    return found


def uas_serial(text: str) -> str:
    """ANSI/CTA-2063-A: four characters of the maker, one for the length of what follows (1 to F), then that."""
    found = text.strip().upper()
    if not _SERIAL_CHARACTERS.issuperset(found) or found[4:5] not in tuple("123456789ABCDEF"):
        raise BadInput("A serial number of an unmanned aircraft follows ANSI/CTA-2063-A, such as 1581F45T7229100ABCD1.")
    if len(found) != 5 + int(found[4], 16):
        raise BadInput(f"The fifth character says {int(found[4], 16)} more, and there are {len(found) - 5}.")
    return found


def uas_session(text: str) -> str:
    """Session id of ASTM F3411, in small hexadecimal digits without separators; the same for one flight only."""
    found = text.strip().lower().replace("-", "")
    if not 8 <= len(found) <= 40 or not set(found) <= set("0123456789abcdef"):
        raise BadInput("A session id is 8 to 40 hexadecimal digits.")
    return found


def seal(text: str) -> str:
    """Capitals and digits; makers number as they like (ISO 17712 asks for a unique number, not for a form)."""
    found = compact(text)
    if not 1 <= len(found) <= MAX_SEAL_CHARS or not found.isascii() or not found.isalnum():
        raise BadInput(f"A seal's number has 1 to {MAX_SEAL_CHARS} letters and digits.")
    return found


def badge_number(text: str) -> str:
    """Capitals and digits."""
    found = compact(text)
    if not 1 <= len(found) <= MAX_BADGE_CHARS or not found.isascii() or not found.isalnum():
        raise BadInput(f"A badge's number has 1 to {MAX_BADGE_CHARS} letters and digits.")
    return found


def issuer(text: str) -> str:
    """Who gave a badge out: single spaces, small letters."""
    found = " ".join(text.split()).casefold()
    if not 1 <= len(found) <= MAX_NAME_CHARS or not found.isprintable():
        raise BadInput(f"An issuer has 1 to {MAX_NAME_CHARS} characters.")
    return found


Normalise = Callable[[str], str]
IDENTIFYING: Mapping[str, Mapping[str, Normalise]] = {
    "access-badge": {"issuer": issuer, "number": badge_number},
    "container-seal": {"number": seal},
    "road-vehicle": {"plate": plate, "country": country},
    "shipping-container": {"number": container.check},
    "uas": {"serial": uas_serial, "session_id": uas_session},
    "vessel": {"imo": imo.check, "eni": eni.check, "mmsi": mmsi.check},
}
"""Type of ours -> identifying property -> its usual spelling."""


def is_normal(found: Mapping[str, Any]) -> bool:
    """Whether every identifying value of an object of our types stands in its usual spelling."""
    rules = IDENTIFYING[found["type"]]
    return all(_stands(normalise, found[name]) for name, normalise in rules.items() if name in found)


def _stands(normalise: Normalise, value: str) -> bool:
    try:
        return normalise(value) == value
    except BadInput:
        return False
