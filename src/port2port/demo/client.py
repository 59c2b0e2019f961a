"""A person's browser, as far as the demonstration needs one: signs in, reads, posts."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from port2port.core.errors import Port2PortError, Unavailable

T = TypeVar("T")

_CSRF = re.compile(r'name="(?:csrf-token" content|_csrf" value)="([^"]+)"')
TIMEOUT = aiohttp.ClientTimeout(total=30)


class NodeClient:
    """One signed-in session at one node."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._csrf = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def sign_in(self, role: str) -> None:
        """One click, as the demonstration offers it."""
        await self._learn_csrf("/sign-in")
        await self.post_form("/sign-in/demonstration", {"role": role})
        await self._learn_csrf("/account")

    async def get(self, path: str) -> Any:
        """JSON from the node."""
        headers = {"Accept": "application/json"}
        with _away(self.base_url):
            async with self._session.get(self.base_url + path, headers=headers) as answer:
                return await self._read(answer)

    async def status(self, path: str) -> int:
        """The bare status of a page."""
        async with self._session.get(self.base_url + path, allow_redirects=False) as answer:
            return answer.status

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Post JSON, read JSON."""
        headers = {"Accept": "application/json", "X-CSRF-Token": self._csrf, "Origin": self.base_url}
        with _away(self.base_url):
            async with self._session.post(self.base_url + path, json=body or {}, headers=headers) as answer:
                return await self._read(answer)

    async def post_form(self, path: str, fields: Mapping[str, str]) -> str:
        """Post a form as a page does; answers where it leads."""
        headers = {"X-CSRF-Token": self._csrf, "Origin": self.base_url}
        url = self.base_url + path
        async with self._session.post(url, data=dict(fields), headers=headers, allow_redirects=False) as answer:
            if answer.status >= 400:
                raise _failed(answer, await answer.text())
            return answer.headers.get("Location", "")

    def stream(self, path: str) -> Any:
        """An open answer, to be read as it comes (`async with`)."""
        return self._session.get(self.base_url + path, timeout=aiohttp.ClientTimeout(total=None))

    async def _learn_csrf(self, path: str) -> None:
        async with self._session.get(self.base_url + path) as answer:
            found = _CSRF.search(await answer.text())
        if found is None:
            raise Unavailable(f"{self.base_url}{path} has no form token (status {answer.status}).")
        self._csrf = found.group(1)

    async def _read(self, answer: aiohttp.ClientResponse) -> Any:
        if answer.status >= 400:
            raise _failed(answer, await answer.text())
        return await answer.json() if answer.content_length != 0 else None


@contextmanager
def _away(base_url: str) -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientConnectionError as error:
        raise Unavailable(f"{base_url} does not answer.", hint="Does its process still run?") from error


async def until(what: str, look: Callable[[], Awaitable[T | None]], timeout_s: float, every_s: float = 0.05) -> T:
    """Look again until there is an answer. Raises `Unavailable` naming what did not come."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Unavailable(f"After {timeout_s:g} s still waiting for: {what}.")
        await asyncio.sleep(every_s)


def _failed(answer: aiohttp.ClientResponse, text: str) -> Port2PortError:
    return Port2PortError(f"{answer.method} {answer.url.path} answered {answer.status}: {text[:300]}")
