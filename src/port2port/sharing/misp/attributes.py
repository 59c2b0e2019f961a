"""Which attribute of its own says what an indicator looks for, if one does. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from port2port.sharing.misp import patterns, values
from port2port.sharing.misp.patterns import Comparison
from port2port.sharing.misp.templates import Template

CATEGORIES = {
    **dict.fromkeys(("ip-dst", "domain", "domain|ip", "url", "snort"), "Network activity"),
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512", "filename"), "Payload delivery"),
    **dict.fromkeys(("stix2-pattern", "yara", "sigma"), "Payload installation"),
    "email": "Social network",
}
"""MISP's own default category of each type that we write on its own."""


def single(said: Sequence[Comparison]) -> tuple[str, str, str] | None:
    """Type, category and value of the one attribute that says all this; None when it takes more, or an object."""
    match [(kind, path) for kind, path, _ in said]:
        case [one] if one in patterns.TYPES:
            misp_type, value = patterns.TYPES[one], said[0].value
        case [("domain-name", "value"), ("domain-name", patterns.RESOLVES_TO)]:
            misp_type, value = "domain|ip", f"{said[0].value}|{said[1].value}"
        case _:
            return None
    return (misp_type, "", value) if _reads_back(misp_type, value, said) else None


def fits(template: Template, said: Comparison) -> bool:
    return values.relation_at(template, said.path) is not None and said.value == values.trimmed(said.value) != ""


def _reads_back(misp_type: str, value: str, said: Sequence[Comparison]) -> bool:
    """Whether the attribute means the same to a reader: an address that is none is not written as one.

    MISP trims values: one with blanks around it travels inside a pattern.
    """
    try:
        return value == values.trimmed(value) != "" and patterns.comparisons_of(misp_type, value) == list(said)
    except ValueError:
        return False
