"""From sensor to browser: a marked vessel among 1,000 AIS messages a second, seen by 50 screens.

A real node process hears UDP and serves the stream of positions; this process sends, reads and decodes. The
floor is the same datagrams through a bare aiohttp server to as many readers: what sockets and Python cost alone.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

from port2port.bench.figures import Figure, limit_figure
from port2port.core.errors import Unavailable
from port2port.core.place import Position
from port2port.demo.client import NodeClient
from port2port.demo.processes import NodeProcess, start_all, stop_all
from port2port.demo.sentences import Vessel, position_report, static_reports
from port2port.demo.voyages import Pose
from port2port.picture.frames import Cutter

SCREENS = 50
MESSAGES_A_SECOND = 1_000
SHIPS = 1_000
WARM_UP_S = 3.0
SECONDS, LONG_SECONDS = 10.0, 60.0
TARGET_MS = 500.0
MARKED = Vessel(mmsi=205_999_999, name="MARKED", callsign="X0", ship_type=70, length_m=100, beam_m=15, draught_m=5.0)
START_DEG, STEP_DEG = 51.3, 0.00002
"""The marked vessel's latitude tells which of its messages is drawn: 2.2 m north each time."""
MARK_EVERY = 100
"""Every hundredth message is the marked vessel's: ten a second."""
TICK_S = 0.02


def measure(long: bool = False) -> dict[str, Figure]:
    """The 99th percentile over all screens and all marked messages."""
    seconds = LONG_SECONDS if long else SECONDS
    ours, floor = asyncio.run(_both(seconds))
    note = f"{SCREENS} screens, {MESSAGES_A_SECOND} messages/s for {seconds:g} s, {len(ours)} sightings"
    p99 = percentile(ours, 0.99)
    return {
        "sensor_to_browser_p99_ms": limit_figure(p99, "ms", TARGET_MS, percentile(floor, 0.99), note),
        "sensor_to_browser_p50_ms": limit_figure(percentile(ours, 0.5), "ms", TARGET_MS, percentile(floor, 0.5)),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed. Raises `Unavailable` when there are none."""
    if not values:
        raise Unavailable("No screen saw the marked vessel.")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Marks:
    """When each marked message was sent, and how long the screens waited for it."""

    sent: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)
    counting: bool = False

    def send(self) -> int:
        self.sent.append(time.perf_counter())
        return len(self.sent) - 1

    def see(self, number: int, seen_before: int) -> None:
        """A screen shows message `number`; with it, all that came between are out of date."""
        now = time.perf_counter()
        if self.counting:
            self.waited_ms += [1000 * (now - at) for at in self.sent[seen_before + 1 : number + 1]]


async def _both(seconds: float) -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        ours = await _node(Path(folder), seconds)
    return ours, await _floor(seconds / 2)


async def _node(folder: Path, seconds: float) -> list[float]:
    udp = _free_udp_port()
    settings = (
        "[node]\ndemonstration = true\n[web]\nport = 0\n[sharing]\nlisten = '127.0.0.1:0'\n"
        f"[[vessels.sources]]\nname = 'bench'\nkind = 'udp'\naddress = '127.0.0.1:{udp}'\n"
    )
    (folder / "port2port.toml").write_text(settings)
    node = NodeProcess("stream", folder)
    await start_all([node])
    try:
        async with NodeClient(node.web) as client:
            await client.sign_in("operator")
            return await _measured(lambda marks: _screen(client, marks), udp, seconds)
    finally:
        await stop_all([node])


async def _measured(read: Callable[[Marks], Coroutine[Any, Any, None]], udp: int, seconds: float) -> list[float]:
    """Send, let `SCREENS` readers read, and count after the warm-up."""
    marks = Marks()
    readers = [asyncio.create_task(read(marks)) for _ in range(SCREENS)]
    sender = asyncio.create_task(_send(marks, udp))
    await asyncio.sleep(WARM_UP_S)
    marks.counting = True
    await asyncio.sleep(seconds)
    marks.counting = False
    failed = next((task for task in (sender, *readers) if task.done()), None)
    for task in (sender, *readers):
        task.cancel()
    await asyncio.gather(sender, *readers, return_exceptions=True)
    if failed is not None:
        raise Unavailable(f"A part of the measurement ended early: {failed.exception()!r}.")
    return marks.waited_ms


async def _screen(client: NodeClient, marks: Marks) -> None:
    """One reader of the stream of positions."""
    cutter, handle, last = Cutter(), -1, -1
    async with client.stream("/api/picture/positions") as answer:
        answer.raise_for_status()
        async for chunk in answer.content.iter_any():
            for frame in cutter.feed(chunk):
                for each in frame.introductions:
                    handle = each.handle if each.id.endswith(str(MARKED.mmsi)) else handle
                for row in (frame.movers.handle == handle).nonzero()[0]:
                    number = _number(float(frame.movers.latitude_deg[row]))
                    if number > last:
                        marks.see(number, last)
                        last = number


def _number(latitude_deg: float) -> int:
    return round((latitude_deg - START_DEG) / STEP_DEG)


async def _send(marks: Marks, udp: int) -> None:
    """`MESSAGES_A_SECOND` datagrams a second, evenly spread."""
    crowd = _crowd()
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.0.0.1", udp))
    out.setblocking(False)
    began, sent = time.perf_counter(), 0
    with out:
        while True:
            due = int((time.perf_counter() - began) * MESSAGES_A_SECOND)
            for number in range(sent, due):
                data = _marked(marks) if number % MARK_EVERY == 0 else crowd[number % len(crowd)]
                with suppress(BlockingIOError, ConnectionRefusedError):
                    out.send(data)
            sent = due
            await asyncio.sleep(TICK_S)


def _marked(marks: Marks) -> bytes:
    latitude = START_DEG + marks.send() * STEP_DEG
    return _line(MARKED, Position(latitude, 2.9), 0.0)


def _crowd() -> list[bytes]:
    """Ships that all report; made before the clock starts, since encoding costs more than sending."""
    random = Random(1)  # the same crowd each time
    made = []
    for number in range(SHIPS):
        ship = replace(MARKED, mmsi=205_000_000 + number, name=f"SHIP {number}")
        place = Position(random.uniform(51.1, 51.6), random.uniform(2.2, 3.4))
        made.append(_line(ship, place, random.uniform(0, 360)))
    made += ["\r\n".join(static_reports(MARKED, _now())[0]).encode() + b"\r\n"]
    return made


def _line(vessel: Vessel, place: Position, course_deg: float) -> bytes:
    pose = Pose(place, course_deg, course_deg, 40.0 if vessel is MARKED else 10.0)
    return "\r\n".join(position_report(vessel, pose, _now())).encode() + b"\r\n"


def _now() -> datetime:
    return datetime.now(UTC)


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Echo(asyncio.DatagramProtocol):
    """The floor: every datagram of the marked vessel goes to all readers at once, as eight bytes."""

    def __init__(self) -> None:
        self.answers: set[web.StreamResponse] = set()
        self.writes: set[asyncio.Task[None]] = set()
        self.count = 0

    def datagram_received(self, data: bytes, sender: tuple[Any, ...]) -> None:
        self.count += 1
        if (self.count - 1) % MARK_EVERY == 0:
            number = (self.count - 1) // MARK_EVERY
            for answer in self.answers:
                task = asyncio.ensure_future(answer.write(number.to_bytes(8, "little")))
                self.writes.add(task)
                task.add_done_callback(self.writes.discard)


async def _floor(seconds: float) -> list[float]:
    echo = _Echo()

    async def stream(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        echo.answers.add(answer)
        try:
            await asyncio.Event().wait()
        finally:
            echo.answers.discard(answer)
        return answer

    app = web.Application()
    app.router.add_get("/", stream)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: echo, local_addr=("127.0.0.1", 0))
    try:
        async with ClientSession(timeout=ClientTimeout(total=None)) as session:
            udp = transport.get_extra_info("sockname")[1]
            return await _measured(lambda marks: _bare(session, port, marks), udp, seconds)
    finally:
        transport.close()
        await runner.cleanup()


async def _bare(session: ClientSession, port: int, marks: Marks) -> None:
    last = -1
    async with session.get(f"http://127.0.0.1:{port}/") as answer:
        while True:
            number = int.from_bytes(await answer.content.readexactly(8), "little")
            marks.see(number, last)
            last = max(last, number)
