"""A word that cannot occur by chance in every object: wherever it turns up, that object is. Imports nothing of ours."""

from __future__ import annotations

import base64
import binascii
import re
from random import Random

RANDOM_BITS = 96
_CANARY = re.compile(rb"CANARY-[A-Z+]+-[0-9a-z]+-[0-9a-f]{24}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
_MARK = b"CANARY-"


def make(tlp: str, origin: str, random: Random) -> str:
    """`CANARY-<TLP>-<origin>-<96 random bits>`; the origin is cut to 12 characters."""
    return f"CANARY-{tlp.removeprefix('TLP:')}-{origin[:12]}-{random.getrandbits(RANDOM_BITS):024x}"


def found_in(data: bytes) -> set[str]:
    """All canaries in raw bytes, also where they stand in base64 as bodies do on the wire."""
    found = set(_CANARY.findall(data)) if _MARK in data else set()
    for run in _BASE64.findall(data):
        plain = _decoded(run)
        if _MARK in plain:
            found.update(_CANARY.findall(plain))
    return {each.decode() for each in found}


def _decoded(run: bytes) -> bytes:
    bare = run.rstrip(b"=")
    try:
        return base64.b64decode(bare + b"=" * (-len(bare) % 4))
    except binascii.Error:  # one character too many: no base64 of anything
        return b""
