"""Zones and rules: one episode, one alert."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vessels_kit import MMSI, NOW_S, SQUARE, facts, hear, position, service, voyage, zone, zones

from port2port.core.alert import AlertEnded, AlertRaised, AlertRepeated, AlertWorsened, Priority
from port2port.core.errors import BadInput
from port2port.testing import site
from port2port.vessels import capability
from port2port.vessels.drift import DriftLimits
from port2port.vessels.facts import VesselAppeared, VesselEntered, VesselLeft, VesselLost
from port2port.vessels.service import Batch, VesselService
from port2port.vessels.zones import read_zones

INSIDE, OUTSIDE = (51.2502, 2.9010), (51.2502, 2.8990)
"""Some 70 m east and west of the zone's western edge."""


def sail(vessels: VesselService, way: Iterable[tuple[float, float]], every_s: float = 10, **more: Any) -> float:
    """One report after another; answers the time of the last."""
    at_s = vessels.traffic.now_s or NOW_S
    for latitude, longitude in way:
        at_s += every_s
        hear(vessels, [position(latitude, longitude, at_s, **more)], at_s)
    return at_s


def others_are_heard(vessels: VesselService, seconds: float) -> None:
    """Another vessel far away keeps the clock of the messages going."""
    for _ in range(int(seconds / 10)):
        at_s = vessels.traffic.now_s + 10
        hear(vessels, [position(54.0, 4.0, at_s, mmsi=205_777_000, speed=0.0)], at_s)


def counts(of: VesselService) -> dict[str, int]:
    names = [type(fact).__name__ for fact in facts(of)]
    return {name: names.count(name) for name in set(names)}


def test_a_vessel_that_comes_in_raises_one_alert_that_says_it() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter", "priority": "urgent"})))
    hear(vessels, voyage())
    sail(vessels, [OUTSIDE, INSIDE])
    (raised,) = facts(vessels, AlertRaised)
    assert (raised.rule, raised.priority, raised.subject_name) == ("vessels.rule.enter", Priority.URGENT, "ZEEHOND")
    assert (raised.sentence, raised.values["zone"]) == ("vessels.sentence.enter", "Harbour")
    assert raised.detail == "/vessels/vessel:205123000/detail"
    (entered,) = facts(vessels, VesselEntered)
    assert (entered.track_id, entered.zone) == ("vessel:205123000", "harbour")


def test_twenty_crossings_of_an_edge_are_one_alert_with_count_twenty() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    sail(vessels, [OUTSIDE, *([INSIDE, OUTSIDE] * 20)])
    others_are_heard(vessels, 700)
    assert len(facts(vessels, AlertRaised)) == 1
    repeated = facts(vessels, AlertRepeated)
    assert repeated[-1].count == 20
    assert len(repeated) <= 8  # told together, at most once a minute
    assert len(facts(vessels, VesselEntered)) == len(facts(vessels, VesselLeft)) == 1
    assert [fact.reason for fact in facts(vessels, AlertEnded)] == ["vessels.ended.left"]


def test_after_it_has_ended_the_next_entry_is_a_new_alert() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    sail(vessels, [OUTSIDE, INSIDE, OUTSIDE])
    others_are_heard(vessels, 700)
    sail(vessels, [OUTSIDE, INSIDE])
    first, second = facts(vessels, AlertRaised)
    assert first.alert_id != second.alert_id


def test_an_alert_goes_on_while_the_vessel_stays_inside() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    sail(vessels, [OUTSIDE, INSIDE])
    others_are_heard(vessels, 900)
    assert facts(vessels, AlertEnded) == []


def test_a_vessel_first_heard_inside_has_appeared() -> None:
    vessels = service(zones(zone(SQUARE)))
    sail(vessels, [INSIDE])
    assert counts(vessels) == {"VesselAppeared": 1}
    assert facts(vessels, VesselAppeared)[0].zone == "harbour"


def test_who_lay_in_a_zone_when_we_began_to_listen_raises_no_alert() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    sail(vessels, [INSIDE, INSIDE])
    assert facts(vessels, AlertRaised) == []


def test_who_switches_on_inside_a_zone_later_does() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    others_are_heard(vessels, 300)
    sail(vessels, [INSIDE])
    assert len(facts(vessels, AlertRaised)) == 1


def test_a_vessel_no_longer_heard_inside_is_lost_and_its_alert_ends() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})), gone_after_s=300)
    sail(vessels, [OUTSIDE, INSIDE])
    others_are_heard(vessels, 320)
    vessels.tick()
    (lost,) = facts(vessels, VesselLost)
    assert lost.zone == "harbour"
    assert [fact.reason for fact in facts(vessels, AlertEnded)] == ["vessels.ended.lost"]


def test_nobody_is_lost_when_it_is_the_receiver_that_is_silent() -> None:
    vessels = service(zones(zone(SQUARE)), gone_after_s=300)
    sail(vessels, [OUTSIDE, INSIDE])
    vessels.site.clock.step(timedelta(minutes=6))  # type: ignore[attr-defined]
    vessels.tick()
    assert list(vessels.changed_since(0)[1]) == []
    assert facts(vessels, VesselLost) == []


def test_leaving_raises_too() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "leave"})))
    sail(vessels, [INSIDE, OUTSIDE])
    assert [fact.rule for fact in facts(vessels, AlertRaised)] == ["vessels.rule.leave"]


def test_a_gate_line_is_crossed_between_two_reports() -> None:
    line = {"type": "LineString", "coordinates": [[2.9, 51.2], [2.9, 51.3]]}
    vessels = service(zones(zone(line, {"rule": "cross"}, name="Gate")))
    sail(vessels, [OUTSIDE, INSIDE, OUTSIDE])
    assert [fact.rule for fact in facts(vessels, AlertRaised)] == ["vessels.rule.cross"]
    assert vessels.watch.episodes.open[("cross", "gate", MMSI, 0)].count == 2


def test_only_the_ship_types_of_a_rule_are_concerned() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter", "ship_types": [80, 89]})))
    hear(vessels, [*voyage(mmsi=205_000_001, ship_type=70), *voyage(mmsi=205_000_002, ship_type=82)])
    sail(vessels, [OUTSIDE, INSIDE], mmsi=205_000_001)
    sail(vessels, [OUTSIDE, INSIDE], mmsi=205_000_002)
    assert [fact.subject for fact in facts(vessels, AlertRaised)] == ["vessel:205000002"]


def test_a_vessel_stopped_too_long_alerts_gets_worse_and_ends_when_it_moves() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "stopped-longer-than", "minutes": 5, "priority": "medium"})))
    sail(vessels, [INSIDE] * 29, speed=0.1)
    assert facts(vessels, AlertRaised) == []
    sail(vessels, [INSIDE] * 3, speed=0.1)
    assert [fact.priority for fact in facts(vessels, AlertRaised)] == [Priority.MEDIUM]
    sail(vessels, [INSIDE] * 70, speed=0.1)
    assert [fact.priority for fact in facts(vessels, AlertWorsened)] == [Priority.HIGH]
    sail(vessels, [INSIDE] * 20, speed=6.0)
    assert [fact.reason for fact in facts(vessels, AlertEnded)] == ["vessels.ended.moving"]


def test_a_short_movement_does_not_begin_the_stop_anew() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "stop-in-zone", "minutes": 5})))
    sail(vessels, [INSIDE] * 15, speed=0.1)
    sail(vessels, [INSIDE] * 2, speed=0.8)
    sail(vessels, [INSIDE] * 16, speed=0.1)
    assert len(facts(vessels, AlertRaised)) == 1


def meet(vessels: VesselService, minutes: int, apart_deg: float = 0.001) -> None:
    for _ in range(minutes * 6):
        at_s = (vessels.traffic.now_s or NOW_S) + 10
        a = position(51.25, 2.95, at_s, mmsi=205_000_001, speed=0.5)
        b = position(51.25 + apart_deg, 2.95, at_s, mmsi=205_000_002, speed=0.5)
        hear(vessels, [a, b], at_s)


def test_two_slow_vessels_near_each_other_meet() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "meeting", "minutes": 10, "metres": 150})))
    meet(vessels, 11)
    (raised,) = facts(vessels, AlertRaised)
    assert (raised.rule, raised.values["other"]) == ("vessels.rule.meeting", "MMSI 205000002")
    assert {track.id for track in vessels.changed_since(0)[1] if track.alarmed} == {
        "vessel:205000001",
        "vessel:205000002",
    }
    meet(vessels, 4, apart_deg=0.01)
    assert [fact.reason for fact in facts(vessels, AlertEnded)] == ["vessels.ended.parted"]


def test_vessels_at_a_berth_do_not_meet() -> None:
    berth = zone(SQUARE, name="Quay", kind="berth")
    vessels = service(zones(zone(SQUARE, {"rule": "meeting", "minutes": 10}), berth))
    meet(vessels, 15)
    assert facts(vessels, AlertRaised) == []


def test_a_moving_vessel_that_falls_silent_has_gone_dark_until_heard() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "gone-dark", "minutes": 10})))
    sail(vessels, [INSIDE])
    others_are_heard(vessels, 590)
    assert facts(vessels, AlertRaised) == []
    others_are_heard(vessels, 30)
    (raised,) = facts(vessels, AlertRaised)
    assert (raised.rule, raised.values["minutes"]) == ("vessels.rule.gone-dark", "10")
    sail(vessels, [INSIDE])
    assert [fact.reason for fact in facts(vessels, AlertEnded)] == ["vessels.ended.heard"]


def test_nobody_goes_dark_when_it_is_the_receiver_that_is_silent() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "gone-dark", "minutes": 10})))
    sail(vessels, [INSIDE])
    at_s = NOW_S + 3_600
    vessels.hear(Batch("another-receiver", (position(54.0, 4.0, at_s, mmsi=205_777_000),), at_s))
    assert facts(vessels, AlertRaised) == []


def adrift(vessels: VesselService, minutes: float, angle: int = 60, **more: Any) -> None:
    steps = int(minutes * 6)
    way = [(51.0 + 0.00005 * step, 2.0) for step in range(steps)]
    values = {"speed": 1.2, "course": 0.0, "heading": angle, **more}
    sail(vessels, way, **values)


def test_a_tanker_that_moves_across_its_heading_is_adrift_and_later_worse() -> None:
    vessels = service(drift=DriftLimits())
    hear(vessels, voyage())
    adrift(vessels, 9.5)
    assert facts(vessels, AlertRaised) == []
    adrift(vessels, 1)
    (raised,) = facts(vessels, AlertRaised)
    assert (raised.rule, raised.sentence) == ("vessels.rule.drift", "vessels.sentence.drift.tanker")
    adrift(vessels, 20)
    assert [fact.priority for fact in facts(vessels, AlertWorsened)] == [Priority.URGENT]
    sail(vessels, [(51.01, 2.0 + 0.0005 * step) for step in range(60)], speed=10)
    assert [fact.reason for fact in facts(vessels, AlertEnded)] == ["vessels.ended.steady"]


@pytest.mark.parametrize(
    "more", [{"status": 1}, {"status": 5}, {"angle": 40}, {"speed": 0.2}, {"speed": 5.0}, {"heading": 511}]
)
def test_at_anchor_moored_straight_still_fast_or_without_heading_is_not_adrift(more: dict[str, Any]) -> None:
    vessels = service(drift=DriftLimits())
    adrift(vessels, 15, **more)
    assert facts(vessels, AlertRaised) == []


def test_a_tug_at_work_is_not_adrift() -> None:
    vessels = service(drift=DriftLimits())
    hear(vessels, voyage(ship_type=52))
    adrift(vessels, 15)
    assert facts(vessels, AlertRaised) == []


def test_adrift_towards_a_zone_is_worse() -> None:
    ahead = [[1.99, 51.008], [2.01, 51.008], [2.01, 51.02], [1.99, 51.02]]
    vessels = service(zones(zone(ahead, name="Wind farm")), drift=DriftLimits())
    adrift(vessels, 12)
    (worse,) = facts(vessels, AlertWorsened)
    assert (worse.sentence, worse.values["zone"]) == ("vessels.sentence.drift-towards", "Wind farm")


def test_a_zone_with_a_drift_rule_of_its_own_decides_alone() -> None:
    around = [[1.9, 50.9], [2.1, 50.9], [2.1, 51.2], [1.9, 51.2]]
    rule = {"rule": "drift", "minutes": 4, "priority": "urgent"}
    vessels = service(zones(zone(around, rule, name="Roads")), drift=DriftLimits())
    adrift(vessels, 15)
    assert [(fact.priority, fact.values["place"]) for fact in facts(vessels, AlertRaised)] == [
        (Priority.URGENT, "Roads")
    ]


def test_a_drift_that_leaves_its_zone_is_still_one_alert() -> None:
    around = [[1.9, 50.9], [2.1, 50.9], [2.1, 51.004], [1.9, 51.004]]
    rule = {"rule": "drift", "minutes": 4}
    vessels = service(zones(zone(around, rule, name="Roads")), drift=DriftLimits())
    adrift(vessels, 45)
    assert len(facts(vessels, VesselLeft)) == 1
    assert len(facts(vessels, AlertRaised)) == 1
    assert facts(vessels, AlertEnded) == []


def test_an_open_alert_marks_the_track_until_it_ends() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    sail(vessels, [OUTSIDE, INSIDE])
    assert [track.alarmed for track in vessels.changed_since(0)[1]] == [True]
    sail(vessels, [OUTSIDE])
    others_are_heard(vessels, 700)
    found = vessels.find("vessel:205123000")
    assert found
    assert not found[1].alarmed


def test_a_restart_keeps_tracks_and_raises_no_open_alert_again(tmp_path: Path) -> None:
    known = zones(zone(SQUARE, {"rule": "enter"}))
    url = f"sqlite:///{tmp_path / 'node.db'}"
    before = service(known, at=site(capabilities=[capability], url=url))
    hear(before, voyage())
    at_s = sail(before, [OUTSIDE, INSIDE])
    before.save()
    before.site.store.close()
    after = service(known, at=site(capabilities=[capability], url=url))
    after.load()
    (track,) = after.changed_since(0)[1]
    assert (track.name, track.alarmed, track.position.longitude_deg) == ("ZEEHOND", True, INSIDE[1])
    hear(after, [position(*INSIDE, at_s + 60)], at_s + 60)
    assert len(facts(after, AlertRaised)) == 1
    assert len(facts(after, VesselEntered)) == 1
    sail(after, [OUTSIDE])
    others_are_heard(after, 700)
    assert len(facts(after, AlertEnded)) == 1
    after.site.store.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([INSIDE, OUTSIDE]), min_size=2, max_size=40))
def test_entries_are_what_was_crossed_whatever_the_way(way: list[tuple[float, float]]) -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    sail(vessels, way)
    entries = sum(a == OUTSIDE and b == INSIDE for a, b in pairwise(way))
    episodes = vessels.watch.episodes.open.values()
    assert [episode.count for episode in episodes] == ([entries] if entries else [])
    assert len(facts(vessels, AlertRaised)) == bool(entries)


BOW_TIE = b'{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}'


def feature(properties: bytes, geometry: bytes) -> bytes:
    one = b'{"properties": %s, "geometry": %s}' % (properties, geometry)
    return b'{"type": "FeatureCollection", "features": [%s]}' % one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"not json", "cannot be read"),
        (feature(b"{}", b"{}"), "id"),
        (feature(b'{"id": "a"}', b'{"type": "Point", "coordinates": [3, 51]}'), "radius_m"),
        (feature(b'{"id": "a"}', BOW_TIE), "Self-intersection"),
        (feature(b'{"id": "a", "rules": [{"rule": "teleport"}]}', b"{}"), "rules"),
    ],
)
def test_a_bad_zones_file_is_refused_with_the_reason(text: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_zones(text)


def test_a_circle_has_its_radius() -> None:
    known = zones(zone({"type": "Point", "coordinates": [2.95, 51.25]}, name="Circle", radius_m=1000))
    assert known.holding([(2.95, 51.2588), (2.95, 51.2591)]) == {0: [0]}
