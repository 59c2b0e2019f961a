"""One state per identity; nothing merged silently."""

from __future__ import annotations

from datetime import timedelta

from vessels_kit import MMSI, NOW_S, hear, position, sentences, service, tagged, voyage

from port2port.core.track import Quality, Track
from port2port.vessels.model import moment
from port2port.vessels.service import VesselService


def only(of: VesselService) -> Track:
    _, tracks, _ = of.changed_since(0)
    (track,) = tracks
    return track


def test_position_and_static_data_become_one_vessel() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S), *voyage()])
    track = only(vessels)
    assert (track.id, track.kind, track.name, track.quality) == (
        "vessel:205123000",
        "vessel",
        "ZEEHOND",
        Quality.MEASURED,
    )
    assert track.seen_at == moment(NOW_S)


def test_static_data_alone_draws_nothing() -> None:
    vessels = service()
    hear(vessels, voyage())
    assert list(vessels.changed_since(0)[1]) == []


def test_a_vessel_with_an_eni_is_a_barge() -> None:
    vessels = service()
    inland = {"type": 8, "mmsi": MMSI, "dac": 200, "fid": 10, "vin": "06004123", "shiptype": 8021}
    hear(vessels, [position(51.25, 2.95, NOW_S), *sentences(inland)])
    track = only(vessels)
    assert (track.kind, track.name) == ("barge", "ENI 06004123")


def test_a_report_older_than_the_last_is_passed_by() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S), position(51.2501, 2.95, NOW_S - 30)])
    assert only(vessels).position.latitude_deg == 51.25
    assert vessels.traffic.unused == {"late": 1}


def test_a_jump_is_held_until_confirmed_and_the_vessel_is_doubtful_meanwhile() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S), position(51.35, 2.95, NOW_S + 10)])
    assert (only(vessels).position.latitude_deg, only(vessels).quality) == (51.25, Quality.DOUBTFUL)
    hear(vessels, [position(51.3501, 2.95, NOW_S + 20)], NOW_S + 20)
    assert (only(vessels).position.latitude_deg, only(vessels).quality) == (51.3501, Quality.DOUBTFUL)


def test_two_transmitters_with_one_mmsi_are_said_to_be_two() -> None:
    vessels = service()
    for round_ in range(4):
        at_s = NOW_S + 20 * round_
        here = position(51.25, 2.95 + round_ * 0.0001, at_s)
        there = position(54.10, 8.00 + round_ * 0.0001, at_s + 10)
        hear(vessels, [here, there], at_s + 10)
    found = vessels.find("vessel:205123000")
    assert found
    vessel, track = found
    assert (vessel.doubt, track.quality, track.position.latitude_deg) == ("two-transmitters", Quality.DOUBTFUL, 51.25)


def test_another_imo_number_makes_the_identity_doubtful() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S), *voyage(), *voyage(imo=9596985)])
    assert only(vessels).quality is Quality.DOUBTFUL


def test_an_aid_to_navigation_and_a_vessel_with_its_mmsi_stay_apart() -> None:
    vessels = service()
    aid = sentences({"type": 21, "mmsi": MMSI, "lat": 51.3, "lon": 2.8, "name": "AKKAERT NE"})
    hear(vessels, [position(51.25, 2.95, NOW_S), *aid])
    assert {track.id for track in vessels.changed_since(0)[1]} == {"vessel:205123000", "aton:205123000"}


def test_a_vessel_under_way_is_old_after_a_minute_and_gone_after_half_an_hour() -> None:
    vessels = service()
    clock = vessels.site.clock
    hear(vessels, [position(51.25, 2.95, NOW_S)])
    version, _, _ = vessels.changed_since(0)
    clock.step(timedelta(seconds=61))  # type: ignore[attr-defined]
    vessels.tick()
    version, tracks, gone = vessels.changed_since(version)
    assert [track.quality for track in tracks] == [Quality.OLD]
    assert list(gone) == []
    clock.step(timedelta(minutes=30))  # type: ignore[attr-defined]
    vessels.tick()
    _, tracks, gone = vessels.changed_since(version)
    assert (list(tracks), list(gone)) == ([], ["vessel:205123000"])


def test_a_moored_vessel_that_reports_each_three_minutes_is_not_old() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S, status=5, speed=0.0)])
    vessels.site.clock.step(timedelta(minutes=4))  # type: ignore[attr-defined]
    vessels.tick()
    assert only(vessels).quality is Quality.MEASURED


def test_only_what_changed_is_told() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S), position(51.26, 2.95, NOW_S, mmsi=205_000_001)])
    version, tracks, _ = vessels.changed_since(0)
    assert len(list(tracks)) == 2
    hear(vessels, [position(51.2601, 2.95, NOW_S + 10, mmsi=205_000_001)], NOW_S + 10)
    assert [track.id for track in vessels.changed_since(version)[1]] == ["vessel:205000001"]


def test_a_time_from_the_future_is_replaced_by_ours() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S + 86_400)])
    assert only(vessels).seen_at == moment(NOW_S)
    assert vessels.site.counters.get("vessels.time-from-the-future") == 1


def test_a_search_finds_by_name_mmsi_imo_and_eni() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S), *voyage(), tagged(b"", NOW_S)])
    for text in ("zee", "20512", "9074729", "imo 9074729"):
        assert [track.name for _, track in vessels.search(text=text)] == ["ZEEHOND"], text
    assert vessels.search(text="nobody") == []
