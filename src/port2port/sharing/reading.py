"""Lines from a stranger's stream: each is whole and within the limit, or the connection ends."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator

from aiohttp import StreamReader

from port2port.core.errors import DecodeError
from port2port.sharing.limits import MAX_LINE_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ZIPPED = "X-P2P-Zip"
"""Header that says how the lines of a stream are packed."""
ZIP_LEVEL = 3
_STEP_BYTES = 64 * 1024
"""Unpacked at most at once: a small packet may hold gigabytes of zeros."""


async def lines(stream: StreamReader, longest: int = MAX_LINE_BYTES, *, zipped: bool = False) -> AsyncIterator[bytes]:
    """Lines without their ends. Holds at most one line and one chunk, however long the sender goes on."""
    kept = bytearray()
    unzip = Unzip() if zipped else None
    while chunk := await stream.readany():
        for piece in unzip.feed(chunk) if unzip is not None else (chunk,):
            kept += piece
            while (end := kept.find(b"\n")) >= 0:
                line = bytes(kept[:end])
                del kept[: end + 1]
                if len(line) > longest:
                    raise _too_long()
                yield line
            if len(kept) > longest:
                raise _too_long()


def packed(data: bytes) -> bytes:
    """One frame of a zipped stream (RFC 8878). Frames stand alone, so that an idle connection keeps no memory."""
    return zstd.compress(data, ZIP_LEVEL)


class Unzip:
    """Unpacks a stream of frames in small steps."""

    def __init__(self) -> None:
        self._frame = zstd.ZstdDecompressor()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk holds, at most `_STEP_BYTES` at a time. Raises `DecodeError`."""
        data = chunk
        while True:
            try:
                piece = self._frame.decompress(data, _STEP_BYTES)
            except zstd.ZstdError as error:
                raise DecodeError(f"A packed stream cannot be read: {error}.", reason="malformed") from error
            if piece:
                yield piece
            if self._frame.eof:
                data = self._frame.unused_data
                self._frame = zstd.ZstdDecompressor()
                if not data:
                    return
            elif self._frame.needs_input:
                return
            else:
                data = b""


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
