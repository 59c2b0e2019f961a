"""Sentences to messages to records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vessels_kit import NOW_S, sentences, tagged, voyage

from port2port.vessels.ais import (
    MAX_PARTS_WAITING,
    AidToNavigation,
    Assembler,
    BaseStation,
    Other,
    PositionReport,
    Record,
    SafetyMessage,
    StaticData,
)
from port2port.vessels.nmea import LineReader, checksum


def join(*lines: bytes) -> tuple[list[Record], Assembler]:
    reader = LineReader()
    assembler = Assembler(reader.tally)
    heard = assembler.join(reader.read(lines, NOW_S))
    return [record for each in heard for record in each.records], assembler


def test_what_is_not_available_is_none() -> None:
    unknown = {"type": 1, "mmsi": 205123000, "lat": 91, "lon": 181, "speed": 102.3, "course": 360, "heading": 511}
    (report,) = join(*sentences({**unknown, "turn": -128, "status": 15}))[0]
    assert isinstance(report, PositionReport)
    assert (report.latitude_deg, report.longitude_deg, report.speed_mps) == (None, None, None)
    assert (report.course_deg, report.heading_deg, report.turn_deg_per_min) == (None, None, None)


def test_speed_is_in_metres_a_second() -> None:
    (report,) = join(*sentences({"type": 1, "mmsi": 205123000, "lat": 51.2, "lon": 2.9, "speed": 10.0}))[0]
    assert isinstance(report, PositionReport)
    assert report.speed_mps == pytest.approx(5.1444, abs=1e-4)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"type": 1, "lat": 51.2, "lon": 2.9}, PositionReport),
        ({"type": 18, "lat": 51.2, "lon": 2.9}, PositionReport),
        ({"type": 27, "lat": 51.2, "lon": 2.9, "speed": 12, "course": 90}, PositionReport),
        ({"type": 9, "lat": 51.2, "lon": 2.9, "speed": 120, "course": 90}, PositionReport),
        ({"type": 4, "lat": 51.2, "lon": 2.9}, BaseStation),
        ({"type": 21, "lat": 51.2, "lon": 2.9, "name": "AKKAERT NE"}, AidToNavigation),
        ({"type": 14, "text": "MAN OVERBOARD"}, SafetyMessage),
        ({"type": 24, "partno": 0, "shipname": "DOLFIJN"}, StaticData),
        ({"type": 24, "partno": 1, "callsign": "ORAB", "ship_type": 37}, StaticData),
        ({"type": 10, "dest_mmsi": 205000000}, Other),
    ],
)
def test_each_type_becomes_its_record(message: dict[str, object], kind: type) -> None:
    records, assembler = join(*sentences({"mmsi": 205123000, **message}))
    assert [type(record) for record in records] == [kind]
    assert assembler.decoded == {message["type"]: 1}


def test_an_extended_class_b_report_is_position_and_static_data() -> None:
    message = {"type": 19, "mmsi": 205123000, "lat": 51.2, "lon": 2.9, "shipname": "DOLFIJN", "ship_type": 37}
    assert [type(record) for record in join(*sentences(message))[0]] == [PositionReport, StaticData]


def test_a_barge_tells_its_european_number() -> None:
    message = {"type": 8, "mmsi": 205123000, "dac": 200, "fid": 10, "vin": "06004123", "length": 110.0, "beam": 11.4}
    (record,) = join(*sentences({**message, "shiptype": 8021, "draught": 3.2}))[0]
    assert isinstance(record, StaticData)
    assert (record.eni, record.length_m, record.beam_m, record.convoy_type) == ("06004123", 110.0, 11.4, 8021)


@pytest.mark.parametrize(("said", "known"), [(9074729, 9074729), (9074728, None), (0, None)])
def test_an_imo_number_that_fails_its_check_digit_is_not_taken_over(said: int, known: int | None) -> None:
    records, _ = join(*voyage(imo=said))
    assert [record.imo for record in records] == [known]


def test_a_message_of_two_sentences_is_joined_in_either_order() -> None:
    first, second = voyage()
    for lines in ([first, second], [second, first]):
        (record,), assembler = join(*lines)
        assert isinstance(record, StaticData)
        assert (record.name, record.call_sign, record.imo, record.destination) == ("ZEEHOND", "ORAB", 9074729, "BEOST")
        assert (assembler.decoded, assembler.parts, assembler.waiting()) == ({5: 1}, 1, 0)


def test_a_part_that_never_comes_is_refused_after_a_while() -> None:
    first, _ = voyage()
    later = sentences({"type": 1, "mmsi": 205123000, "lat": 51.2, "lon": 2.9})[0]
    _, assembler = join(tagged(first, NOW_S), tagged(later, NOW_S + 31))
    assert assembler.tally.refused == {"part-missing": 1}
    assert assembler.waiting() == 0


def test_parts_of_two_stations_are_never_joined() -> None:
    first, second = voyage()
    records, assembler = join(tagged(first, NOW_S, "north"), tagged(second, NOW_S, "south"))
    assert records == []
    assert assembler.waiting() == 2


def test_memory_for_waiting_parts_is_bounded() -> None:
    lines = [tagged(voyage()[0], NOW_S, f"station{number}") for number in range(2 * MAX_PARTS_WAITING)]
    _, assembler = join(*lines)
    assert assembler.waiting() == MAX_PARTS_WAITING
    assert assembler.tally.refused == {"part-missing": MAX_PARTS_WAITING}


def test_an_unknown_type_is_refused_as_such() -> None:
    body = b"AIVDM,1,1,,A,w5NHjQPP0sIOVH0@sN6Lwgwn2@Rj,0"
    _, assembler = join(b"!%s*%02X" % (body, checksum(body)))
    assert assembler.tally.refused == {"unknown-type": 1}


def test_the_same_message_from_a_second_station_is_not_news() -> None:
    line = sentences({"type": 1, "mmsi": 205123000, "lat": 51.2, "lon": 2.9})[0]
    reader = LineReader()
    heard = Assembler(reader.tally).join(reader.read([tagged(line, NOW_S, "a"), tagged(line, NOW_S + 2, "b")], NOW_S))
    assert [each.again for each in heard] == [False, True]


@given(
    st.lists(st.sampled_from([*voyage(), *voyage(mmsi=205_999_000), b"!AIVDM,2,1,1,A,5,0*00", b"garbage"]), max_size=30)
)
def test_in_is_decoded_and_parts_and_waiting_and_refused(lines: list[bytes]) -> None:
    _, assembler = join(*lines)
    tally = assembler.tally
    out = sum(assembler.decoded.values()) + assembler.parts + assembler.waiting() + sum(tally.refused.values())
    assert tally.lines == tally.wrappings + out
