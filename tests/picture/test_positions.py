"""Gathering movers and handing them out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from picture_kit import NOW

from port2port.capability import Counters, Layer
from port2port.core.place import Position
from port2port.core.track import Quality, Track
from port2port.picture.frames import ALARMED, SNAPSHOT, UPDATE, decode
from port2port.picture.limits import MAX_PENDING_FRAMES
from port2port.picture.positions import Gathering, Positions

SHIP = Track(
    id="vessel:205000001",
    kind="vessel",
    name="SHY BITTERN",
    position=Position(51.25, 2.9),
    course_deg=90.0,
    heading_deg=None,
    speed_mps=4.0,
    seen_at=NOW,
    source="ais-coast",
    quality=Quality.MEASURED,
)


class Bridge:
    """Movers that a test moves by hand."""

    def __init__(self) -> None:
        self.version, self.tracks, self.gone = 0, [], []

    def changed_since(self, version: int) -> tuple[int, Iterable[Track], Iterable[str]]:
        tracks, gone, self.tracks, self.gone = self.tracks, self.gone, [], []
        return self.version, tracks, gone

    def gathering(self) -> Gathering:
        layer = Layer(id="test.ships", title="picture.page.map", movers=self)
        return Gathering(lambda: [layer], lambda: NOW, Counters())


def test_a_ship_is_introduced_once_and_then_only_moved() -> None:
    bridge = Bridge()
    gathering = bridge.gathering()
    bridge.tracks = [SHIP]
    first = decode(gathering.step() or b"")
    bridge.tracks = [replace(SHIP, position=Position(51.26, 2.9), alarmed=True)]
    second = decode(gathering.step() or b"")
    assert [each.name for each in first.introductions] == ["SHY BITTERN"]
    assert second.introductions == ()
    assert second.movers.handle[0] == first.movers.handle[0]
    assert second.movers.style[0] & ALARMED
    assert round(float(second.movers.latitude_deg[0]), 5) == 51.26


def test_nothing_new_makes_no_frame() -> None:
    assert Bridge().gathering().step() is None


def test_a_new_name_is_said_again() -> None:
    bridge = Bridge()
    gathering = bridge.gathering()
    bridge.tracks = [SHIP]
    gathering.step()
    bridge.tracks = [replace(SHIP, name="QUIET HERON")]
    assert [each.name for each in decode(gathering.step() or b"").introductions] == ["QUIET HERON"]


def test_what_is_gone_is_gone_from_the_next_snapshot() -> None:
    bridge = Bridge()
    gathering = bridge.gathering()
    bridge.tracks = [SHIP]
    shown = decode(gathering.step() or b"")
    bridge.gone = [SHIP.id, "never seen"]
    frame = decode(gathering.step() or b"")
    assert list(frame.gone) == list(shown.movers.handle)
    assert len(decode(gathering.snapshot()).movers) == 0


def test_a_slow_reader_gets_a_fresh_snapshot_in_place_of_what_it_missed() -> None:
    async def story() -> None:
        bridge = Bridge()
        gathering = bridge.gathering()
        positions = Positions(gathering)
        frames = positions.subscribe()
        assert decode(await anext(frames)).kind == SNAPSHOT
        for number in range(MAX_PENDING_FRAMES + 3):
            bridge.tracks = [replace(SHIP, course_deg=float(number))]
            positions._hand_out(gathering.step() or b"")
        positions._snapshot = None
        caught_up = decode(await anext(frames))
        assert (caught_up.kind, len(caught_up.movers)) == (SNAPSHOT, 1)
        assert positions.skipped_frames > MAX_PENDING_FRAMES
        bridge.tracks = [SHIP]
        positions._hand_out(gathering.step() or b"")
        assert decode(await anext(frames)).kind == UPDATE
        await frames.aclose()  # type: ignore[attr-defined]
        assert positions.numbers()["screens"] == 0

    asyncio.run(story())


def test_every_reader_gets_the_same_bytes() -> None:
    async def story() -> None:
        bridge = Bridge()
        positions = Positions(bridge.gathering(), tick_s=0.01)
        readers = [positions.subscribe() for _ in range(3)]
        for each in readers:
            await anext(each)
        running = asyncio.create_task(positions.run())
        bridge.tracks = [SHIP]
        got = [await asyncio.wait_for(anext(each), 5) for each in readers]
        running.cancel()
        positions.close()
        assert got[0] is got[1] is got[2]
        assert [[frame async for frame in each] for each in readers] == [[], [], []]

    asyncio.run(story())
