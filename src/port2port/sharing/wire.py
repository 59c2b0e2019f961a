"""Lines between nodes: JSON, one message a line, decoded into strict types or refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from port2port.core.errors import DecodeError
from port2port.sharing.entry import (
    HASH_BYTES,
    MAX_SEQUENCE,
    SALT_BYTES,
    SIGNATURE_BYTES,
    Checkpoint,
    Cursor,
    Entry,
    Header,
)
from port2port.sharing.lane import LANE_ID_BYTES, MAX_AUDIENCE_BYTES, Class, Lane
from port2port.sharing.limits import MAX_BODY_BYTES, MAX_LANES, MAX_LINE_BYTES, MAX_PAGE_ENTRIES

MAX_REASONS = 50


class Line(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """Base of everything that may stand on a line of a stream."""


class LaneLine(Line, frozen=True, tag="lane", kw_only=True):
    """You may read this lane; its entries follow in pages."""

    lane: str
    origin: str
    audience: str
    urgency: Class
    epoch: int
    head: int = 0
    base: int = 0
    """The log begins after this number; what still counts of before is in the live set."""


class EntryPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry of a page. Bytes travel as base64."""

    seq: int
    op: int
    ts_ms: int
    commit: bytes
    salt: bytes | None = None
    body: bytes | None = None


class PageLine(Line, frozen=True, tag="page", kw_only=True):
    """Entries of one lane in order, and the origin's signature over the last."""

    lane: str
    entries: list[EntryPart]
    chain: bytes
    ts_ms: int
    signature: bytes


class BeatLine(Line, frozen=True, tag="beat", kw_only=True):
    """A sign of life, with the sender's clock."""

    ts_ms: int


class StopLine(Line, frozen=True, tag="stop", kw_only=True):
    """This lane cannot go on from the cursor you gave: `fork` or `too-old`."""

    lane: str
    reason: str


AnyLine = LaneLine | PageLine | BeatLine | StopLine
_lines: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_encode = msgspec.json.Encoder().encode


class Ack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """I have applied this lane up to here; so many entries were refused, by reason."""

    lane: str
    seq: int
    chain: bytes
    applied_ms: int
    refused: dict[str, int] = {}


class Acks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a receiver confirms at once."""

    acks: list[Ack]
    ts_ms: int


_acks = msgspec.json.Decoder(Acks)


def encode(line: Line) -> bytes:
    """One line with its end."""
    return _encode(line) + b"\n"


def decode(line: bytes) -> AnyLine:
    """Read one line. Everything that is not exactly one of the messages is a `DecodeError`."""
    if len(line) > MAX_LINE_BYTES:
        raise DecodeError("A line is longer than agreed.", reason="line-too-long")
    try:
        message: AnyLine = _lines.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"A line cannot be read: {error}.", reason="malformed") from error
    if isinstance(message, PageLine):
        _check_page(message)
    if isinstance(message, LaneLine | StopLine):
        _hex(message.lane, LANE_ID_BYTES)
    if isinstance(message, LaneLine) and not (
        0 < message.epoch <= MAX_SEQUENCE and 0 <= message.base <= message.head <= MAX_SEQUENCE
    ):
        raise DecodeError("A connection has an impossible number.", reason="malformed")
    if isinstance(message, BeatLine) and not _is_time(message.ts_ms):
        raise DecodeError("A sign of life has an impossible time.", reason="malformed")
    if isinstance(message, LaneLine) and len(message.audience) > MAX_AUDIENCE_BYTES:
        raise DecodeError("A connection's audience is too long.", reason="malformed")
    return message


def lane_of(line: LaneLine) -> Lane:
    """The lane that is described; its id must follow from the description."""
    lane = Lane(line.origin, line.audience, line.urgency, line.epoch)
    if lane.id.hex() != line.lane:
        raise DecodeError("A connection's id does not follow from its description.", reason="bad-lane")
    return lane


def lane_line(lane: Lane, head: int, base: int = 0) -> LaneLine:
    return LaneLine(
        lane=lane.id.hex(),
        origin=lane.origin,
        audience=lane.audience,
        urgency=lane.urgency,
        epoch=lane.epoch,
        head=head,
        base=base,
    )


def page_line(entries: Sequence[Entry], checkpoint: Checkpoint) -> PageLine:
    """A page for sending."""
    return PageLine(
        lane=checkpoint.lane.hex(),
        entries=parts_of(entries),
        chain=checkpoint.chain,
        ts_ms=checkpoint.ts_ms,
        signature=checkpoint.signature,
    )


def entries_of(page: PageLine) -> tuple[list[Entry], Checkpoint]:
    """A received page as entries and the checkpoint it claims."""
    lane = bytes.fromhex(page.lane)
    entries = [
        Entry(Header(lane, part.seq, part.op, part.ts_ms, part.commit), part.salt, part.body) for part in page.entries
    ]
    return entries, Checkpoint(lane, page.entries[-1].seq, page.chain, page.ts_ms, page.signature)


def parts_of(entries: Sequence[Entry]) -> list[EntryPart]:
    """Entries for sending."""
    return [
        EntryPart(
            seq=each.header.sequence,
            op=each.header.op,
            ts_ms=each.header.ts_ms,
            commit=each.header.commitment,
            salt=each.salt,
            body=each.body,
        )
        for each in entries
    ]


def entries_in(lane: bytes, parts: Sequence[EntryPart]) -> list[Entry]:
    """Received entries outside a page. Raises `DecodeError`."""
    for part in parts:
        _check_entry(part)
    return [Entry(Header(lane, part.seq, part.op, part.ts_ms, part.commit), part.salt, part.body) for part in parts]


def is_lane_id(text: str) -> bool:
    """Whether a path names a lane at all."""
    return len(text) == 2 * LANE_ID_BYTES and all(letter in "0123456789abcdef" for letter in text)


def encode_cursors(cursors: dict[bytes, Cursor]) -> str:
    """`LANE:SEQ:CHAIN,...` in hex, decimal, hex."""
    return ",".join(f"{lane.hex()}:{at.sequence}:{at.chain.hex()}" for lane, at in cursors.items())


def decode_cursors(text: str) -> dict[bytes, Cursor]:
    """Read what `encode_cursors` wrote, or raise `DecodeError`."""
    parts = text.split(",") if text else []
    if len(parts) > MAX_LANES:
        raise DecodeError("Too many cursors.", reason="too-many-lanes")
    return dict(_cursor(part) for part in parts)


def decode_cursor(text: str) -> Cursor:
    """Read `SEQ:CHAIN`; `0` alone is the beginning."""
    if text == "0":
        return Cursor()
    sequence, _, chain = text.partition(":")
    return Cursor(_number(sequence), _hex(chain, HASH_BYTES))


def decode_acks(data: bytes) -> Acks:
    """Read confirmations, or raise `DecodeError`."""
    try:
        acks = _acks.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"Confirmations cannot be read: {error}.") from error
    for ack in acks.acks:
        _hex(ack.lane, LANE_ID_BYTES)
        if not 0 <= ack.seq <= MAX_SEQUENCE or len(ack.refused) > MAX_REASONS or not _is_time(ack.applied_ms):
            raise DecodeError("A confirmation has an impossible number.")
        if any(len(reason) > 60 or not 0 <= count <= MAX_SEQUENCE for reason, count in ack.refused.items()):
            raise DecodeError("A confirmation has an impossible reason.")
    if not _is_time(acks.ts_ms):
        raise DecodeError("A confirmation has an impossible time.")
    return acks


def _check_page(page: PageLine) -> None:
    _hex(page.lane, LANE_ID_BYTES)
    if not 1 <= len(page.entries) <= MAX_PAGE_ENTRIES:
        raise DecodeError("A page has too many entries, or none.", reason="bad-page")
    if len(page.chain) != HASH_BYTES or len(page.signature) != SIGNATURE_BYTES or not _is_time(page.ts_ms):
        raise DecodeError("A page's signature has the wrong size.", reason="bad-page")
    for part in page.entries:
        _check_entry(part)


def _check_entry(part: EntryPart) -> None:
    if not (1 <= part.seq <= MAX_SEQUENCE and 0 <= part.op <= 255 and _is_time(part.ts_ms)):
        raise DecodeError("An entry has an impossible number.", reason="bad-page")
    if len(part.commit) != HASH_BYTES or (part.salt is not None and len(part.salt) != SALT_BYTES):
        raise DecodeError("An entry has a hash of the wrong size.", reason="bad-page")
    if part.body is not None and len(part.body) > MAX_BODY_BYTES:
        raise DecodeError("The body of an entry is too large.", reason="body-too-large")


def _is_time(ms: int) -> bool:
    return 0 <= ms <= 253_402_300_799_000  # the end of the year 9999


def _cursor(text: str) -> tuple[bytes, Cursor]:
    lane, _, rest = text.partition(":")
    return _hex(lane, LANE_ID_BYTES), decode_cursor(rest)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_SEQUENCE):
        raise DecodeError(f"{text[:20]!r} is not a sequence number.")
    return int(text)


def _hex(text: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError as error:
        raise DecodeError(f"{text[:40]!r} is not hexadecimal.") from error
    if len(value) != length or value.hex() != text:
        raise DecodeError(f"{text[:40]!r} does not have {length} bytes in lower-case hexadecimal.")
    return value
