"""Reads a collection of a foreign TAXII 2.1 server, page by page, and trusts nothing about how it pages.

Some servers page by `next`, some only by `added_after`; some answer the same page again and again, stamp a thousand
objects alike, promise more where there is none, or send no header to go on from. Each of these ends, and none loses
what another page would have brought: where the way on is unclear we stop, and ask from the last sure place next time.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

import aiohttp
import msgspec
from yarl import URL

from port2port.core.clock import Clock
from port2port.core.errors import BadInput, DecodeError
from port2port.sharing.taxii.media import TAXII
from port2port.sharing.taxii.times import taxii_time, us_of
from port2port.store.types import to_us

PAGE_OBJECTS = 1_000
"""What we ask for; a server may give less."""
MAX_ASKED_OBJECTS = 100_000
MAX_PAGE_BYTES = 32 * 1024 * 1024
MAX_PAGES = 1_000
"""Pages in one poll: the rest comes with the next one."""
MAX_NEXT_CHARS = 8 * 1024
PAGE_TIMEOUT_S = 60.0
MAX_WAITS = 3
"""How often one poll waits because the server says so."""
MAX_WAIT_S = 60.0
USUAL_WAIT_S = 5.0
OVERLAP_US = 1_000
"""We ask from this much before the last stamp: stamps may be cut to milliseconds, or given twice."""
FUTURE = timedelta(days=30)
"""A stamp further ahead of our clock is not believed."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Ended(StrEnum):
    """Why a poll ended. All but the first are shown to a person."""

    DONE = ""
    REPEATS = "it sends the same page again and again"
    NO_WAY_ON = "it says that there is more, but not how to get it"
    TOO_MUCH = "it has more than one poll takes; the rest follows"
    BUSY = "it asks us to come back later"


class PollFailed(Exception):
    """The server cannot be read; the words are for a person."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last sure place in a foreign collection. Stored with what was read up to it."""

    added_after_us: int = -1
    exact: bool = False
    """Ask from the very stamp: before it stands more than a poll should read again."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it came, and the cursor once it is stored."""

    body: bytes
    cursor: Cursor
    ended: Ended | None
    """The poll ends with this page."""


class _Envelope(msgspec.Struct, frozen=True):
    more: bool = False
    next: str | int | None = None
    objects: list[msgspec.Raw] = []


def check_url(text: str) -> URL:
    """The URL of a collection, ending in a slash. Raises `BadInput`."""
    try:
        url = URL(text)
        usable = url.host is not None and url.scheme in ("http", "https") and not url.query_string
    except ValueError:
        usable = False
    if not usable:
        hint = "Write it like https://host/root/collections/ID/ as the other side names it."
        raise BadInput(f"{text!r} is not the address of a collection.", hint=hint)
    if url.scheme == "http" and not _is_loopback(url.host or ""):
        raise BadInput("A password would travel in the clear.", hint="Use https://.")
    return url if url.path.endswith("/") else url.with_path(url.path + "/")


def _is_loopback(host: str) -> bool:
    try:
        return host in LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def new_session(authorization: str) -> aiohttp.ClientSession:
    """For one poll of one host. No cookies, no compression that could unpack without end."""
    headers = {"Accept": TAXII, "Accept-Encoding": "identity"}
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=PAGE_TIMEOUT_S),
        headers={**headers, "Authorization": authorization} if authorization else headers,
        auto_decompress=False,
    )


class Poll:
    """One poll of one collection, from a cursor on."""

    def __init__(self, session: aiohttp.ClientSession, url: URL, cursor: Cursor, clock: Clock) -> None:
        self._session, self._url, self._clock = session, url / "objects/", clock
        self._cursor = cursor
        self._seen_pages: set[bytes] = set()
        self._waits, self._limit = 0, PAGE_OBJECTS
        self._ask_from_us = cursor.added_after_us if cursor.exact else cursor.added_after_us - OVERLAP_US

    async def pages(self) -> AsyncIterator[Page]:
        """Pages in order; at most `MAX_PAGES`. Raises `PollFailed`."""
        token = ""
        for number in range(1, MAX_PAGES + 1):
            answered = await self._ask(token)
            if answered is None:
                yield Page(b"", self._cursor, Ended.BUSY)
                return
            body, headers = answered
            envelope = _read(body)
            if not envelope.objects:
                yield Page(b"", self._cursor, Ended.NO_WAY_ON if envelope.more else Ended.DONE)
                return
            following = _token(envelope.next)
            repeated = self._is_repeated(envelope)
            if repeated and (following or not self._ask_for_more()):
                yield Page(b"", self._cursor, Ended.REPEATS)
                return
            if not repeated:
                ended = self._end(envelope.more, following, self._advance(headers), number)
                yield Page(body, self._cursor, ended)
                if ended is not None:
                    return
            if not following:
                self._ask_from_us = self._cursor.added_after_us - OVERLAP_US
            token = following

    def _is_repeated(self, envelope: _Envelope) -> bool:
        digest = hashlib.sha256(b"\0".join(map(bytes, envelope.objects))).digest()
        repeated = digest in self._seen_pages
        self._seen_pages.add(digest)
        return repeated

    def _ask_for_more(self) -> bool:
        """Without `next`, what shares one stamp has to fit in one page: ask for a larger one, as long as that helps."""
        self._limit *= 10
        return self._limit <= MAX_ASKED_OBJECTS

    def _end(self, more: bool, following: str, advanced: bool, number: int) -> Ended | None:
        if not more:
            return Ended.DONE
        if number == MAX_PAGES:
            return Ended.TOO_MUCH
        return None if following or advanced or self._ask_for_more() else Ended.NO_WAY_ON

    def _advance(self, headers: Mapping[str, str]) -> bool:
        """Move the cursor to the last stamp of the page, when that can be believed; answers whether it moved."""
        try:
            last_us = us_of(headers.get("X-TAXII-Date-Added-Last", ""))
        except DecodeError:
            return False
        if not self._cursor.added_after_us < last_us <= to_us(self._clock() + FUTURE):
            return False
        self._cursor = replace(self._cursor, added_after_us=last_us, exact=False)
        return True

    async def _ask(self, token: str) -> tuple[bytes, Mapping[str, str]] | None:
        """A page with its headers; None when the server is busy for longer than we wait."""
        while True:
            try:
                async with self._session.get(self._url, params=self._query(token), allow_redirects=False) as answer:
                    if answer.status == 200:
                        return await _limited(answer), answer.headers
                    wait_s = _retry_after_s(answer.headers.get("Retry-After", ""), self._clock())
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise PollFailed(f"it cannot be reached ({type(error).__name__})") from error
            if status not in (429, 503):
                raise PollFailed(f"it answers with HTTP status {status}")
            self._waits += 1
            if self._waits > MAX_WAITS or wait_s > MAX_WAIT_S:
                return None
            await asyncio.sleep(wait_s)

    def _query(self, token: str) -> dict[str, str]:
        query = {"limit": str(self._limit)}
        if self._ask_from_us >= 0:
            query["added_after"] = taxii_time(self._ask_from_us)
        return {**query, "next": token} if token else query


def _read(body: bytes) -> _Envelope:
    try:
        return msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PollFailed("its answer is no TAXII envelope") from error


def _token(given: str | int | None) -> str:
    """Some servers count pages with a number."""
    token = "" if given is None else str(given)
    return token if len(token) <= MAX_NEXT_CHARS else ""


async def _limited(answer: aiohttp.ClientResponse) -> bytes:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise PollFailed("its answer is compressed, which we did not ask for")
    parts, size = [], 0
    async for part in answer.content.iter_chunked(1 << 16):
        size += len(part)
        if size > MAX_PAGE_BYTES:
            raise PollFailed(f"a page of it is larger than {MAX_PAGE_BYTES >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _retry_after_s(text: str, now: datetime) -> float:
    """Seconds, or a date (RFC 9110 section 10.2.3)."""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (TypeError, ValueError):
        return USUAL_WAIT_S
