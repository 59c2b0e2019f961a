"""Server-sent events (WHATWG HTML, 9.2) from the journal: each event's id is its journal number.

The browser resumes by itself with `Last-Event-ID`; a page says with `?after=` from which number it was made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from litestar.connection import Request
from litestar.response import Stream

from port2port.core.errors import BadInput
from port2port.core.fact import Recorded
from port2port.web.access import visitor_of
from port2port.web.hub import Hub, TooFarBehind
from port2port.web.state import shared, visit_of

__all__ = ["Event", "Hub", "TooFarBehind", "encode", "event_stream", "last_event_id"]

HEART_BEAT_S = 15.0
RETRY_MS = 2_000
MAX_NUMBER = 2**53
"""The largest whole number that every JavaScript keeps exactly."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message to the browser. `data` may have several lines."""

    name: str
    data: str


Render = Callable[[Recorded], Iterable[Event]]
"""What a page wants to know of an entry; runs on the event loop, so it must be quick. Nothing: passed by."""


def event_stream(request: Request[Any, Any, Any], render: Render, heart_beat_s: float = HEART_BEAT_S) -> Stream:
    """Answer the live stream: what `render` makes of each entry after the request's number.

    Event `reload` asks the page to load itself anew: too much was missed. An open stream counts as use of the
    session: who watches for hours is not idle. Raises `Unavailable` when there are too many streams.
    """
    at, visitor = shared(request), visitor_of(request)
    at.hub.check_room(visitor.account.id)
    entries = at.hub.subscribe(last_event_id(request), visitor.account.id)

    async def alive() -> bool:
        return await asyncio.to_thread(at.accounts.visitor, visit_of(request.scope).token) is not None

    return Stream(
        _events(entries, render, heart_beat_s, alive),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def last_event_id(request: Request[Any, Any, Any]) -> int | None:
    """The number after which to go on: the header of a browser that resumes, else the page's `?after=`.

    Raises `BadInput` when it is no number.
    """
    text = request.headers.get("last-event-id") or request.query_params.get("after", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) > MAX_NUMBER:
        raise BadInput("web.error.form", hint="web.error.form.hint")
    return int(text)


def encode(event: Event, number: int) -> bytes:
    """The bytes of one event."""
    name = event.name.replace("\r", " ").replace("\n", " ")
    lines = event.data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    data = "".join(f"data: {line}\n" for line in lines)
    return f"id: {number}\nevent: {name}\n{data}\n".encode()


async def _events(
    entries: AsyncIterator[Recorded], render: Render, heart_beat_s: float, alive: Callable[[], Any]
) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY_MS}\n\n".encode()
    number, pending = 0, asyncio.ensure_future(anext(entries, None))
    clock = asyncio.get_running_loop().time
    beat = clock() + heart_beat_s
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=max(0.0, beat - clock()))
            if clock() >= beat:
                if not await alive():
                    return
                beat = clock() + heart_beat_s
                yield _heart_beat(number)
            if not done:
                continue
            entry = pending.result()
            if entry is None:
                return
            number = entry.number
            pending = asyncio.ensure_future(anext(entries, None))
            for event in render(entry):
                yield encode(event, number)
    except TooFarBehind:
        yield b"event: reload\ndata: \n\n"
    finally:
        await _finish(pending, entries)


def _heart_beat(number: int) -> bytes:
    """A comment that keeps the line open, with the number of the last entry, so that nothing is read twice."""
    return (f"id: {number}\n" if number else "").encode() + b": \n\n"


async def _finish(pending: asyncio.Future[Recorded | None], entries: AsyncIterator[Recorded]) -> None:
    pending.cancel()
    await asyncio.wait({pending})
    if not pending.cancelled():
        pending.exception()  # seen: nothing is left to warn about
    await entries.aclose()  # type: ignore[attr-defined]
