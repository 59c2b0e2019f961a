"""The body of an entry: an object in its envelope, with its label inside the signed bytes. Pure."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from port2port.core.errors import BadInput, DecodeError
from port2port.core.handling import Handling
from port2port.sharing.limits import MAX_BODY_BYTES

MAX_ID_CHARS = 200
MAX_KIND_CHARS = 60


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry puts."""

    origin: str
    kind: str
    """The owner's word, e.g. `incident`; or one of `roster.Kind`."""
    object_id: str
    version: int
    handling: Handling | None
    """None for membership only, which every member may know."""
    object: msgspec.Raw
    """The exact JSON of the object, e.g. a STIX 2.1 bundle."""


class _Outside(msgspec.Struct, frozen=True, kw_only=True):
    """The same with its label unread."""

    origin: str
    kind: str
    object_id: str
    version: int
    handling: msgspec.Raw
    object: msgspec.Raw


_decoder = msgspec.json.Decoder(_Outside)
_labels: msgspec.json.Decoder[Handling | None] = msgspec.json.Decoder(Handling | None)
KNOWN_LABELS = 512


@lru_cache(KNOWN_LABELS)
def _label(text: bytes) -> Handling | None:
    """A connection's objects have one label, but for the date and PAP: it is read once."""
    return _labels.decode(text)


def encode(envelope: Envelope) -> bytes:
    """The exact bytes to commit to. Raises `BadInput` when they would be too large, or the object is no JSON."""
    try:
        msgspec.json.decode(envelope.object)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(f"The object {envelope.object_id} is not JSON: {error}.") from error
    body = msgspec.json.encode(envelope, order="deterministic")
    if len(body) > MAX_BODY_BYTES:
        raise BadInput(f"The object {envelope.object_id} is larger than {MAX_BODY_BYTES // 1024} KiB.")
    return body


def decode(body: bytes) -> Envelope:
    """Read a body. Everything that is not an envelope is a `DecodeError`."""
    if len(body) > MAX_BODY_BYTES:
        raise DecodeError("The body of an entry is too large.", reason="body-too-large")
    try:
        outside = _decoder.decode(body)
        msgspec.json.decode(outside.object)
        envelope = Envelope(
            origin=outside.origin,
            kind=outside.kind,
            object_id=outside.object_id,
            version=outside.version,
            handling=_label(bytes(outside.handling)),
            object=outside.object,
        )
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"The body of an entry cannot be read: {error}.", reason="bad-envelope") from error
    if not 1 <= envelope.version <= 2**31 or not _fits(envelope.object_id, MAX_ID_CHARS):
        raise DecodeError("An envelope has an impossible id or version.", reason="bad-envelope")
    if not _fits(envelope.kind, MAX_KIND_CHARS):
        raise DecodeError("An envelope has an impossible kind.", reason="bad-envelope")
    if envelope.handling is not None and envelope.handling.retain_until.tzinfo is None:
        raise DecodeError("An envelope's retention date has no time zone.", reason="bad-envelope")
    return envelope


def _fits(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isprintable()
