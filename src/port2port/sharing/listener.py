"""Where other ports read from us: TLS 1.3 with a certificate on both sides, on a port of its own.

Who calls is asked at every request, from the roster of now. Who is not entitled hears the same as who asks for
what does not exist: 404, byte for byte.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from port2port.capability import Site
from port2port.core.clock import from_ms, to_ms
from port2port.core.errors import DecodeError
from port2port.sharing import ack_tables, door, message_signatures, outlet, tables, trust, verify, wire
from port2port.sharing.bucket import Buckets
from port2port.sharing.calls import PeerRequest, PeerRoute
from port2port.sharing.credentials import Credentials
from port2port.sharing.door import Caller
from port2port.sharing.entry import Cursor
from port2port.sharing.lane import Class
from port2port.sharing.limits import (
    MAX_BODY_BYTES,
    MAX_LANES,
    MAX_LINE_BYTES,
    MAX_PAGE_ENTRIES,
    MAX_POST_BYTES,
    MAX_QUERY_BYTES,
    MAX_STREAMS,
    MAX_WAIT_S,
)
from port2port.sharing.message_signatures import FRESH, Seen
from port2port.sharing.outlet import Fork, TooOld
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import is_set_within
from port2port.sharing.reading import ZIPPED, packed
from port2port.sharing.settings import host_and_port
from port2port.sharing.tables import LaneRow
from port2port.sharing.tail import Tail
from port2port.sharing.wire import BeatLine, PageLine, lane_line
from port2port.store import Reading

JSON_LINES = "application/jsonl"
_PEER: web.RequestKey[str] = web.RequestKey("peer", str)
_CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
_SHUTDOWN_S = 1.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(status: int, title: str, **headers: str) -> web.Response:
    """RFC 9457: the same bytes for the same status, whatever the reason was."""
    body = msgspec.json.encode({"type": "about:blank", "title": title, "status": status})
    return web.Response(status=status, body=body, content_type="application/problem+json", headers=headers)


def _not_found() -> web.Response:
    return problem(404, "Not found")


class Listener:
    """The peer listener of one node."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._site: Site = peers.site
        self._credentials = Credentials(peers.site)
        self._buckets = Buckets(peers.settings.requests_per_second)
        self._streams: Counter[str] = Counter()
        self._seen = Seen()
        self._at_any_time = {"/p2p/v1/acks", *(each.path for each in peers.routes if each.at_any_time)}
        self._long: set[asyncio.Task[Any]] = set()
        """Requests that would wait for ever: ended at shutdown."""
        self._context: ssl.SSLContext | None = None
        self._made_of: object = None
        self.address: tuple[str, int] | None = None
        """Where it listens, once it does."""

    async def run(self) -> None:
        """Serve until cancelled."""
        host, port = host_and_port(self._peers.settings.listen)
        runner = web.AppRunner(
            self._app(),
            access_log=None,
            handler_cancellation=True,
            max_line_size=MAX_QUERY_BYTES,
            shutdown_timeout=_SHUTDOWN_S,
        )
        await runner.setup()
        try:
            await self._renew()
            first = self._context
            assert first is not None
            first.sni_callback = self._choose
            site = web.TCPSite(runner, host, port, ssl_context=first, reuse_address=True)
            await site.start()
            self.address = runner.addresses[0][:2]
            await self._keep_fresh()
        finally:
            self.address = None
            await runner.cleanup()

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Each handshake uses the newest leaf and roster; the listener itself never stops."""
        assert self._context is not None
        connection.context = self._context

    async def _keep_fresh(self) -> None:
        with self._peers.pulse.waking() as changed:
            while True:
                await self._renew()
                await is_set_within(changed, trust.RENEW_AFTER.total_seconds() / 10)
                changed.clear()

    async def _renew(self) -> None:
        self._context = await asyncio.to_thread(self._make_context)

    def _make_context(self) -> ssl.SSLContext:
        now = self._site.clock()
        with self._site.store.reading() as view:
            network = self._peers.book.network(view)
            trusted = door.trusted(view, network, self._site.party.node_id, now)
        made_of = (self._credentials.leaf(), trusted)
        if self._context is None or made_of != self._made_of:
            self._context, self._made_of = self._credentials.server(trusted), made_of
        return self._context

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._admit], client_max_size=MAX_POST_BYTES)
        app.on_shutdown.append(self._end_long)
        app.router.add_get("/p2p/v1/node", self._node)
        app.router.add_get("/p2p/v1/lanes", self._lanes)
        app.router.add_get("/p2p/v1/stream", self._stream)
        app.router.add_get("/p2p/v1/lanes/{lane}/entries", self._entries)
        app.router.add_post("/p2p/v1/acks", self._acks)
        app.router.add_post(door.JOIN, self._at_the_door)
        app.router.add_get(door.FAREWELL, self._at_the_door)
        for route in self._peers.routes:
            app.router.add_route(route.method, route.path, partial(self._answer, route))
        return app

    async def _end_long(self, _: web.Application) -> None:
        for task in self._long:
            task.cancel()

    @contextmanager
    def _is_long(self) -> Iterator[asyncio.Event]:
        """A request that waits for news, on the event that tells of them."""
        task = asyncio.current_task()
        assert task is not None
        self._long.add(task)
        try:
            with self._peers.pulse.waking() as changed:
                yield changed
        finally:
            self._long.discard(task)

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every request passes here: who is it, may it ask at all, and does it ask too often?"""
        certificate = _certificate(request)
        caller = await asyncio.to_thread(self._who, certificate)
        peer = caller.peer
        if not caller.may_call(request.path):
            self._site.counters.add("sharing.refused.stranger")
            return _not_found()
        wait_s = self._buckets.take(caller.name)
        if wait_s:
            self._site.counters.add("sharing.refused.too-many-requests")
            return problem(429, "Too many requests", **{"Retry-After": str(wait_s)})
        if peer:
            self._peers.heard_from(peer)
        request[_PEER], request[_CALLER] = peer, caller
        try:
            if peer and request.method == "POST" and (refused := await self._unsigned(request, peer)):
                return refused
            return await handler(request)
        except DecodeError as error:
            self._site.counters.add(f"sharing.refused.{error.reason}")
            return problem(400, "Bad request")
        except web.HTTPRequestEntityTooLarge:
            self._site.counters.add("sharing.refused.post-too-large")
            return problem(413, "Too large")
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return _not_found()

    async def _unsigned(self, request: web.Request, peer: str) -> web.Response | None:
        """What changes something here is signed by who sends it, freshly, and once (RFC 9421)."""
        body = await request.read()
        found = await asyncio.to_thread(self._signature_problem, request, body, peer)
        if found is None:
            return None
        self._site.counters.add(f"sharing.refused.{found.reason}")
        return problem(401, found.message)

    def _signature_problem(self, request: web.Request, body: bytes, peer: str) -> message_signatures.Refusal | None:
        within = None if request.path in self._at_any_time else FRESH
        url = f"https://{request.host}{request.path_qs}"
        with self._site.store.reading() as view:
            keys = self._peers.book.network(view).keys(peer)
        now = self._site.clock()
        return message_signatures.verify(
            request.method, url, request.headers, body, peer, keys, now, self._seen, within
        )

    def _who(self, certificate: bytes | None) -> Caller:
        with self._site.store.reading() as view:
            network = self._peers.book.network(view)
            return door.who(view, network, self._site.party.node_id, self._site.clock(), certificate)

    async def _node(self, request: web.Request) -> web.StreamResponse:
        party = self._site.party
        return _json(
            {
                "node_id": party.node_id,
                "name": party.name,
                "public_key": self._peers.public_key.hex(),
                "versions": [1],
                "ts_ms": to_ms(self._site.clock()),
                "limits": {
                    "body_bytes": MAX_BODY_BYTES,
                    "line_bytes": MAX_LINE_BYTES,
                    "page_entries": MAX_PAGE_ENTRIES,
                    "lanes": MAX_LANES,
                    "post_bytes": MAX_POST_BYTES,
                    "wait_s": MAX_WAIT_S,
                },
            }
        )

    async def _lanes(self, request: web.Request) -> web.StreamResponse:
        lines = await asyncio.to_thread(self._read_lanes, request[_PEER], request.query.get("of", ""))
        return web.Response(body=b"".join(lines), content_type=JSON_LINES)

    def _read_lanes(self, peer: str, origin: str) -> list[bytes]:
        """Ours, or those of `origin` that we hand on; its own are told to everybody who comes back without them."""
        if origin not in ("", peer) and not self._peers.settings.hand_on:
            return []
        with self._site.store.reading() as view:
            network = self._peers.book.network(view)
            rows = outlet.readable(view, peer, network, self._site.clock(), origin=origin)
        return [wire.encode(lane_line(row.lane, row.cursor.sequence, row.base)) for row in rows]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        peer, urgency = request[_PEER], _class(request)
        cursors = wire.decode_cursors(request.query.get("at", ""))
        if self._streams[peer] >= MAX_STREAMS:
            return problem(429, "Too many requests", **{"Retry-After": "1"})
        zipped = request.query.get("zip") == "zstd"
        origin = request.query.get("of", "")
        if origin and not (self._peers.settings.hand_on and origin != self._site.party.node_id):
            return _not_found()
        self._streams[peer] += 1
        try:
            headers = {"Content-Type": JSON_LINES, **({ZIPPED: "zstd"} if zipped else {})}
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            confirmed = None if origin else self._peers.confirmed
            tail = Tail(self._site, self._peers.book, peer, urgency, cursors, origin=origin, confirmed=confirmed)
            await self._follow(response, tail, peer, packed if zipped else bytes)
            return response
        finally:
            self._streams[peer] -= 1

    async def _follow(
        self, response: web.StreamResponse, tail: Tail, peer: str, pack: Callable[[bytes], bytes]
    ) -> None:
        """Send what there is, then wait for more, with a sign of life now and then. Ends with the membership."""

        def make() -> bytes | None:
            lines = tail.next()
            return None if lines is None else pack(b"".join(lines)) if lines else b""

        await response.write(pack(self._beat()))
        with self._is_long() as changed, self._peers.confirmed.waking(peer, changed):
            while (data := await asyncio.to_thread(make)) is not None:
                if data:
                    await response.write(data)
                    continue
                if not await is_set_within(changed, self._peers.settings.heartbeat_s):
                    await response.write(pack(self._beat()))
                changed.clear()

    def _beat(self) -> bytes:
        return wire.encode(BeatLine(ts_ms=to_ms(self._site.clock())))

    async def _entries(self, request: web.Request) -> web.StreamResponse:
        peer, lane = request[_PEER], request.match_info["lane"]
        cursor = wire.decode_cursor(request.query.get("after", "0"))
        limit = _number(request, "limit", MAX_PAGE_ENTRIES, 1, MAX_PAGE_ENTRIES)
        gaps = request.query.get("gaps") == "1"
        end = asyncio.get_running_loop().time() + _number(request, "wait", 0, 0, int(MAX_WAIT_S))
        with self._is_long() as changed:
            while True:
                answer = await asyncio.to_thread(self._page, peer, lane, cursor, limit, gaps)
                left_s = end - asyncio.get_running_loop().time()
                if answer is not None or left_s <= 0:
                    break
                await is_set_within(changed, left_s)
                changed.clear()
        if isinstance(answer, web.Response):
            return answer
        return web.Response(body=wire.encode(answer) if answer else b"", content_type=JSON_LINES)

    def _page(
        self, peer: str, lane: str, cursor: Cursor, limit: int, gaps: bool = False
    ) -> web.Response | PageLine | None:
        now = self._site.clock()
        with self._site.store.reading() as view:
            row = self._readable(view, peer, lane)
            if row is None:
                return _not_found()
            to_origin = gaps and row.lane.origin == peer
            answer = outlet.page_after(view, row, cursor, self._site.identity, now, limit, to_origin=to_origin)
        if isinstance(answer, Fork):
            return problem(409, "The cursor is not in this log")
        return problem(410, "The cursor is older than what is kept") if isinstance(answer, TooOld) else answer

    def _readable(self, view: Reading, peer: str, lane: str) -> LaneRow | None:
        """A lane that the peer may read here: ours, one that we hand on, or its own, to take back."""
        row = tables.find_lane(view, bytes.fromhex(lane)) if wire.is_lane_id(lane) else None
        if row is None or not (row.own or self._peers.settings.hand_on or row.lane.origin == peer):
            return None
        network = self._peers.book.network(view)
        return row if outlet.may_read(row.lane, peer, network, self._site.clock()) else None

    async def _acks(self, request: web.Request) -> web.StreamResponse:
        acks = wire.decode_acks(await request.read())
        peer = request[_PEER]
        known = await asyncio.to_thread(self._check_acks, peer, acks)
        self._peers.confirmed.wake(peer)
        await asyncio.to_thread(self._save_acks, peer, known)
        self._peers.statuses.of(peer).heard(self._site.clock(), from_ms(acks.ts_ms))
        return web.Response(status=204)

    def _check_acks(self, peer: str, acks: wire.Acks) -> list[wire.Ack]:
        """What is not in our log is passed over. Who knows the chain has read it, also if he may no longer."""
        known = []
        with self._site.store.reading() as view:
            for ack in acks.acks:
                row = tables.find_lane(view, bytes.fromhex(ack.lane))
                if row is None or not row.own or tables.chain_at(view, row.lane.id, ack.seq) != ack.chain:
                    self._site.counters.add("sharing.refused.wrong-confirmation")
                    continue
                self._peers.confirmed.confirm(peer, row.lane.id, ack.seq)
                known.append(ack)
        return known

    def _save_acks(self, peer: str, acks: list[wire.Ack]) -> None:
        now = self._site.clock()
        with self._site.store.transaction() as tx:
            for ack in acks:
                ack_tables.save_ack(tx, peer, bytes.fromhex(ack.lane), ack.seq, _known_reasons(ack.refused), now)

    async def _answer(self, route: PeerRoute, request: web.Request) -> web.StreamResponse:
        asked = PeerRequest(path_values=request.match_info, query=request.query, body=await request.read())
        answer = await asyncio.to_thread(route.handle, request[_PEER], asked)
        if answer.status == 404:
            return _not_found()
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)

    async def _at_the_door(self, request: web.Request) -> web.StreamResponse:
        known, body = self._peers.book, await request.read()
        answer = await asyncio.to_thread(door.answer, self._site, known, request[_CALLER], request.path, body)
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)


def _known_reasons(refused: dict[str, int]) -> dict[str, int]:
    """A peer's reasons are shown to people: only those that have words."""
    known: Counter[str] = Counter()
    for reason, count in refused.items():
        known[reason if reason in verify.REASONS else verify.OTHER] += count
    return dict(known)


def _certificate(request: web.Request) -> bytes | None:
    tls: Any = request.transport.get_extra_info("ssl_object") if request.transport else None
    return tls.getpeercert(binary_form=True) if tls else None


def _class(request: web.Request) -> Class:
    try:
        return Class(request.query.get("class", ""))
    except ValueError as error:
        raise DecodeError("There is no such class.") from error


def _number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise DecodeError(f"{name} is not a number.")
    return min(max(int(text), least), most)


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
