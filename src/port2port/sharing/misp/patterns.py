"""STIX patterns that MISP can say with attributes, and back. Pure.

Comparisons by `=` of one kind of thing, joined by AND in one pair of brackets: whatever else is a pattern travels
as an attribute of type `stix2-pattern`, word for word. Source: STIX 2.1 section 9; misp-stix writes the same.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple


class Comparison(NamedTuple):
    """`kind:path = 'value'`."""

    kind: str
    path: str
    value: str


_STRING = r"'(?:[^'\\]|\\['\\])*'"
_PATH = r"[a-z0-9-]+:[A-Za-z0-9_.\[\]*'-]+"
_COMPARISON = rf"({_PATH}) = ({_STRING})"
_ALL = re.compile(rf"\[{_COMPARISON}(?: AND {_COMPARISON}){{0,15}}\]")
_EACH = re.compile(_COMPARISON)
MAX_PATTERN_CHARS = 10_000

TYPES = {
    ("ipv4-addr", "value"): "ip-dst",
    ("ipv6-addr", "value"): "ip-dst",
    ("domain-name", "value"): "domain",
    ("url", "value"): "url",
    ("email-addr", "value"): "email",
    ("file", "name"): "filename",
    ("file", "hashes.MD5"): "md5",
    ("file", "hashes.'SHA-1'"): "sha1",
    ("file", "hashes.'SHA-256'"): "sha256",
    ("file", "hashes.'SHA-512'"): "sha512",
}
"""What an attribute of its own can say: (STIX type, path) -> MISP type."""

_PATHS = {misp: path for path, misp in TYPES.items()} | {
    "ip-src": ("ipv4-addr", "value"),
    "hostname": ("domain-name", "value"),
    "uri": ("url", "value"),
    "email-src": ("email-addr", "value"),
    "email-dst": ("email-addr", "value"),
}
RESOLVES_TO = "resolves_to_refs[*].value"
LANGUAGES = {"stix": "stix2-pattern", "yara": "yara", "sigma": "sigma", "snort": "snort"}
"""`pattern_type` of an indicator -> MISP type."""


def comparisons_of(misp_type: str, value: str) -> list[Comparison]:
    """What an attribute of this type says; empty when we have no words for it. Raises `ValueError`."""
    first, separator, second = value.partition("|")
    if "|" in misp_type:
        if not separator or "|" in second:
            raise ValueError(value)
        return _pair(misp_type, first, second)
    if misp_type not in _PATHS:
        return []
    kind, path = _PATHS[misp_type]
    if misp_type.startswith("ip-"):
        kind = f"ipv{ipaddress.ip_network(value, strict=False).version}-addr"
    return [Comparison(kind, path, value)]


def _pair(misp_type: str, first: str, second: str) -> list[Comparison]:
    if misp_type == "domain|ip":
        ipaddress.ip_address(second)
        return [Comparison("domain-name", "value", first), Comparison("domain-name", RESOLVES_TO, second)]
    left, _, right = misp_type.partition("|")
    if left == "filename" and _PATHS.get(right, ("",))[0] == "file":
        return [*comparisons_of("filename", first), *comparisons_of(right, second)]
    return []


def write(comparisons: Sequence[Comparison]) -> str:
    """`[kind:path = 'value' AND …]`."""
    return f"[{' AND '.join(f'{kind}:{path} = {_quoted(value)}' for kind, path, value in comparisons)}]"


def read(pattern: str) -> list[Comparison]:
    """The comparisons of a pattern, when `write` writes the same; else none."""
    if len(pattern) > MAX_PATTERN_CHARS or not _ALL.fullmatch(pattern):
        return []
    found = [_comparison(each[1], each[2]) for each in _EACH.finditer(pattern)]
    return found if write(found) == pattern else []


def _comparison(where: str, quoted: str) -> Comparison:
    kind, _, path = where.partition(":")
    return Comparison(kind, path, re.sub(r"\\(['\\])", r"\1", quoted[1:-1]))


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
