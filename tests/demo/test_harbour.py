"""The simulated harbour: what it says is what it means, again and again the same."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pyais
import pytest
from stdnum import imo as stdnum_imo

from port2port.core.place import Position, distance_m, turn_deg
from port2port.demo.fleet import eni_number, imo_number
from port2port.demo.harbour import STATIONS, Harbour, Transmission
from port2port.demo.network import BELGIUM
from port2port.demo.routes import Chart, read_chart
from port2port.demo.scene import BARGE, FISHERMAN, TANKER, YACHT
from port2port.demo.sentences import Equipment, inland_static, static_reports
from port2port.demo.voyages import AT_ANCHOR, MOORED

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
SCENE_S = 30.0


@pytest.fixture(scope="module")
def chart() -> Chart:
    return read_chart(BELGIUM)


@pytest.fixture(scope="module")
def harbour(chart: Chart) -> Harbour:
    return Harbour(chart, 7, START, scene_s=SCENE_S)


@pytest.fixture(scope="module")
def minute(harbour: Harbour) -> list[Transmission]:
    return [each for second in range(60) for each in harbour.sentences(START + timedelta(seconds=second))]


def decoded(transmission: Transmission) -> pyais.messages.Payload:
    return pyais.decode(*(each.rpartition(b"\\")[2] for each in transmission.nmea_sentences))


def test_the_same_seed_says_the_same_at_any_time_in_any_order(chart: Chart, harbour: Harbour) -> None:
    other = Harbour(chart, 7, START, scene_s=SCENE_S)
    later = START + timedelta(seconds=777)

    assert other.sentences(later) == harbour.sentences(later)
    assert other.sentences(START) == harbour.sentences(START)


def test_another_seed_is_another_harbour(chart: Chart, harbour: Harbour) -> None:
    assert Harbour(chart, 8, START, scene_s=SCENE_S).sentences(START) != harbour.sentences(START)


def test_positions_are_told_as_they_are(harbour: Harbour) -> None:
    truth = {actor.vessel.mmsi: pose for actor, pose in harbour.poses(START + timedelta(seconds=5))}
    seen = 0
    for each in harbour.sentences(START + timedelta(seconds=5)):
        message = decoded(each)
        if message.msg_type in (1, 3, 18):
            pose = truth[int(message.mmsi)]
            assert distance_m(Position(message.lat, message.lon), pose.position) < 2
            assert message.speed == pytest.approx(pose.speed_kn, abs=0.1)
            assert turn_deg(message.course, pose.course_deg) < 0.2
            seen += 1
    assert seen > 5


def test_every_vessel_says_its_name_within_the_first_minute(harbour: Harbour, minute: list[Transmission]) -> None:
    named = {int(m.mmsi) for m in map(decoded, minute) if m.msg_type == 5 or (m.msg_type == 24 and m.partno == 0)}
    positions = {int(m.mmsi) for m in map(decoded, minute) if m.msg_type in (1, 3, 18)}

    assert positions
    assert positions <= named


def test_all_kinds_of_messages_are_sent(minute: list[Transmission]) -> None:
    assert {decoded(each).msg_type for each in minute} == {1, 3, 4, 5, 8, 18, 21, 24}


def test_thirty_to_a_hundred_messages_a_second_are_received(minute: list[Transmission]) -> None:
    assert 30 <= len(minute) / 60 <= 100


def test_reporting_intervals_follow_the_speed(chart: Chart) -> None:
    harbour = Harbour(chart, 7, START, scene_s=None)
    told: Counter[int] = Counter()
    for second in range(360):
        heard = {
            int(m.mmsi)
            for m in map(decoded, harbour.sentences(START + timedelta(seconds=second)))
            if m.msg_type in (1, 3, 18)
        }
        told.update(heard)
    for actor, pose in harbour.poses(START):
        if pose.status in (MOORED, AT_ANCHOR) and type(actor.motion).__name__ == "Still":
            assert told[actor.vessel.mmsi] in (0, 2), f"{actor.vessel.name} lies still and reports every 3 minutes"
        elif actor.vessel.equipment is Equipment.CLASS_B:
            assert told[actor.vessel.mmsi] <= 12, f"{actor.vessel.name} is class B: every 30 seconds"
        else:
            assert told[actor.vessel.mmsi] <= 180


def test_each_station_hears_its_own_waters_only(minute: list[Transmission]) -> None:
    antennas = {station.name: station.antennas for station in STATIONS}
    for each in minute:
        message = decoded(each)
        if message.msg_type in (1, 3, 18, 21):
            here = Position(message.lat, message.lon)
            assert any(distance_m(here, place) <= reach + 5 for place, reach in antennas[each.station])
    assert {each.station for each in minute} == set(antennas)


def test_tag_blocks_tell_station_and_time(minute: list[Transmission]) -> None:
    for each in minute[:200]:
        block, _, sentence = each.nmea_sentences[0][1:].partition(b"\\")
        tag = pyais.TagBlock(block)
        tag.init()

        assert tag.is_valid
        assert tag.source_station == each.station
        assert int(tag.receiver_timestamp) == int(each.at.timestamp())
        assert sentence.startswith(b"!AIVDM")


def test_parts_of_a_message_share_a_group(minute: list[Transmission]) -> None:
    several = [each for each in minute if len(each.nmea_sentences) > 1]
    assert several
    for each in several:
        groups = {sentence[1:].split(b",")[0].split(b"-")[2] for sentence in each.nmea_sentences}
        assert len(groups) == 1


def test_an_eni_comes_back_from_the_inland_message() -> None:
    message = pyais.decode(*inland_static(BARGE, START))

    assert (message.dac, message.fid, message.vin) == (200, 10, BARGE.eni)
    assert (message.length, message.beam) == (BARGE.length_m, BARGE.beam_m)


def test_inland_vessels_have_belgian_looking_enis_and_no_imo_number(harbour: Harbour) -> None:
    barges = [actor.vessel for actor in harbour.actors if actor.vessel.eni]

    assert len(barges) > 40
    assert all(each.eni[:3] in ("061", "069") and len(each.eni) == 8 and each.eni.isdigit() for each in barges)
    assert all(each.imo == 0 for each in barges)
    assert {each.mmsi // 1_000_000 for each in barges} == {205, 244}


def test_imo_numbers_check_and_lie_in_a_range_that_was_never_issued(harbour: Harbour) -> None:
    numbers = [actor.vessel.imo for actor in harbour.actors if actor.vessel.imo]

    assert all(stdnum_imo.is_valid(str(each)) and str(each)[0] == "3" for each in numbers)
    assert imo_number(907472) == 9074729
    assert eni_number(12) == "06900012"


def test_nobody_shares_a_name_or_a_number(harbour: Harbour) -> None:
    vessels = [actor.vessel for actor in harbour.actors]

    assert len({each.mmsi for each in vessels}) == len(vessels)
    assert len({each.name for each in vessels}) == len(vessels)
    assert all(len(each.name) <= 20 and len(each.callsign) <= 7 for each in vessels)


def test_static_data_comes_back_as_it_was_meant() -> None:
    ship = pyais.decode(*static_reports(TANKER, START)[0])
    assert (ship.shipname, ship.imo, int(ship.ship_type)) == (TANKER.name, TANKER.imo, TANKER.ship_type)
    assert ship.to_bow + ship.to_stern == TANKER.length_m

    part_a, part_b = (pyais.decode(*each) for each in static_reports(YACHT, START))
    assert part_a.shipname == YACHT.name
    assert (part_b.callsign, int(part_b.ship_type)) == (YACHT.callsign, YACHT.ship_type)


def test_vessels_move_no_faster_than_they_say(harbour: Harbour) -> None:
    for second in range(0, 7200, 600):
        before = {actor.vessel.mmsi: pose for actor, pose in harbour.poses(START + timedelta(seconds=second))}
        for actor, pose in harbour.poses(START + timedelta(seconds=second + 10)):
            if actor.vessel.mmsi in before:
                earlier = before[actor.vessel.mmsi]
                most_mps = max(pose.speed_kn, earlier.speed_kn) * 0.5144 * 1.35 + 1
                assert distance_m(earlier.position, pose.position) <= most_mps * 10, actor.vessel.name


def test_the_tanker_drifts_across_its_heading_off_ostend(harbour: Harbour) -> None:
    drift = next(actor.motion for actor in harbour.actors if actor.vessel is TANKER)
    before = drift.pose(SCENE_S - 1)
    assert before is not None
    assert before.speed_kn > 8

    for second in range(60, 3600, 30):
        pose = drift.pose(SCENE_S + second)
        assert pose is not None
        assert 0.8 <= pose.speed_kn <= 1.6
        assert turn_deg(pose.course_deg, pose.heading_deg) > 60
        assert 6 < distance_m(pose.position, Position(51.24, 2.915)) / 1852 < 12


def test_the_fisherman_falls_silent_and_is_heard_again(harbour: Harbour) -> None:
    motion = next(actor.motion for actor in harbour.actors if actor.vessel is FISHERMAN)

    assert motion.pose(SCENE_S) is not None
    assert motion.pose(SCENE_S + 300) is None
    assert motion.pose(SCENE_S + 3600) is not None


def test_without_a_scene_there_is_ordinary_traffic_only(chart: Chart) -> None:
    names = {actor.vessel.name for actor in Harbour(chart, 7, START, scene_s=None).actors}

    assert names.isdisjoint({TANKER.name, BARGE.name, YACHT.name, FISHERMAN.name})
    assert len(names) > 150
