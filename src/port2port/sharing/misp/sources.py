"""Where a feed is read from: a folder, or a web server. Only names that we made are asked for."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from port2port.core.errors import BadInput, DecodeError, NotFound, Unavailable
from port2port.sharing.misp.limits import FETCH_TIMEOUT_S

_LOCAL = ("127.0.0.1", "::1", "localhost")


class Source(AbstractAsyncContextManager["Source"], Protocol):
    """A feed. Entered before it is read."""

    async def read(self, name: str, limit_bytes: int) -> bytes:
        """The bytes of one file. Raises `NotFound`, `Unavailable`, or `DecodeError` when it is too large."""
        ...


def source_of(text: str) -> Source:
    """The source that a person named. Raises `BadInput`."""
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL):
        if parts.username or parts.password:
            raise BadInput("Names and passwords do not belong into an address: it is stored and shown.")
        return WebSource(text)
    if "://" in text:
        raise BadInput(f"{text} is neither a folder nor https.", hint="http is for this machine only.")
    return FolderSource(Path(text))


class FolderSource:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __aenter__(self) -> FolderSource:
        if not self._folder.is_dir():
            raise NotFound(f"{self._folder} is no folder.")
        return self

    async def __aexit__(self, *why: object) -> None:
        return None

    async def read(self, name: str, limit_bytes: int) -> bytes:
        return await asyncio.to_thread(self._read, name, limit_bytes)

    def _read(self, name: str, limit_bytes: int) -> bytes:
        try:  # a pipe or device in the place of a file would never end, a link would lead out of the folder
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise NotFound(f"{name} is not there.") from error
        except OSError as error:
            raise Unavailable(f"{name} cannot be read: {error.strerror}.") from error
        with os.fdopen(handle, "rb") as file:
            try:
                data = file.read(limit_bytes + 1) or b""
            except OSError as error:
                raise Unavailable(f"{name} cannot be read: {error.strerror}.") from error
        return _within(data, name, limit_bytes)


class WebSource:
    """A web server that serves a feed directory. No redirects: where we ask is what a person typed."""

    def __init__(self, url: str) -> None:
        self._url = url if url.endswith("/") else f"{url}/"

    async def __aenter__(self) -> WebSource:
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(self, *why: object) -> None:
        await self._session.close()

    async def read(self, name: str, limit_bytes: int) -> bytes:
        try:
            async with self._session.get(self._url + name, allow_redirects=False) as answer:
                if answer.status in (404, 410):
                    raise NotFound(f"{name} is not there.")
                if answer.status != 200:
                    raise Unavailable(f"The feed answers {answer.status} for {name}.")
                return _within(await _at_most(answer.content, limit_bytes), name, limit_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"The feed cannot be reached: {error or type(error).__name__}.") from error


async def _at_most(stream: aiohttp.StreamReader, limit_bytes: int) -> bytes:
    """What comes, until it is one byte too much: packed bytes are counted as they unfold."""
    pieces, size = [], 0
    async for piece in stream.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > limit_bytes:
            break
    return b"".join(pieces)


def _within(data: bytes, name: str, limit_bytes: int) -> bytes:
    if len(data) > limit_bytes:
        raise DecodeError(f"{name} has more than {limit_bytes} bytes.", reason="too-large")
    return data
