"""Ids that follow from what a thing is (STIX 2.1 section 2.9): two ports that see one box name it alike.

UUIDv5 in the namespace of STIX over the RFC 8785 form of the id-contributing properties. Values of our own types are
normalised first (`normal.py`); those of the standard are taken as they are.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
import rfc8785

from port2port.core.errors import DecodeError

NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")

CONTRIBUTING: Mapping[str, tuple[str, ...]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "parent_directory_ref", "extensions"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": ("start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"),
    "process": (),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}
"""Section 6: type -> id-contributing properties."""

OURS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "access-badge": (("issuer", "number"),),
    "container-seal": (("number", "kind"),),
    "road-vehicle": (("plate", "country"),),
    "shipping-container": (("number",),),
    "uas": (("serial",), ("session_id",)),
    "vessel": (("imo",), ("eni",), ("mmsi",)),
}
"""Types of our extension: the first group that is there in full counts, the others not."""

_HASHES = ("MD5", "SHA-1", "SHA-256", "SHA-512")
"""In this order one of them is taken."""


def contributing(found: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that an object's id follows from; empty when it has none."""
    kind = found["type"]
    if kind in OURS:
        groups = (group for group in OURS[kind] if all(name in found for name in group))
        return {name: found[name] for name in next(groups, ())}
    named = {name: found[name] for name in CONTRIBUTING.get(kind, ()) if name in found}
    if isinstance(named.get("hashes"), dict) and named["hashes"]:
        named["hashes"] = _one_hash(named["hashes"])
    return named


def _one_hash(hashes: Mapping[str, Any]) -> dict[str, Any]:
    name = next((name for name in _HASHES if name in hashes), None) or min(hashes)
    return {name: hashes[name]}


def derived_id(found: Mapping[str, Any]) -> str | None:
    """The id of a cyber-observable object; None when nothing contributes, and a UUIDv4 is due.

    Raises `DecodeError` for numbers that RFC 8785 cannot write.
    """
    named = contributing(found)
    if not named:
        return None
    return f"{found['type']}--{uuid.uuid5(NAMESPACE, canonical(named).decode())}"


_encode_texts = msgspec.json.Encoder(order="sorted").encode


def canonical(named: Mapping[str, Any]) -> bytes:
    """RFC 8785. Where all values are texts, a faster writer gives the same bytes; a test holds the two together."""
    try:
        if all(type(value) is str for value in named.values()):
            return _encode_texts(named)
        return rfc8785.dumps(dict(named))
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise DecodeError("An id-contributing property has no canonical form.", reason="not-canonical") from error


def is_derived(found: Mapping[str, Any]) -> bool:
    """Whether an object's id is the one that follows from it. Another is allowed for the standard's types."""
    return found.get("id") == derived_id(found)


def uuid_version(identifier: str) -> int:
    """The version digit of the UUID in an id of the right shape."""
    return int(identifier[-22], 16)


def is_random_when_it_must(found: Mapping[str, Any]) -> bool:
    """Section 2.9: where no id-contributing property is present, the id is a UUIDv4."""
    names = CONTRIBUTING.get(found["type"])
    if names is None or any(name in found for name in names):
        return True
    return uuid_version(found["id"]) == 4
