"""A stranger's `manifest.json`: which events there are, and since when each is as it is. Pure."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from port2port.core.errors import DecodeError
from port2port.sharing.misp import limits


class Entry(msgspec.Struct):
    """What we need of an entry; the rest stands in the event itself."""

    timestamp: Annotated[int, Meta(ge=0, le=limits.MAX_TIMESTAMP_S)]


_all = msgspec.json.Decoder(dict[str, msgspec.Raw])
_one = msgspec.json.Decoder(Entry, strict=False)


def decode_manifest(data: bytes) -> tuple[dict[str, int], int]:
    """Event uuid -> time stamp, and how many entries could not be read. Raises `DecodeError`."""
    if len(data) > limits.MAX_MANIFEST_BYTES:
        raise DecodeError(f"A manifest has at most {limits.MAX_MANIFEST_BYTES} bytes.", reason="manifest-too-large")
    try:
        entries = _all.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError(f"This is not the manifest of a MISP feed: {error}.", reason="bad-manifest") from error
    if len(entries) > limits.MAX_EVENTS_IN_MANIFEST:
        raise DecodeError(f"A feed has at most {limits.MAX_EVENTS_IN_MANIFEST} events.", reason="too-many-events")
    read = {event: at for event, raw in entries.items() if (at := _timestamp(event, raw)) is not None}
    return read, len(entries) - len(read)


def _timestamp(event: str, raw: msgspec.Raw) -> int | None:
    try:
        return _one.decode(raw).timestamp if str(UUID(event)) == event else None
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
        return None
