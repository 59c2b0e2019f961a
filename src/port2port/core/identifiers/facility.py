"""IMO port facility number (IMO circular letter 2529, GISIS): UN/LOCODE, hyphen, four digits, e.g. `BEANR-0001`.

`0000` stands for the port as one facility. The four digits are unique within their port only. Many sites
of an inland port have no such number.
"""

from __future__ import annotations

from port2port.core.errors import BadInput
from port2port.core.identifiers import locode
from port2port.core.identifiers.text import compact, is_digits, passes, refuse

CHARACTERS_WITHOUT_HYPHEN = 9
_NAME, _EXPECTED = "a port facility number", "a UN/LOCODE, a hyphen and four digits, such as BEANR-0001"


def normalise(text: str) -> str:
    """Capitals, and one hyphen before the last four characters when there are nine."""
    plain = compact(text)
    return f"{plain[:5]}-{plain[5:]}" if len(plain) == CHARACTERS_WITHOUT_HYPHEN else plain


def check(text: str) -> str:
    """The number with its hyphen. Raises `BadInput`."""
    number = normalise(text)
    port, hyphen, digits = number.partition("-")
    if not hyphen or not is_digits(digits):
        raise refuse(text, _NAME, "it is not five characters and four digits", _EXPECTED)
    try:
        locode.check(port)
    except BadInput as error:
        raise refuse(text, _NAME, f"{port} is not a UN/LOCODE", _EXPECTED) from error
    return number


def is_valid(text: str) -> bool:
    return passes(check, text)
