"""Sending: in time, to those who want it, on this machine only."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from port2port.core.errors import BadInput
from port2port.demo.harbour import Harbour, Transmission
from port2port.demo.network import BELGIUM
from port2port.demo.routes import read_chart
from port2port.demo.transmit import Target, Transmitter, in_time, line_time_s, recorded, simulated

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
ONE = b"!AIVDM,1,1,,A,13@:`L001N0ded0O6Fp8wW<00<0t,0*62"


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(5)
        yield found


def message(station: str, offset_s: float = 0.0) -> Transmission:
    return Transmission(START + timedelta(seconds=offset_s), station, [ONE])


def play(targets: list[Target], source: list[Transmission], warp: float = 1000.0) -> int:
    async def run() -> int:
        async with Transmitter(targets) as transmitter:
            return (await transmitter.play(source, warp=warp)).datagrams

    return asyncio.run(run())


def test_a_node_gets_the_stations_that_it_hears_and_no_other(receiver: socket.socket) -> None:
    target = Target(receiver.getsockname()[1], frozenset({"ostend"}))

    assert play([target], [message("liege"), message("ostend"), message("ghent")]) == 1
    assert receiver.recv(2048) == ONE + b"\r\n"


def test_the_national_feed_hears_all(receiver: socket.socket) -> None:
    target = Target(receiver.getsockname()[1], frozenset({"*"}))

    assert play([target], [message("liege"), message("ostend"), message("ghent")]) == 3


def test_nothing_is_sent_off_this_machine() -> None:
    with pytest.raises(BadInput, match="on this machine only"):
        Transmitter([Target(10110, frozenset({"*"}), "192.0.2.1")])


def test_the_schedule_counts_from_the_beginning_and_does_not_drift() -> None:
    async def run() -> list[float]:
        loop = asyncio.get_running_loop()
        begun, found = loop.time(), []
        source = [message("ostend", second) for second in range(21)]
        async for _ in in_time(source, warp=50):
            found.append(loop.time() - begun)
            await asyncio.sleep(0.005)  # each takes a while; the next is not later for it
        return found

    moments = asyncio.run(run())
    assert moments[-1] == pytest.approx(20 / 50, abs=0.1)
    assert all(moment >= second / 50 - 0.005 for second, moment in enumerate(moments))


def test_playing_ends_when_asked() -> None:
    harbour = Harbour(read_chart(BELGIUM), 3, START)

    async def run() -> int:
        async with Transmitter([]) as transmitter:
            return (await transmitter.play(simulated(harbour), warp=100, until_s=30)).messages

    expected = sum(len(harbour.sentences(START + timedelta(seconds=second))) for second in range(30))
    assert asyncio.run(run()) == pytest.approx(expected, abs=60)


def test_a_recording_plays_at_its_own_speed_and_unchanged(tmp_path: Path) -> None:
    lines = [b"\\s:x,c:1000000000*00\\" + ONE, b"\\s:x,c:1000000007*00\\" + ONE, b"# remark", ONE]
    path = tmp_path / "some.nmea.gz"
    path.write_bytes(gzip.compress(b"\r\n".join(lines)))

    found = list(recorded(path, begins=START))

    assert [(each.at - START).total_seconds() for each in found] == [0, 7, 7]
    assert [each.nmea_sentences for each in found] == [[lines[0]], [lines[1]], [lines[3]]]


def test_parts_of_a_recorded_message_stay_together(tmp_path: Path) -> None:
    path = tmp_path / "some.nmea"
    path.write_bytes(b"!AIVDM,2,1,3,A,55,0*00\n!AIVDM,2,2,3,A,00,2*00\n" + ONE + b"\n")

    assert [len(each.nmea_sentences) for each in recorded(path, begins=START)] == [2, 1]


def test_a_recording_can_start_over(tmp_path: Path) -> None:
    path = tmp_path / "some.nmea"
    path.write_bytes(ONE)

    assert len(list(islice(recorded(path, begins=START, again=True), 5))) == 5


def test_a_file_without_ais_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "empty.nmea"
    path.write_bytes(b"")

    with pytest.raises(BadInput, match=r"empty\.nmea"):
        list(recorded(path, begins=START, again=True))
    with pytest.raises(BadInput, match="cannot be read"):
        list(recorded(tmp_path / "absent.nmea", begins=START))


def test_a_recording_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "torn.nmea.gz"
    path.write_bytes(gzip.compress(ONE * 50)[:40])

    with pytest.raises(BadInput, match=r"torn\.nmea\.gz"):
        list(recorded(path, begins=START))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"\\s:x,c:1469664000*00\\" + ONE, 1469664000.0),
        (b"\\g:1-2-3,c:1469664000250*00\\" + ONE, 1469664000.25),
        (b"$PGHP,1,2013,11,12,12,0,0,11,219,,2190067,1,62*26", 1384257600.011),
        (b"$PGHP,1,2013,13,12,12,0,0,11,219,,2190067,1,62*26", None),
        (ONE + b",1469664000.24", 1469664000.24),
        (ONE, None),
    ],
)
def test_a_line_tells_its_time(line: bytes, expected: float | None) -> None:
    assert line_time_s(line) == expected


def test_five_minutes_of_denmark_last_five_minutes(shared: Path) -> None:
    path = shared / "data/picture/ais/dk_2013-11-12_1200utc_5min.pghp.gz"
    found = list(recorded(path, begins=START))

    assert len(found) > 20_000
    assert 290 <= (found[-1].at - START).total_seconds() <= 310
