"""Real sockets and files: bytes come in, are batched, and a silent source is seen."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from vessels_kit import NOW_S, position, service, until, voyage

from port2port.core.clock import system_clock
from port2port.core.errors import BadInput
from port2port.transport import Log
from port2port.vessels.nmea import MAX_LINE_BYTES
from port2port.vessels.service import Batch
from port2port.vessels.settings import SourceSettings
from port2port.vessels.sources import SourceState, open_source, tcp
from port2port.vessels.sources.replay import lines_of

GOOD = position(51.25, 2.95, NOW_S)
DEADLINE_S = 5.0


def heard(log: Log[Batch], lines: int) -> list[bytes]:
    """Wait until so many lines have come."""
    found: list[bytes] = []
    after = 0
    while len(found) < lines:
        page = log.read(after, 100, DEADLINE_S)
        assert page.batches, f"only {len(found)} of {lines} lines came: {found}"
        found += [line for batch in page.batches for line in batch.lines]
        after = page.last
    return found


class Opened:
    """A source that runs while the block lasts."""

    def __init__(self, settings: SourceSettings, folder: Path = Path(), capacity: int = 1000) -> None:
        self.log: Log[Batch] = Log(capacity)
        self.state: SourceState
        self.run: Callable[[], Awaitable[None]]
        self.state, self.run = open_source(settings, self.log, system_clock, folder)

    async def __aenter__(self) -> Opened:
        self.task = asyncio.ensure_future(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def port(self) -> int:
        await until(lambda: bool(self.state.address))
        return int(self.state.address.rpartition(":")[2])


def test_datagrams_are_heard() -> None:
    async def play() -> None:
        async with Opened(SourceSettings(name="coast", kind="udp", address="127.0.0.1:0")) as source:
            port = await source.port()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(GOOD + b"\r\n" + GOOD, ("127.0.0.1", port))
            lines = await asyncio.to_thread(heard, source.log, 2)
            assert lines == [GOOD, GOOD]
            assert source.state.last_heard is not None
            assert source.state.rate(system_clock()) > 0

    asyncio.run(play())


def test_a_server_hears_two_receivers_and_turns_away_the_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "MAX_CONNECTIONS", 2)

    async def play() -> None:
        async with Opened(SourceSettings(name="coast", kind="tcp-server", address="127.0.0.1:0")) as source:
            port = await source.port()
            first = (await asyncio.open_connection("127.0.0.1", port))[1]
            second = (await asyncio.open_connection("127.0.0.1", port))[1]
            await until(lambda: source.state.connections == 2)
            reader, third = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            for writer in (first, second):
                writer.write(GOOD[:10])
                await writer.drain()
                writer.write(GOOD[10:] + b"\n")
                await writer.drain()
            assert await asyncio.to_thread(heard, source.log, 2) == [GOOD, GOOD]
            for writer in (first, second, third):
                writer.close()
                await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            await until(lambda: source.state.connections == 0)

    asyncio.run(play())


def test_a_client_connects_again_after_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "FIRST_PAUSE_S", 0.01)

    async def play() -> None:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(GOOD + b"\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Opened(SourceSettings(name="coast", kind="tcp-client", address=address)) as source:
            assert await asyncio.to_thread(heard, source.log, 2) == [GOOD, GOOD]
            assert source.state.connections >= 2
        server.close()
        await server.wait_closed()

    asyncio.run(play())


def test_a_line_without_an_end_is_cut_off_and_the_next_is_heard() -> None:
    async def play() -> None:
        async with Opened(SourceSettings(name="coast", kind="tcp-server", address="127.0.0.1:0")) as source:
            writer = (await asyncio.open_connection("127.0.0.1", await source.port()))[1]
            writer.write(b"x" * 300_000 + b"\n" + GOOD + b"\n")
            await writer.drain()
            lines = await asyncio.to_thread(heard, source.log, 2)
            assert [len(lines[0]), lines[1]] == [MAX_LINE_BYTES + 1, GOOD]
            writer.close()

    asyncio.run(play())


def recording(folder: Path, name: str = "short.nmea.gz") -> SourceSettings:
    lines = [GOOD, *voyage(), position(51.2501, 2.95, NOW_S + 60)]
    data = b"\r\n".join(lines) + b"\r\n"
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return SourceSettings(name="film", kind="replay", file=name, speed=0)


@pytest.mark.parametrize("name", ["short.nmea.gz", "short.nmea"])
def test_a_recording_is_played_as_if_it_were_now(tmp_path: Path, name: str) -> None:
    source = Opened(recording(tmp_path, name), tmp_path)
    asyncio.run(source.run())  # type: ignore[arg-type]
    vessels = service()
    began_s = system_clock().timestamp()
    for batch in source.log.read(0, 100, 1.0).batches:
        vessels.hear(batch)
    account = vessels.account("film")
    assert (account.decoded, account.parts, account.balanced()) == (3, 1, True)
    assert abs(vessels.traffic.now_s - began_s - 60) < 5
    assert source.state.trouble == "the recording is over"


def test_a_recording_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"absent\.gz"):
        list(lines_of(tmp_path / "absent.gz"))


def test_an_address_without_a_port_is_refused_with_the_name_of_the_source() -> None:
    with pytest.raises(BadInput, match="coast"):
        open_source(SourceSettings(name="coast", kind="udp", address="localhost"), Log(), system_clock, Path())
