"""The verbs of `vessels`: hear a batch of lines, keep it, say what is known.

State is in memory; positions are written behind, at most a second may be lost. Facts are durable when
`hear` returns: when the store is away they wait here and go first with the next batch, and so does
nothing that a rule has seen get lost. One thread hears, any thread may ask.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from threading import Lock
from typing import Any

from port2port.capability import Site
from port2port.core.errors import Unavailable
from port2port.core.fact import Fact
from port2port.core.place import Box
from port2port.core.track import Track
from port2port.store import Transaction
from port2port.vessels import tables
from port2port.vessels.ais import Assembler, Heard
from port2port.vessels.model import Traffic, Vessel, as_track, key_of
from port2port.vessels.nmea import LineReader, Tally
from port2port.vessels.rules import Watch

MAX_AHEAD_S = 300.0
"""A live message from farther in the future is given the time at which we received it."""
MAX_STREAMS = 256
"""Connections and senders whose half-read messages are kept apart."""
MAX_UNSAVED_FACTS = 10_000
SAVE_EVERY_S = 1.0
QUALITY_EVERY_S = 5.0
MAX_LISTED = 1_000

log = logging.getLogger("port2port.vessels")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some lines as one source gave them."""

    source: str
    lines: Sequence[bytes]
    received_s: float
    """When we took it in: the time of lines that tell none, seconds since 1970 UTC."""
    stream: str = ""
    """Connection or sender: what belongs together is read together."""
    shift_s: float = 0.0
    """Added to the times that lines tell: a recording shown as if it were now."""
    live: bool = True
    """Times are about now; else the lines come from a recording and time is what they tell."""
    ended: bool = False
    """The stream is over."""


@dataclass
class Stream:
    """What is half read of one connection."""

    source: str
    reader: LineReader = field(default_factory=LineReader)

    def __post_init__(self) -> None:
        self.assembler = Assembler(self.reader.tally)


@dataclass
class Account:
    """Where the lines of one source went: `lines == wrappings + decoded + parts + waiting + refused`."""

    lines: int = 0
    wrappings: int = 0
    decoded: int = 0
    parts: int = 0
    waiting: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    by_type: dict[int, int] = field(default_factory=dict)
    last_s: float = 0.0

    def balanced(self) -> bool:
        out = self.wrappings + self.decoded + self.parts + self.waiting + sum(self.refused.values())
        return self.lines == out

    def add(self, tally: Tally, assembler: Assembler) -> None:
        self.lines += tally.lines
        self.wrappings += tally.wrappings
        self.decoded += sum(dict(assembler.decoded).values())
        self.parts += assembler.parts
        self.waiting += assembler.waiting()
        for reason, count in dict(tally.refused).items():
            self.refused[reason] = self.refused.get(reason, 0) + count
        for number, count in dict(assembler.decoded).items():
            self.by_type[number] = self.by_type.get(number, 0) + count


class VesselService:
    """Everything this capability can do. It is also the map layer's `Movers`."""

    def __init__(self, site: Site, watch: Watch, gone_after_s: float = 1800.0) -> None:
        self.site, self.watch = site, watch
        self.traffic = Traffic()
        self._gone_after_s = gone_after_s
        self._lock = Lock()
        self._streams: dict[tuple[str, str], Stream] = {}
        self._ended: dict[str, Account] = {}
        self._last: dict[str, float] = {}
        self._tracks: dict[int, Track] = {}
        self._unsaved: list[Fact] = []
        self._saved_version = 0
        self._gone_keys: set[int] = set()
        self._saved_s = self._looked_s = 0.0
        self._live = True

    def load(self) -> None:
        """Take up what was known when the node stopped."""
        with self.site.store.reading() as view:
            known = tables.load_tracks(view)
            stays, episodes = tables.load_stays(view), tables.load_episodes(view)
        with self._lock:
            for key, vessel in known:
                self.traffic.vessels[key] = vessel
                self.traffic.now_s = max(self.traffic.now_s, vessel.at_s)
                self.traffic.touch(key)
            self._saved_version = self.traffic.version
            self.watch.load(stays, episodes)

    def hear(self, *batches: Batch) -> None:
        """Take in some lines: decode, believe, judge; record what happened in one transaction."""
        facts: list[Fact] = []
        for source, of_source in groupby(batches, key=attrgetter("source")):
            facts += self._judge([heard for batch in of_source for heard in self._read(batch)], source)
        self._record(facts)

    def tick(self) -> None:
        """Once a second from the thread that hears: write behind, fade, forget."""
        now_s = self._now_s()
        with self._lock:
            facts = self._fade(now_s) if now_s - self._looked_s >= QUALITY_EVERY_S else []
        self._record(facts)
        wall_s = self.site.clock().timestamp()
        if wall_s - self._saved_s >= SAVE_EVERY_S or wall_s < self._saved_s:
            self._saved_s = wall_s
            self.save()

    def save(self) -> None:
        """Write what changed since the last time. Called by the thread that hears; the store is never waited for
        with the lock held, so that who looks at the map does not wait for the disk."""
        version = self.traffic.version
        changed: dict[int, Vessel | None] = {
            key: self.traffic.vessels[key] for key in self.traffic.changed_since(self._saved_version)
        }
        changed.update(dict.fromkeys(self._gone_keys - self.traffic.vessels.keys()))
        if changed or self.watch.dirty or self.watch.episodes.dirty:
            with self.site.store.transaction() as tx:
                tables.save_tracks(tx, changed)
                self._save_rules(tx)
            self._rules_saved()
        self._saved_version, self._gone_keys = version, set()

    def changed_since(self, version: int) -> tuple[int, Iterable[Track], Iterable[str]]:
        """Core `Movers`: cheap when little changed, and safe from any thread."""
        with self._lock:
            now_s = self._now_s()
            tracks = [track for key in self.traffic.changed_since(version) if (track := self._track(key, now_s))]
            gone = [track_id for at, track_id in self.traffic.gone if at > version]
            return self.traffic.version, tracks, gone

    def find(self, track_id: str) -> tuple[Vessel, Track] | None:
        """One vessel, by track id. None when it is not known or has no position."""
        with self._lock:
            vessel = self.traffic.find(track_id)
            track = self._track(key_of(vessel), self._now_s()) if vessel else None
            return (vessel, track) if vessel and track else None

    def search(self, *, box: Box | None = None, text: str = "", limit: int = 100) -> list[tuple[Vessel, Track]]:
        """Vessels in a box whose name, MMSI, IMO number or ENI begins with `text`, by name; at most `limit`."""
        wanted = text.strip().upper()
        with self._lock:
            now_s = self._now_s()
            found = [
                (vessel, track)
                for key, vessel in self.traffic.vessels.items()
                if (not wanted or _matches(vessel, wanted)) and (track := self._track(key, now_s)) is not None
            ]
        found = [each for each in found if box is None or box.holds(each[1].position)]
        found.sort(key=lambda each: (not each[0].name, each[1].name))
        return found[: min(limit, MAX_LISTED)]

    def account(self, source: str) -> Account:
        """Where the lines of a source went so far."""
        with self._lock:
            total = Account(last_s=self._last.get(source, 0.0))
            for stream in [stream for stream in tuple(self._streams.values()) if stream.source == source]:
                total.add(stream.reader.tally, stream.assembler)
            ended = self._ended.get(source)
        return _sum(total, ended) if ended else total

    def counts(self) -> Mapping[str, Any]:
        """Numbers for the health page."""
        with self._lock:
            return {
                "vessels": len(self.traffic.vessels),
                "zones": len(self.watch.zones),
                "open_alerts": len(self.watch.episodes.open),
                "facts_waiting_for_the_store": len(self._unsaved),
                "not_used": dict(self.traffic.unused),
            }

    def _read(self, batch: Batch) -> list[Heard]:
        self._live = batch.live
        key = (batch.source, batch.stream)
        stream = self._streams.get(key)
        if stream is None:
            if len(self._streams) >= MAX_STREAMS:
                self._end(next(iter(self._streams)))
            stream = self._streams[key] = Stream(batch.source)
        heard = stream.assembler.join(stream.reader.read(batch.lines, batch.received_s - batch.shift_s))
        if batch.ended:
            self._end(key)
        self._last[batch.source] = batch.received_s
        if stream.reader.tally.refused:
            self._count_refused(stream.reader.tally)
        if batch.shift_s:
            return [each._replace(at_s=each.at_s + batch.shift_s) for each in heard]
        latest_s = batch.received_s + MAX_AHEAD_S
        if batch.live and any(each.at_s > latest_s for each in heard):
            self.site.counters.add("vessels.time-from-the-future")
            return [each._replace(at_s=min(each.at_s, batch.received_s)) for each in heard]
        return heard

    def _judge(self, heard: list[Heard], source: str) -> list[Fact]:
        """Believe and judge, a group at a time, so that nobody who looks waits long for the lock."""
        facts: list[Fact] = []
        groups = self.traffic.see(heard, source)
        while True:
            with self._lock:
                moved = next(groups, None)
                if moved is None:
                    return facts
                facts += self.watch.step(self.traffic, moved)
                self._touch_alarmed()

    def _fade(self, now_s: float) -> list[Fact]:
        """Qualities that time alone changes; vessels that were not heard for long are forgotten."""
        self._looked_s = now_s
        facts: list[Fact] = []
        for key, vessel in list(self.traffic.vessels.items()):
            if now_s - max(vessel.at_s, vessel.heard_s) > self._gone_after_s:
                facts += self.watch.lost(self.traffic, vessel, now_s)
                self.traffic.forget(key)
                self._tracks.pop(key, None)
                self._gone_keys.add(key)
            elif key in self._tracks and self._tracks[key].quality is not vessel.quality(now_s):
                self.traffic.touch(key)
        self._touch_alarmed()
        return facts

    def _touch_alarmed(self) -> None:
        for key in self.watch.episodes.alarm_changed & self.traffic.vessels.keys():
            self.traffic.touch(key)
            self._tracks.pop(key, None)
        self.watch.episodes.alarm_changed.clear()

    def _track(self, key: int, now_s: float) -> Track | None:
        """The track of a vessel that has a position; the last one made is kept, to see when its quality fades."""
        vessel = self.traffic.vessels.get(key)
        if vessel is None or vessel.latitude_deg is None:
            return None
        track = as_track(vessel, now_s, key in self.watch.episodes.alarmed)
        self._tracks[key] = track
        return track

    def _record(self, facts: list[Fact]) -> None:
        self._unsaved += facts
        if not self._unsaved:
            return
        if len(self._unsaved) > MAX_UNSAVED_FACTS:
            self.site.counters.add("vessels.facts-dropped", len(self._unsaved) - MAX_UNSAVED_FACTS)
            del self._unsaved[:-MAX_UNSAVED_FACTS]
        try:
            with self.site.store.transaction() as tx:
                tx.append(*self._unsaved)
                self._save_rules(tx)
        except Unavailable as error:
            self.site.counters.add("vessels.store-unavailable")
            log.warning("%d facts about vessels wait for the store: %s", len(self._unsaved), error)
            return
        self._unsaved = []
        self._rules_saved()

    def _save_rules(self, tx: Transaction) -> None:
        watch = self.watch
        tables.save_stays(tx, {(zone, key): watch.inside.get(key, {}).get(zone) for zone, key in watch.dirty})
        tables.save_episodes(tx, {key: watch.episodes.open.get(key) for key in watch.episodes.dirty})

    def _rules_saved(self) -> None:
        self.watch.dirty.clear()
        self.watch.episodes.dirty.clear()

    def _end(self, key: tuple[str, str]) -> None:
        stream = self._streams.pop(key)
        stream.assembler.flush()
        self._count_refused(stream.reader.tally)
        account = Account()
        account.add(stream.reader.tally, stream.assembler)
        known = self._ended.get(stream.source)
        self._ended[stream.source] = _sum(account, known) if known else account

    def _count_refused(self, tally: Tally) -> None:
        for reason, count in tally.refused.items():
            new = count - tally.told.get(reason, 0)
            if new:
                self.site.counters.add(f"vessels.refused.{reason}", new)
                tally.told[reason] = count

    def _now_s(self) -> float:
        return self.site.clock().timestamp() if self._live else self.traffic.now_s


def _matches(vessel: Vessel, wanted: str) -> bool:
    return (
        wanted in vessel.name
        or f"{vessel.mmsi:09d}".startswith(wanted)
        or (bool(vessel.imo) and str(vessel.imo).startswith(wanted.removeprefix("IMO").strip() or "-"))
        or (bool(vessel.eni) and vessel.eni.startswith(wanted))
        or (bool(vessel.call_sign) and vessel.call_sign == wanted)
    )


def _sum(a: Account, b: Account) -> Account:
    return Account(
        a.lines + b.lines,
        a.wrappings + b.wrappings,
        a.decoded + b.decoded,
        a.parts + b.parts,
        a.waiting + b.waiting,
        {reason: a.refused.get(reason, 0) + b.refused.get(reason, 0) for reason in a.refused | b.refused},
        {number: a.by_type.get(number, 0) + b.by_type.get(number, 0) for number in a.by_type | b.by_type},
        max(a.last_s, b.last_s),
    )
