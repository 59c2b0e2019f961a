"""What node and worker say to each other on a pipe: four bytes of length, then one MessagePack value."""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec

from port2port.core.errors import DecodeError

MAX_MESSAGE_BYTES = 64 * 1024 * 1024


class Request(msgspec.Struct, frozen=True):
    """Call `target` (`package.module:function`) with one argument."""

    target: str
    argument: Any


class Reply(msgspec.Struct, frozen=True):
    """The function's answer, or the error that it raised as one line."""

    value: Any = None
    error: str = ""


def write(stream: BinaryIO, message: Request | Reply) -> None:
    """Send one message. Raises `DecodeError` when it is larger than the limit."""
    data = msgspec.msgpack.encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise DecodeError(
            f"A message of {len(data)} bytes is over the limit of {MAX_MESSAGE_BYTES}.", reason="oversize"
        )
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.flush()


def read(stream: BinaryIO) -> bytes | None:
    """One message's bytes; None at the end of the stream."""
    head = _exactly(stream, 4)
    if head is None:
        return None
    size = int.from_bytes(head, "big")
    if size > MAX_MESSAGE_BYTES:
        raise _too_large(size)
    return _exactly(stream, size)


def _exactly(stream: BinaryIO, size: int) -> bytes | None:
    """A pipe may hand over less than asked, when a message is larger than its buffer."""
    parts = bytearray()
    while len(parts) < size:
        part = stream.read(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _too_large(size: int) -> DecodeError:
    return DecodeError(f"A message of {size} bytes is over the limit of {MAX_MESSAGE_BYTES}.", reason="oversize")
