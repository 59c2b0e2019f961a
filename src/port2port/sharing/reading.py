"""Lines from a stranger's stream: each is whole and within the limit, or the connection ends."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import StreamReader

from port2port.core.errors import DecodeError
from port2port.sharing.limits import MAX_LINE_BYTES


async def lines(stream: StreamReader, longest: int = MAX_LINE_BYTES) -> AsyncIterator[bytes]:
    """Lines without their ends. Holds at most one line and one chunk, however long the sender goes on."""
    kept = bytearray()
    while chunk := await stream.readany():
        kept += chunk
        while (end := kept.find(b"\n")) >= 0:
            line = bytes(kept[:end])
            del kept[: end + 1]
            if len(line) > longest:
                raise _too_long()
            yield line
        if len(kept) > longest:
            raise _too_long()


async def at_most(stream: StreamReader, most: int) -> bytes:
    """The whole body, or `DecodeError` when it is larger."""
    kept = bytearray()
    while chunk := await stream.readany():
        kept += chunk
        if len(kept) > most:
            raise DecodeError("An answer is larger than agreed.", reason="answer-too-large")
    return bytes(kept)


def _too_long() -> DecodeError:
    return DecodeError("A line is longer than agreed.", reason="line-too-long")
