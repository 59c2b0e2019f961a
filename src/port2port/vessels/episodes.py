"""One alert for one episode of (rule, zone, vessel): raised once, counted, worse at most once a reason, ended.

A vessel that yaws across an edge twenty times gives one `AlertRaised` and `AlertRepeated` with count
20, at most one a minute; who acknowledged it is not rung again. Pure: time and ids are handed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from port2port.core.alert import AlertEnded, AlertRaised, AlertRepeated, AlertWorsened, Priority
from port2port.core.fact import Fact
from port2port.core.ids import NewId
from port2port.core.place import Position
from port2port.vessels.model import Vessel, moment

REPEAT_EVERY_S = 60.0
"""Repeats are told together, at most this often."""
MAX_EPISODES = 5_000
"""Open at one time. A port with more has zones that mean nothing; what comes on top is counted."""

Values = Callable[[], dict[str, str]]


class Episode(msgspec.Struct):
    """An alert that is not over. Times are seconds since 1970 UTC."""

    alert_id: str
    rule: str
    zone: str
    """Zone id; empty: the rule holds everywhere."""
    key: int
    """Whose, as in `Traffic.vessels`."""
    other: int
    """The second vessel of a meeting, else 0."""
    priority: int
    since_s: float
    """When the state began."""
    last_s: float
    """When it was last true."""
    count: int = 1
    told: int = 1
    told_s: float = 0.0
    worse: tuple[str, ...] = ()
    """Reasons for which it already got worse."""
    hold_s: float = 0.0


Key = tuple[str, str, int, int]
"""Rule, zone id, vessel, other vessel."""


@dataclass
class Episodes:
    """The open episodes of a node."""

    open: dict[Key, Episode] = field(default_factory=dict)
    dirty: set[Key] = field(default_factory=set)
    """Changed since they were last stored."""
    alarmed: dict[int, int] = field(default_factory=dict)
    """Vessel -> how many open episodes it has."""
    alarm_changed: set[int] = field(default_factory=set)
    """Vessels whose alarm came or went: whoever shows them should look again, and empties this."""
    refused: int = 0

    def load(self, episodes: list[Episode]) -> None:
        """What was open when the node stopped."""
        for each in episodes:
            self._add((each.rule, each.zone, each.key, each.other), each)

    def happen(
        self,
        key: Key,
        vessel: Vessel,
        *,
        priority: Priority,
        since_s: float,
        at_s: float,
        hold_s: float,
        sentence: str,
        values: Values,
        new_id: NewId,
        facts: list[Fact],
    ) -> Episode | None:
        """The state holds at `at_s`: raise the alert if it is new, else note that it goes on."""
        known = self.open.get(key)
        if known is not None:
            known.last_s = max(known.last_s, at_s)
            return known
        if len(self.open) >= MAX_EPISODES:
            self.refused += 1
            return None
        episode = Episode(new_id(), *key, int(priority), since_s, at_s, told_s=at_s, hold_s=hold_s)
        self._add(key, episode)
        self.dirty.add(key)
        facts.append(
            AlertRaised(
                at=moment(at_s),
                alert_id=episode.alert_id,
                capability="vessels",
                rule=f"vessels.rule.{key[0]}",
                priority=priority,
                subject=vessel.track_id,
                subject_name=vessel.shown_name,
                position=place_of(vessel),
                sentence=sentence,
                values=values(),
                source=vessel.source,
                detail=f"/vessels/{vessel.track_id}/detail",
            )
        )
        return episode

    def again(self, key: Key, vessel: Vessel, at_s: float, facts: list[Fact]) -> None:
        """What raised it happened once more."""
        episode = self.open.get(key)
        if episode is not None:
            episode.count += 1
            episode.last_s = at_s
            self.tell(key, episode, at_s, place_of(vessel), facts)

    def tell(self, key: Key, episode: Episode, now_s: float, at: Position | None, facts: list[Fact]) -> None:
        """Say how often by now, unless that was just said or has not changed."""
        if episode.count > episode.told and now_s - episode.told_s >= REPEAT_EVERY_S:
            self._repeat(key, episode, now_s, at, facts)

    def worsen(
        self,
        key: Key,
        reason: str,
        vessel: Vessel,
        at_s: float,
        sentence: str,
        values: dict[str, str],
        facts: list[Fact],
    ) -> None:
        """It got worse for a reason that was not told yet: one priority up."""
        episode = self.open[key]
        if reason in episode.worse:
            return
        episode.worse = (*episode.worse, reason)
        episode.priority = max(int(Priority.URGENT), episode.priority - 1)
        self.dirty.add(key)
        facts.append(
            AlertWorsened(
                at=moment(at_s),
                alert_id=episode.alert_id,
                priority=Priority(episode.priority),
                sentence=sentence,
                values=values,
                position=place_of(vessel),
            )
        )

    def end(self, key: Key, at_s: float, reason: str, facts: list[Fact]) -> None:
        """It is over; a count that was not told yet is told before."""
        episode = self.open.pop(key)
        if episode.count > episode.told:
            self._repeat(key, episode, at_s, None, facts)
        self.dirty.add(key)
        for each in {episode.key, episode.other} - {0}:
            self.alarm_changed.add(each)
            self.alarmed[each] -= 1
            if not self.alarmed[each]:
                del self.alarmed[each]
        facts.append(AlertEnded(at=moment(at_s), alert_id=episode.alert_id, reason=f"vessels.ended.{reason}"))

    def _repeat(self, key: Key, episode: Episode, now_s: float, at: Position | None, facts: list[Fact]) -> None:
        episode.told, episode.told_s = episode.count, now_s
        self.dirty.add(key)
        facts.append(AlertRepeated(at=moment(now_s), alert_id=episode.alert_id, count=episode.count, position=at))

    def _add(self, key: Key, episode: Episode) -> None:
        self.open[key] = episode
        for each in {episode.key, episode.other} - {0}:
            self.alarm_changed.add(each)
            self.alarmed[each] = self.alarmed.get(each, 0) + 1


def place_of(vessel: Vessel) -> Position | None:
    """Where it is, as the shared language says it."""
    if vessel.latitude_deg is None or vessel.longitude_deg is None:
        return None
    return Position(vessel.latitude_deg, vessel.longitude_deg)
