"""Gathers the movers of all layers and hands every reader the same bytes.

Once a tick the layers are asked what changed; that is encoded once and queued for every reader. A new reader,
and one that was too slow, begins with a snapshot of everything. Nothing is kept for who has left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import nan
from threading import Lock

import numpy as np

from port2port.capability import Counters, Layer
from port2port.core.clock import Clock, to_ms
from port2port.core.errors import Unavailable
from port2port.core.track import Quality, Track
from port2port.picture.frames import ALARMED, SNAPSHOT, UPDATE, Frame, Introduction, columns, encode
from port2port.picture.limits import BEAT_S, MAX_CLIENTS, MAX_MOVERS, MAX_PENDING_FRAMES, TICK_S

log = logging.getLogger("port2port.picture")

_QUALITY = {Quality.MEASURED: 0, Quality.DOUBTFUL: 1, Quality.OLD: 2}
Row = tuple[int, int, float, float, float, float, float, float]


@dataclass
class _Mover:
    """One moving thing under the handle it has in the stream."""

    handle: int
    track: Track
    said: Introduction


@dataclass
class Gathering:
    """What all layers show at this moment, and under which handle. Safe for threads."""

    layers: Callable[[], Sequence[Layer]]
    clock: Clock
    counters: Counters
    tick: int = 0
    _versions: dict[str, int] = field(default_factory=dict)
    _movers: dict[tuple[str, str], _Mover] = field(default_factory=dict)
    _next_handle: int = 1
    _lock: Lock = field(default_factory=Lock)

    def step(self) -> bytes | None:
        """Ask every layer once; the update as bytes, or None when nothing changed."""
        with self._lock:
            return self._step()

    def snapshot(self) -> bytes:
        """Everything, as bytes."""
        with self._lock:
            everything = list(self._movers.values())
            return self._encode(SNAPSHOT, everything, (), [each.said for each in everything])

    def beat(self) -> bytes:
        """A frame that says no more than: the line is alive."""
        return self._encode(UPDATE, (), (), ())

    def _step(self) -> bytes | None:
        changed: list[_Mover] = []
        introduced: list[Introduction] = []
        gone: list[int] = []
        for layer in self.layers():
            if layer.movers is not None:
                version, tracks, lost = layer.movers.changed_since(self._versions.get(layer.id, 0))
                self._versions[layer.id] = version
                gone += self._forget(layer.id, lost)
                self._take_in(layer.id, tracks, changed, introduced)
        if not changed and not gone:
            return None
        self.tick += 1
        return self._encode(UPDATE, changed, gone, introduced)

    def __len__(self) -> int:
        return len(self._movers)

    def _forget(self, layer: str, lost: Iterable[str]) -> list[int]:
        found = (self._movers.pop((layer, track_id), None) for track_id in lost)
        return [each.handle for each in found if each is not None]

    def _take_in(
        self, layer: str, tracks: Iterable[Track], changed: list[_Mover], introduced: list[Introduction]
    ) -> None:
        for track in tracks:
            known = self._movers.get((layer, track.id))
            if known is None:
                if len(self._movers) >= MAX_MOVERS:
                    self.counters.add("picture.refused.too-many-movers")
                    continue
                known = _Mover(self._next_handle, track, _introduce(self._next_handle, layer, track))
                self._movers[layer, track.id] = known
                self._next_handle += 1
                introduced.append(known.said)
            elif (track.name, track.kind, track.source) != (known.said.name, known.said.kind, known.said.source):
                known.said = _introduce(known.handle, layer, track)
                introduced.append(known.said)
            known.track = track
            changed.append(known)

    def _encode(
        self, kind: int, movers: Sequence[_Mover], gone: Sequence[int], introduced: Sequence[Introduction]
    ) -> bytes:
        now = self.clock()
        now_s = now.timestamp()
        heard = max((each.track.seen_at for each in movers), default=None)
        return encode(
            Frame(
                kind=kind,
                tick=self.tick,
                sent_ms=to_ms(now),
                heard_ms=0 if heard is None else to_ms(heard),
                movers=columns([_row(each, now_s) for each in movers]),
                gone=np.array(gone, np.uint32),
                introductions=tuple(introduced),
            )
        )


@dataclass(eq=False)
class _Reader:
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MAX_PENDING_FRAMES))
    needs_snapshot: bool = True


class Positions:
    """The stream of positions. `run` is a task of the node; `subscribe` is called by the route, on the same loop."""

    def __init__(self, gathering: Gathering, tick_s: float = TICK_S) -> None:
        self._gathering = gathering
        self._tick_s = tick_s
        self._readers: set[_Reader] = set()
        self._snapshot: bytes | None = None
        self.sent_frames = 0
        self.skipped_frames = 0

    async def run(self) -> None:
        """Gather and hand out until cancelled."""
        loop = asyncio.get_running_loop()
        last_sent = due = loop.time()
        while True:
            due = max(due + self._tick_s, loop.time())
            await asyncio.sleep(due - loop.time())
            frame = await asyncio.to_thread(self._gathering.step)
            if frame is not None:
                self._snapshot = None
            elif loop.time() - last_sent >= BEAT_S:
                frame = self._gathering.beat()
            if frame is not None:
                last_sent = loop.time()
                self._hand_out(frame)

    def _hand_out(self, frame: bytes) -> None:
        for reader in self._readers:
            if reader.needs_snapshot:
                continue
            if reader.queue.full():
                self._fall_back(reader)
            else:
                reader.queue.put_nowait(frame)
                self.sent_frames += 1

    def _fall_back(self, reader: _Reader) -> None:
        """Too slow: what waits is thrown away, and a snapshot comes next."""
        self.skipped_frames += reader.queue.qsize() + 1
        while not reader.queue.empty():
            reader.queue.get_nowait()
        reader.needs_snapshot = True
        reader.queue.put_nowait(b"")

    async def subscribe(self) -> AsyncIterator[bytes]:
        """Frames for one reader, a snapshot first. Raises `Unavailable` when there are too many readers."""
        if len(self._readers) >= MAX_CLIENTS:
            raise Unavailable("picture.error.too-many-screens", hint="picture.error.too-many-screens.hint")
        reader = _Reader()
        self._readers.add(reader)
        try:
            while True:
                if reader.needs_snapshot:
                    reader.needs_snapshot = False
                    yield self._fresh()
                frame = await reader.queue.get()
                if frame is None:
                    return
                if frame:
                    yield frame
        finally:
            self._readers.discard(reader)

    def close(self) -> None:
        """End every stream."""
        for reader in self._readers:
            while not reader.queue.empty():
                reader.queue.get_nowait()
            reader.queue.put_nowait(None)

    def numbers(self) -> dict[str, int]:
        return {
            "movers": len(self._gathering),
            "screens": len(self._readers),
            "frames sent": self.sent_frames,
            "frames skipped": self.skipped_frames,
        }

    def _fresh(self) -> bytes:
        if self._snapshot is None:
            self._snapshot = self._gathering.snapshot()
        return self._snapshot


def _introduce(handle: int, layer: str, track: Track) -> Introduction:
    return Introduction(handle, layer, track.kind, track.id, track.name, track.source)


def _row(each: _Mover, now_s: float) -> Row:
    track = each.track
    style = _QUALITY[track.quality] | (ALARMED if track.alarmed else 0)
    return (
        each.handle,
        style,
        track.position.longitude_deg,
        track.position.latitude_deg,
        nan if track.course_deg is None else track.course_deg,
        nan if track.heading_deg is None else track.heading_deg,
        nan if track.speed_mps is None else track.speed_mps,
        now_s - track.seen_at.timestamp(),
    )
