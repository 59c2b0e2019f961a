"""Bundles (STIX 2.1 section 8): objects in a parcel, as exact bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from port2port.stix.extension import EXTENSION_ID, author, definition
from port2port.stix.reading import Object

_encode = msgspec.json.Encoder(order="deterministic").encode


def write_object(found: Object) -> bytes:
    """The bytes of one object: names sorted, no spaces. Equal objects, equal bytes."""
    return _encode(found)


def write_bundle(uuid: str, objects: Iterable[Object]) -> bytes:
    """A parcel of these objects, equal ones once; whoever uses our extension brings its definition and author along."""
    every = dict.fromkeys(map(write_object, _with_definition(list(objects))))
    parcel: dict[str, Any] = {"type": "bundle", "id": f"bundle--{uuid}"}
    return _encode(parcel | ({"objects": list(map(msgspec.Raw, every))} if every else {}))


def _with_definition(objects: Sequence[Object]) -> Iterator[Object]:
    if any(EXTENSION_ID in each.get("extensions", ()) for each in objects):
        yield author()
        yield definition()
    yield from objects
