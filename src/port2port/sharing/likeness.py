"""Whether two names look alike to a person who reads them quickly. Pure.

After Unicode Technical Standard 39, section 4: names are confusable when their skeletons are equal. The table holds
the letters of the scripts of Europe that look like Latin ones, small or capital; marks, case, spaces and signs do not
count.
"""

from __future__ import annotations

import unicodedata

_LOOKS_LIKE = (
    ("а", "a"), ("в", "b"), ("с", "c"), ("е", "e"), ("г", "r"), ("һ", "h"), ("н", "h"), ("і", "l"), ("ј", "j"),
    ("к", "k"), ("ӏ", "l"), ("м", "m"), ("о", "o"), ("р", "p"), ("ԛ", "q"), ("ѕ", "s"), ("т", "t"), ("ѵ", "v"),
    ("у", "y"), ("х", "x"),
    ("α", "a"), ("β", "b"), ("ε", "e"), ("η", "h"), ("ι", "l"), ("κ", "k"), ("μ", "m"), ("ν", "n"), ("ο", "o"),
    ("ρ", "p"), ("τ", "t"), ("υ", "y"), ("χ", "x"), ("ζ", "z"),
    ("ı", "l"), ("i", "l"), ("|", "l"), ("1", "l"), ("0", "o"), ("5", "s"), ("8", "b"),
    ("ø", "o"), ("đ", "d"), ("ł", "l"),
)  # fmt: skip
"""Cyrillic, Greek, then signs and letters of the Latin script itself."""
_TABLE = str.maketrans(dict(_LOOKS_LIKE))


def skeleton(name: str) -> str:
    """What is left of a name for a quick eye: equal for names that look alike, empty for one without letters."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_TABLE)
    letters = "".join(each for each in plain if each.isalnum())
    return letters.replace("rn", "m").replace("vv", "w")


def look_alike(one: str, other: str) -> bool:
    """Whether somebody could take one name for the other."""
    return one.casefold() == other.casefold() or (skeleton(one) == skeleton(other) != "")
