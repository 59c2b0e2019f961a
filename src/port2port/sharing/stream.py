"""One connection to one partner, for one class: reads its lines, applies its pages, confirms them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp
import msgspec

from port2port.core.clock import from_ms, to_ms
from port2port.core.errors import DecodeError
from port2port.sharing import ack_tables, snapshot, tables, wire
from port2port.sharing.calls import base_url
from port2port.sharing.credentials import Credentials
from port2port.sharing.documents import Member
from port2port.sharing.entry import Cursor
from port2port.sharing.intake import Intake
from port2port.sharing.lane import Class
from port2port.sharing.peers import Peers
from port2port.sharing.pulse import is_set_within
from port2port.sharing.reading import ZIPPED, lines
from port2port.sharing.verify import Broken
from port2port.sharing.wire import Ack, Acks, BeatLine, LaneLine, PageLine, StopLine

CONNECT_S = 5.0
ACK_EVERY_S = 0.2
PAGES_AT_ONCE = 2
"""Pages applied in one transaction, and confirmed at once: meanwhile the sender makes the next ones."""
MAX_ACKS = 100
SILENT_BEATS = 4
"""Signs of life that may fail to come before a connection counts as dead."""


class StreamEnded(Exception):
    """A connection is over, for a countable reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stream:
    """A connection; `run` ends with `StreamEnded`."""

    def __init__(
        self,
        peers: Peers,
        credentials: Credentials,
        intake: Intake,
        member: Member,
        urgency: Class,
        origin: str = "",
    ) -> None:
        self._peers, self._credentials, self._intake = peers, credentials, intake
        self._member, self._urgency, self._origin = member, urgency, origin
        self._status = peers.statuses.of(member.node_id)
        self._acks: dict[bytes, Ack] = {}
        self._to_confirm = asyncio.Event()
        self._pressing = asyncio.Event()
        self._unconfirmed = 0
        """Pages applied since we last confirmed."""
        self._pages: asyncio.Queue[PageLine] = asyncio.Queue(PAGES_AT_ONCE)
        self._halted: set[bytes] = set()
        """Stopped lanes, whose pages are passed over: when a person resumes one, only a new call fills the gap."""
        self.on_open: Callable[[], None] = lambda: None

    async def run(self) -> None:
        """Connect, read until the end."""
        cursors = await asyncio.to_thread(self._cursors)
        context = self._credentials.client(self._member.node_id, *self._peers.network().keys(self._member.node_id))
        connector = aiohttp.TCPConnector(ssl=context)
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_S, sock_read=SILENT_BEATS * self._peers.settings.heartbeat_s + CONNECT_S
        )
        try:
            async with aiohttp.ClientSession(
                base_url(self._member), connector=connector, timeout=timeout, auto_decompress=False
            ) as session:
                await self._read(session, cursors)
        except aiohttp.ClientConnectorCertificateError as error:
            raise StreamEnded("not-who-we-called") from error
        except (aiohttp.ServerTimeoutError, TimeoutError) as error:
            raise StreamEnded("silent") from error
        except (aiohttp.ClientError, OSError) as error:
            raise StreamEnded("unreachable") from error
        except DecodeError as error:
            self._peers.site.counters.add(f"sharing.refused.{error.reason}")
            raise StreamEnded(error.reason) from error

    async def _read(self, session: aiohttp.ClientSession, cursors: dict[bytes, Cursor]) -> None:
        params = {"class": self._urgency.value, "at": wire.encode_cursors(cursors), "zip": "zstd"}
        if self._origin:
            params["of"] = self._origin
        async with session.get("/p2p/v1/stream", params=params, allow_redirects=False) as answer:
            if answer.status != 200 or answer.headers.get("Content-Encoding", "identity") != "identity":
                raise StreamEnded("refused")
            if not self._origin:
                self._status.opened(self._urgency, self._peers.site.clock())
                self._peers.site.counters.add("sharing.connected")
            self.on_open()
            confirming = asyncio.create_task(self._confirm(session))
            applying = asyncio.create_task(self._keep_applying())
            reading = asyncio.create_task(self._read_on(answer))
            try:
                await asyncio.wait({reading, applying}, return_when=asyncio.FIRST_COMPLETED)
                (applying if applying.done() else reading).result()
            finally:
                for task in (confirming, applying, reading):
                    task.cancel()
                await asyncio.gather(confirming, applying, reading, return_exceptions=True)
        raise StreamEnded("ended")

    async def _read_on(self, answer: aiohttp.ClientResponse) -> None:
        """Read while pages are applied; when the connection ends, what came is still applied."""
        async for line in lines(answer.content, zipped=answer.headers.get(ZIPPED) == "zstd"):
            await self._take(wire.decode(line))
        await self._pages.join()

    async def _keep_applying(self) -> None:
        """Apply pages as they come, several in one transaction when several have come."""
        while True:
            pages = [await self._pages.get()]
            while len(pages) < PAGES_AT_ONCE and not self._pages.empty():
                pages.append(self._pages.get_nowait())
            try:
                await asyncio.to_thread(self._apply, pages)
            finally:
                for _ in pages:
                    self._pages.task_done()
            self._to_confirm.set()
            self._unconfirmed += len(pages)
            if self._unconfirmed >= PAGES_AT_ONCE:
                self._pressing.set()

    async def _take(self, line: wire.AnyLine) -> None:
        now = self._peers.site.clock()
        if isinstance(line, PageLine):
            self._status.heard(now)
            await self._pages.put(line)
        elif isinstance(line, LaneLine):
            await self._pages.join()
            await self._meet(line)
        elif isinstance(line, BeatLine):
            self._status.heard(now, from_ms(line.ts_ms))
            await asyncio.to_thread(self._end_when_resumed)
        elif isinstance(line, StopLine):
            await self._pages.join()
            await self._stopped(line)

    async def _meet(self, line: LaneLine) -> None:
        """A lane that begins later than its first entry begins, for us, with its live set."""
        peer = self._member.node_id
        row = await asyncio.to_thread(self._intake.meet, peer, line, self._origin)
        if row is not None and row.cursor.sequence < line.base and not self._origin:
            await snapshot.fetch(self._peers, self._intake, self._member, bytes.fromhex(line.lane))
            raise StreamEnded("began-with-live-set")

    async def _stopped(self, line: StopLine) -> None:
        if self._origin:
            return
        peer, lane = self._member.node_id, bytes.fromhex(line.lane)
        if line.reason == Broken.TOO_OLD and await snapshot.fetch(self._peers, self._intake, self._member, lane):
            raise StreamEnded("began-with-live-set")
        reason = Broken(line.reason) if line.reason in (Broken.FORK, Broken.TOO_OLD) else Broken.FORK
        await asyncio.to_thread(self._intake.stop, peer, lane, reason)
        self._halted.add(lane)

    def _apply(self, pages: list[PageLine]) -> None:
        self._end_when_resumed()
        for applied in self._intake.apply_all(self._member.node_id, pages, self._origin):
            if applied.stopped:
                self._halted.add(applied.lane)
            else:
                self._note(applied.lane, applied.cursor)

    def _end_when_resumed(self) -> None:
        if not self._halted:
            return
        with self._peers.site.store.reading() as view:
            found = [tables.find_lane(view, lane) for lane in self._halted]
        if any(row is not None and not row.stopped for row in found):
            raise StreamEnded("resumed")

    def _note(self, lane: bytes, cursor: Cursor) -> None:
        """What to confirm at the next turn."""
        with self._peers.site.store.reading() as view:
            refused = ack_tables.refusals_in(view, lane)
        self._acks[lane] = Ack(
            lane=lane.hex(),
            seq=cursor.sequence,
            chain=cursor.chain,
            applied_ms=to_ms(self._peers.site.clock()),
            refused=refused,
        )

    def _cursors(self) -> dict[bytes, Cursor]:
        """From where to go on. What we had confirmed is confirmed again: the last time may have been lost."""
        with self._peers.site.store.reading() as view:
            rows = tables.lanes_of(view, self._origin or self._member.node_id, self._urgency)
        for row in rows:
            if row.stopped:
                self._halted.add(row.lane.id)
            if row.cursor.sequence:
                self._note(row.lane.id, row.cursor)
        if self._acks:
            self._to_confirm.set()
        return {row.lane.id: row.cursor for row in rows}

    async def _confirm(self, session: aiohttp.ClientSession) -> None:
        """Post confirmations, several at once, at most every 200 ms."""
        while True:
            await self._to_confirm.wait()
            await is_set_within(self._pressing, ACK_EVERY_S)
            self._to_confirm.clear()
            self._pressing.clear()
            self._unconfirmed = 0
            waiting = dict(list(self._acks.items())[:MAX_ACKS])
            body = msgspec.json.encode(Acks(list(waiting.values()), to_ms(self._peers.site.clock())))
            headers = self._peers.signed("POST", base_url(self._member) + "/p2p/v1/acks", body)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.post("/p2p/v1/acks", data=body, headers=headers, allow_redirects=False) as answer:
                    if answer.status == 204:
                        self._forget(waiting)
            if self._acks:
                self._to_confirm.set()

    def _forget(self, sent: dict[bytes, Ack]) -> None:
        for lane, ack in sent.items():
            if self._acks.get(lane) is ack:
                del self._acks[lane]
