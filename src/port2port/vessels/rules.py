"""The rules of zones, and the drift rule that holds everywhere: `(state, batch) -> (state, batch)`.

`Watch` is the state; `step` takes the vessels that moved and answers facts, `sweep` asks now and then
about what shows only by silence or by lasting. Time is the time that messages tell: live, replayed and
tested runs give the same facts. What raises each rule; what makes it worse; what ends it:

- enter: first report inside (but not of those who were there when we began to listen); nothing; outside for 10 min.
- leave: first report outside after one inside; nothing; 10 min.
- cross: the way between two reports touches the gate line; nothing; 10 min without crossing.
- stopped-longer-than, stop-in-zone: slower than `knots` for `minutes`; 3 times as long; moves for 2 min.
- meeting: two slow vessels within `metres` for `minutes`, not at a berth; 3 times as long; apart for 2 min.
- gone-dark: class A, seen moving, silent for `minutes` while its receiver hears others; 3 times as long; heard.
- drift: under way, slow, moving across its heading for `minutes`; 3 times as long or towards a zone; 5 min no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import shapely

from port2port.core.alert import Priority
from port2port.core.fact import Fact
from port2port.core.ids import NewId
from port2port.core.place import MPS_PER_KNOT, Position
from port2port.core.place import moved as point_ahead
from port2port.vessels.ais import CLASS_A
from port2port.vessels.drift import DriftLimits
from port2port.vessels.episodes import Episode, Episodes, Key, place_of
from port2port.vessels.facts import VesselAppeared, VesselEntered, VesselLeft, VesselLost
from port2port.vessels.model import Moved, Traffic, Vessel, flat_m, key_of, moment
from port2port.vessels.words import drift_sentence, knots, place_label
from port2port.vessels.zones import BERTHS, Rule, Zone, Zones, near_pairs

LEFT_AFTER_S = 120.0
"""A vessel that is out for this long has left; before, it yaws across the edge."""
FIRST_LOOK_S = 200.0
"""Who is first heard inside so soon after we began to listen was there before (moored: every 180 s)."""
QUIET_S = {"enter": 600.0, "leave": 600.0, "cross": 600.0, "drift": 300.0}
DEFAULT_QUIET_S = 120.0
GAP_S = 60.0
"""A state may be interrupted for this long and still count as lasting."""
WORSE_AFTER = 3
LONGEST_STEP_M = 5_000.0
"""Between reports farther apart the way is not known: no gate is called crossed."""
SOURCE_SILENT_S = 60.0
AHEAD_S = 1200.0
CAUSES: dict[str, str] = {
    "enter": "left",
    "leave": "passed",
    "cross": "passed",
    "stopped-longer-than": "moving",
    "stop-in-zone": "moving",
    "meeting": "parted",
    "gone-dark": "heard",
    "drift": "steady",
}


class Presence(msgspec.Struct):
    """A vessel's stay in a zone."""

    zone: str
    key: int
    since_s: float
    out_s: float = 0.0
    """When it was first seen outside again; 0 while inside."""


@dataclass
class _Timer:
    since_s: float
    last_s: float


@dataclass
class Watch:
    """What the rules remember."""

    zones: Zones
    new_id: NewId
    drift: DriftLimits | None = field(default_factory=DriftLimits)
    drift_priority: Priority = Priority.HIGH
    episodes: Episodes = field(default_factory=Episodes)
    inside: dict[int, dict[str, Presence]] = field(default_factory=dict)
    """Vessel -> zone id -> its stay."""
    dirty: set[tuple[str, int]] = field(default_factory=set)
    """Stays (zone id, vessel) changed since they were last stored."""
    _timers: dict[Key, _Timer] = field(default_factory=dict)
    _began_s: float = 0.0

    def load(self, stays: Sequence[Presence], episodes: Sequence[Episode]) -> None:
        """What was known when the node stopped: nothing open is raised again."""
        for stay in stays:
            if stay.zone in self.zones.by_id:
                self.inside.setdefault(stay.key, {})[stay.zone] = stay
        self.episodes.load(list(episodes))

    def step(self, traffic: Traffic, moved: Moved) -> list[Fact]:
        """What the vessels that moved make happen, and what a sweep finds when one is due."""
        facts: list[Fact] = []
        vessels = moved.vessels
        if vessels and not self._began_s:
            self._began_s = min(vessel.at_s for vessel in vessels)
        if self.episodes.alarmed:
            self._heard_again(vessels, facts)
        if len(self.zones):
            self._zones(vessels, facts)
        if self.drift is not None:
            for vessel in vessels:
                zone = self._drifted_out_of(vessel)
                watched = self.drift.slow(vessel) or ("drift", zone, vessel.mmsi, 0) in self._timers
                if watched and (zone or not self._zone_says(vessel, "drift")):
                    self._drift(vessel, zone, self.drift, self.drift_priority, facts)
        if moved.sweep_s is not None:
            facts += self.sweep(traffic, moved.sweep_s)
        return facts

    def _drifted_out_of(self, vessel: Vessel) -> str:
        """The zone in which its drift began and which it has left: the alert there goes on, there is no second one."""
        if vessel.mmsi not in self.episodes.alarmed:
            return ""
        begun = [key[1] for key in self.episodes.open if key[0] == "drift" and key[1] and key[2] == vessel.mmsi]
        stays = self.inside.get(vessel.mmsi, {})
        return next((zone for zone in begun if zone not in stays or stays[zone].out_s), "")

    def _zone_says(self, vessel: Vessel, rule: str) -> bool:
        """Whether a zone that the vessel is in has a rule of its own for this: then it alone counts."""
        stays = self.inside.get(vessel.mmsi, {})
        return any(each.rule == rule for zone in stays for each in self.zones.by_id[zone].rules)

    def sweep(self, traffic: Traffic, now_s: float) -> list[Fact]:
        """What silence and lasting have made happen by `now_s`, on the clock of the messages."""
        facts: list[Fact] = []
        self._left(traffic, now_s, facts)
        self._dark(traffic, now_s, facts)
        self._meetings(traffic, now_s, facts)
        self._lasting(traffic, now_s, facts)
        return facts

    def lost(self, traffic: Traffic, vessel: Vessel, now_s: float) -> list[Fact]:
        """The vessel is forgotten: its stays and episodes end. When its receiver is silent too, nobody was lost."""
        facts: list[Fact] = []
        receiver_hears = now_s - traffic.heard.get(vessel.source, 0.0) < SOURCE_SILENT_S
        key = key_of(vessel)
        for zone, stay in self.inside.pop(key, {}).items():
            self.dirty.add((zone, key))
            if receiver_hears and not stay.out_s:
                facts.append(VesselLost(at=moment(vessel.at_s), track_id=vessel.track_id, zone=zone))
        for each in [each for each in self.episodes.open if key in each[2:]]:
            self.episodes.end(each, now_s, "lost", facts)
        for each in [each for each in self._timers if key in each[2:]]:
            del self._timers[each]
        return facts

    def _zones(self, vessels: Sequence[Vessel], facts: list[Fact]) -> None:
        points = [(vessel.longitude_deg or 0.0, vessel.latitude_deg or 0.0) for vessel in vessels]
        holding = self.zones.holding(points)
        areas = self.zones.areas
        for index, vessel in enumerate(vessels):
            hits = holding.get(index)
            if hits is None and vessel.mmsi not in self.inside:
                continue
            now_in = {areas[hit].id: areas[hit] for hit in hits or ()}
            self._edges(vessel, now_in, facts)
            for zone in now_in.values():
                for rule in zone.rules:
                    self._while_inside(vessel, zone, rule, facts)
        if self.zones.gates:
            self._gates(vessels, facts)

    def _edges(self, vessel: Vessel, now_in: dict[str, Zone], facts: list[Fact]) -> None:
        stays = self.inside.setdefault(vessel.mmsi, {})
        at_s = vessel.at_s
        for zone in now_in.values():
            stay = stays.get(zone.id)
            if stay is None:
                stays[zone.id] = Presence(zone.id, vessel.mmsi, at_s)
                self.dirty.add((zone.id, vessel.mmsi))
                kind = VesselEntered if vessel.before else VesselAppeared
                facts.append(kind(at=moment(at_s), track_id=vessel.track_id, zone=zone.id, position=_position(vessel)))
                if vessel.before or at_s - self._began_s > FIRST_LOOK_S:
                    self._edge("enter", zone, vessel, facts)
            elif stay.out_s:
                stay.out_s = 0.0
                self.dirty.add((zone.id, vessel.mmsi))
                self._edge("enter", zone, vessel, facts)
        for zone_id, stay in stays.items():
            if zone_id not in now_in and not stay.out_s:
                stay.out_s = at_s
                self.dirty.add((zone_id, vessel.mmsi))
                self._edge("leave", self.zones.by_id[zone_id], vessel, facts)

    def _edge(self, name: str, zone: Zone, vessel: Vessel, facts: list[Fact]) -> None:
        for rule in zone.rules:
            if rule.rule == name and _concerns(rule, vessel):
                self._once(rule, zone, vessel, facts)

    def _once(self, rule: Rule, zone: Zone, vessel: Vessel, facts: list[Fact]) -> None:
        """Something that happens at a moment: the first time it raises, then it counts."""
        key: Key = (rule.rule, zone.id, vessel.mmsi, 0)
        if key in self.episodes.open:
            self.episodes.again(key, vessel, vessel.at_s, facts)
        else:
            self._happen(key, vessel, rule.level, vessel.at_s, vessel.at_s, 0.0, facts)

    def _gates(self, vessels: Sequence[Vessel], facts: list[Fact]) -> None:
        steps, whose = [], []
        for vessel in vessels:
            if vessel.before is None:
                continue
            (latitude_a, longitude_a), at = vessel.before, _position(vessel)
            latitude, longitude = at.latitude_deg, at.longitude_deg
            moved_m = flat_m(latitude_a, longitude_a, latitude, longitude)
            if 0 < moved_m < LONGEST_STEP_M:
                steps.append(((longitude_a, latitude_a), (longitude, latitude)))
                whose.append(vessel)
        for step, gate in self.zones.crossed(steps):
            zone = self.zones.gates[gate]
            for rule in zone.rules:
                if _concerns(rule, whose[step]):
                    self._once(rule, zone, whose[step], facts)

    def _while_inside(self, vessel: Vessel, zone: Zone, rule: Rule, facts: list[Fact]) -> None:
        if not _concerns(rule, vessel):
            return
        key: Key = (rule.rule, zone.id, vessel.mmsi, 0)
        if rule.rule in ("stopped-longer-than", "stop-in-zone"):
            slow = vessel.speed_mps is not None and vessel.speed_mps < rule.limit_knots * MPS_PER_KNOT
            self._state(key, vessel, slow, rule.level, rule.hold_s, facts)
        elif rule.rule == "enter" and key in self.episodes.open:
            self.episodes.open[key].last_s = vessel.at_s
        elif rule.rule == "drift":
            limits = self.drift or DriftLimits()
            if rule.minutes is not None:
                limits = replace(limits, minutes=rule.minutes)
            self._drift(vessel, zone.id, limits, rule.level, facts)

    def _left(self, traffic: Traffic, now_s: float, facts: list[Fact]) -> None:
        for key, stays in list(self.inside.items()):
            for stay in [stay for stay in stays.values() if stay.out_s and now_s - stay.out_s >= LEFT_AFTER_S]:
                del stays[stay.zone]
                self.dirty.add((stay.zone, key))
                track_id = traffic.vessels[key].track_id if key in traffic.vessels else f"vessel:{key:09d}"
                facts.append(VesselLeft(at=moment(stay.out_s), track_id=track_id, zone=stay.zone))
            if not stays:
                del self.inside[key]

    def _state(
        self, key: Key, vessel: Vessel, holds: bool, priority: Priority, hold_s: float, facts: list[Fact]
    ) -> Episode | None:
        """Keep time of a state; raise when it has held for `hold_s`, interruptions below `GAP_S` forgiven."""
        at_s = vessel.at_s
        timer = self._timers.get(key)
        if not holds:
            if timer is not None and at_s - timer.last_s > GAP_S:
                del self._timers[key]
            return None
        if timer is None or at_s - timer.last_s > max(GAP_S, vessel.old_after_s()):
            timer = self._timers[key] = _Timer(at_s, at_s)
        timer.last_s = at_s
        if key not in self.episodes.open and at_s - timer.since_s < hold_s:
            return None
        return self._happen(key, vessel, priority, timer.since_s, at_s, hold_s, facts)

    def _drift(self, vessel: Vessel, zone: str, limits: DriftLimits, priority: Priority, facts: list[Fact]) -> None:
        key: Key = ("drift", zone, vessel.mmsi, 0)
        holds = limits.slow(vessel) and limits.across(vessel, key in self.episodes.open)
        if not holds and key not in self._timers:
            return
        episode = self._state(key, vessel, holds, priority, 60 * limits.minutes, facts)
        if episode is not None and "towards" not in episode.worse:
            self._towards(key, vessel, facts)

    def _towards(self, key: Key, vessel: Vessel, facts: list[Fact]) -> None:
        """Adrift, and going on like this it is in a zone within twenty minutes."""
        at = _position(vessel)
        then = point_ahead(at, vessel.course_deg or 0.0, (vessel.speed_mps or 0.0) * AHEAD_S)
        way = shapely.LineString([(at.longitude_deg, at.latitude_deg), (then.longitude_deg, then.latitude_deg)])
        inside = self.inside.get(vessel.mmsi, {})
        for zone in self.zones.areas:
            if zone.id not in inside and zone.kind != "area" and shapely.intersects(zone.shape, way):
                values = {"name": vessel.shown_name, "zone": zone.name, "knots": knots(vessel.speed_mps)}
                sentence = "vessels.sentence.drift-towards"
                self.episodes.worsen(key, "towards", vessel, vessel.at_s, sentence, values, facts)
                return

    def _dark(self, traffic: Traffic, now_s: float, facts: list[Fact]) -> None:
        for key, stays in self.inside.items():
            vessel = traffic.vessels.get(key)
            if vessel is None or vessel.transponder != CLASS_A:
                continue
            for stay in stays.values():
                for rule in self.zones.by_id[stay.zone].rules:
                    if rule.rule == "gone-dark" and not stay.out_s and _concerns(rule, vessel):
                        self._silent(rule, stay.zone, vessel, traffic, now_s, facts)

    def _heard_again(self, vessels: Sequence[Vessel], facts: list[Fact]) -> None:
        for vessel in vessels:
            if vessel.mmsi in self.episodes.alarmed:
                dark = [key for key in self.episodes.open if key[0] == "gone-dark" and key[2] == vessel.mmsi]
                for key in dark:
                    self.episodes.end(key, vessel.at_s, "heard", facts)

    def _silent(self, rule: Rule, zone: str, vessel: Vessel, traffic: Traffic, now_s: float, facts: list[Fact]) -> None:
        silent_s = now_s - vessel.at_s
        was_moving = (vessel.speed_mps or 0.0) > rule.limit_knots * MPS_PER_KNOT
        receiver_hears = now_s - traffic.heard.get(vessel.source, 0.0) < SOURCE_SILENT_S
        if was_moving and receiver_hears and silent_s >= rule.hold_s > 0:
            key: Key = ("gone-dark", zone, vessel.mmsi, 0)
            self._happen(key, vessel, rule.level, vessel.at_s, now_s, rule.hold_s, facts)

    def _meetings(self, traffic: Traffic, now_s: float, facts: list[Fact]) -> None:
        for zone in self.zones.areas:
            for rule in zone.rules:
                if rule.rule == "meeting":
                    slow = [vessel for vessel in self._inside(zone.id, traffic) if self._may_meet(vessel, rule, now_s)]
                    for a, b in near_pairs(slow, rule.metres):
                        self._meeting(zone, rule, a, b, now_s, facts)

    def _meeting(self, zone: Zone, rule: Rule, a: Vessel, b: Vessel, now_s: float, facts: list[Fact]) -> None:
        if rule.ship_types is not None and not (_concerns(rule, a) or _concerns(rule, b)):
            return
        first, second = sorted((a, b), key=lambda vessel: vessel.mmsi)
        key: Key = ("meeting", zone.id, first.mmsi, second.mmsi)
        timer = self._timers.get(key)
        if timer is None or now_s - timer.last_s > GAP_S:
            timer = self._timers[key] = _Timer(now_s, now_s)
        timer.last_s = now_s
        if key in self.episodes.open or now_s - timer.since_s >= rule.hold_s:
            self._happen(key, first, rule.level, timer.since_s, now_s, rule.hold_s, facts, second)

    def _inside(self, zone: str, traffic: Traffic) -> Iterator[Vessel]:
        for key, stays in self.inside.items():
            stay = stays.get(zone)
            if stay is not None and not stay.out_s and key in traffic.vessels:
                yield traffic.vessels[key]

    def _may_meet(self, vessel: Vessel, rule: Rule, now_s: float) -> bool:
        slow = vessel.speed_mps is not None and vessel.speed_mps < rule.limit_knots * MPS_PER_KNOT
        at_berth = any(
            not stay.out_s and self.zones.by_id[stay.zone].kind in BERTHS
            for stay in self.inside.get(vessel.mmsi, {}).values()
        )
        return slow and not at_berth and now_s - vessel.at_s <= vessel.old_after_s()

    def _happen(
        self,
        key: Key,
        vessel: Vessel,
        priority: Priority,
        since_s: float,
        at_s: float,
        hold_s: float,
        facts: list[Fact],
        other: Vessel | None = None,
    ) -> Episode | None:
        return self.episodes.happen(
            key,
            vessel,
            priority=priority,
            since_s=since_s,
            at_s=at_s,
            hold_s=hold_s,
            sentence=_sentence(key[0], vessel),
            values=lambda: self._values(key, vessel, at_s - since_s, other),
            new_id=self.new_id,
            facts=facts,
        )

    def _values(self, key: Key, vessel: Vessel, lasted_s: float, other: Vessel | None) -> dict[str, str]:
        zone = self.zones.by_id.get(key[1])
        values = {
            "name": vessel.shown_name,
            "minutes": str(round(lasted_s / 60)),
            "place": zone.name if zone else place_label(vessel, self.zones),
            "zone": zone.name if zone else "",
        }
        return {**values, "other": other.shown_name} if other else values

    def _lasting(self, traffic: Traffic, now_s: float, facts: list[Fact]) -> None:
        for key, episode in list(self.episodes.open.items()):
            vessel = traffic.vessels.get(episode.key)
            if vessel is None or self._over(key, episode, vessel, now_s):
                self.episodes.end(key, now_s, CAUSES[key[0]] if vessel else "lost", facts)
                self._timers.pop(key, None)
                continue
            lasted_s = episode.last_s - episode.since_s
            if episode.hold_s and lasted_s >= WORSE_AFTER * episode.hold_s and "lasts" not in episode.worse:
                other = traffic.vessels.get(episode.other)
                values = self._values(key, vessel, lasted_s, other)
                self.episodes.worsen(key, "lasts", vessel, now_s, _sentence(key[0], vessel), values, facts)
            self.episodes.tell(key, episode, now_s, place_of(vessel), facts)

    def _over(self, key: Key, episode: Episode, vessel: Vessel, now_s: float) -> bool:
        if key[0] == "gone-dark":
            return False  # ends the moment it is heard
        if key[0] == "enter":
            stay = self.inside.get(vessel.mmsi, {}).get(key[1])
            if stay is not None and not stay.out_s:
                return False  # inside is inside, however long nothing was heard
        silence_s = min(now_s, vessel.at_s) if key[0] not in ("enter", "leave", "cross", "meeting") else now_s
        return silence_s - episode.last_s > QUIET_S.get(key[0], DEFAULT_QUIET_S)


def _concerns(rule: Rule, vessel: Vessel) -> bool:
    return rule.ship_types is None or rule.ship_types[0] <= vessel.ship_type <= rule.ship_types[1]


def _sentence(rule: str, vessel: Vessel) -> str:
    return drift_sentence(vessel) if rule == "drift" else f"vessels.sentence.{rule}"


def _position(vessel: Vessel) -> Position:
    at = place_of(vessel)
    assert at is not None, "a vessel that moved has a position"
    return at
