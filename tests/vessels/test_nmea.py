"""Lines to sentences."""

from __future__ import annotations

from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vessels_kit import NOW_S, sentences, tagged

from port2port.vessels.nmea import MAX_LINE_BYTES, LineReader, Sentence, checksum

GOOD = b"!AIVDM,1,1,,A,15NHjQPP0sIOVH0@sN6Lwgwn2@Rj,0*59"


def signed(body: bytes) -> bytes:
    return b"!%s*%02X" % (body, checksum(body))


def read(*lines: bytes, received_s: float = NOW_S) -> list[Sentence]:
    return LineReader().read(lines, received_s)


@given(st.binary(max_size=400))
def test_the_checksum_is_the_xor_of_all_bytes(body: bytes) -> None:
    assert checksum(body) == reduce(xor, body, 0)


def test_a_bare_sentence_has_the_time_at_which_we_received_it() -> None:
    (found,) = read(signed(b"AIVDM,1,1,,A,15NHjQPP0sIOVH0@sN6Lwgwn2@Rj,0"))
    assert (found.formatter, found.channel, found.fill_bits, found.at_s) == (b"AIVDM", b"A", 0, NOW_S)


@pytest.mark.parametrize(("written", "seconds"), [(b"1469663999", 1469663999.0), (b"1469663999250", 1469663999.25)])
def test_a_tag_block_tells_seconds_or_milliseconds(written: bytes, seconds: float) -> None:
    body = b"s:rNHMLN1,c:" + written
    line = b"\\%s*%02X\\%s" % (body, checksum(body), GOOD_NOW)
    (found,) = read(line)
    assert (found.at_s, found.station) == (seconds, "rNHMLN1")


GOOD_NOW = signed(b"AIVDM,1,1,,A,15NHjQPP0sIOVH0@sN6Lwgwn2@Rj,0")


def test_the_second_line_of_a_group_takes_the_time_of_the_first() -> None:
    first, second = sentences({"type": 5, "mmsi": 205123000, "shipname": "ZEEHOND"})
    opening, closing = b"g:1-2-77,s:b1,c:1469663999", b"g:2-2-77"
    found = read(
        b"\\%s*%02X\\%s" % (opening, checksum(opening), first), b"\\%s*%02X\\%s" % (closing, checksum(closing), second)
    )
    assert [(each.at_s, each.station) for each in found] == [(1469663999.0, "b1")] * 2


def test_a_gatehouse_line_tells_the_time_of_the_next_sentence_only() -> None:
    wrapping = b"$PGHP,1,2014,9,28,16,0,4,684,219,21,992190921,1,14*22"
    found = read(wrapping, GOOD_NOW, GOOD_NOW)
    assert [round(each.at_s, 3) for each in found] == [1411920004.684, NOW_S]
    assert found[0].station == "992190921"


def test_the_coast_guards_time_behind_the_checksum_is_read() -> None:
    (found,) = read(GOOD_NOW + b",s22222,r003669945,1085889246")
    assert (found.at_s, found.station) == (1085889246.0, "r003669945")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD_NOW[:-2] + b"00", "checksum"),
        (b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47", "not-ais"),
        (b"# Opening log file", "not-ais"),
        (b"!AIVDM,1,1,,A," + b"w" * MAX_LINE_BYTES + b",0*00", "oversize"),
        (b"\\" + b"s" * MAX_LINE_BYTES + b"\\", "oversize"),
        (GOOD_NOW.replace(b"NHj", b"N\xc3j"), "eight-bit"),
        (GOOD_NOW[:30], "truncated"),
        (b"$PGHP,1,2014,9", "truncated"),
        (signed(b"AIVDM,1,2,,A,15NHjQPP0sIOVH0@sN6Lwgwn2@Rj,0"), "malformed"),
        (signed(b"AIVDM,0,0,,A,15NHjQPP0sIOVH0@sN6Lwgwn2@Rj,0"), "malformed"),
        (b"\\s:coast,c:1469663999*00\\" + GOOD_NOW, "tag-block"),
        (b"\\s:coast" + GOOD_NOW, "tag-block"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason_and_the_next_is_read(line: bytes, reason: str) -> None:
    reader = LineReader()
    assert len(reader.read([line, GOOD_NOW], NOW_S)) == 1
    assert reader.tally.refused == {reason: 1}
    assert reader.tally.balanced()


@given(
    st.lists(st.one_of(st.binary(max_size=120), st.sampled_from([GOOD_NOW, tagged(GOOD_NOW, NOW_S), b"\\s:x*4B\\"])))
)
def test_any_bytes_are_a_sentence_a_wrapping_or_refused(lines: list[bytes]) -> None:
    reader = LineReader()
    reader.read(lines, NOW_S)
    assert reader.tally.balanced()
    assert reader.tally.lines == sum(bool(line.strip()) for line in lines)


@given(st.binary(max_size=80))
def test_any_bytes_in_the_place_of_a_payload_decode_or_are_refused(payload: bytes) -> None:
    from port2port.vessels.ais import Assembler

    body = b"AIVDM,1,1,,A,%s,0" % payload.replace(b"\n", b"").replace(b"*", b"")
    reader = LineReader()
    assembler = Assembler(reader.tally)
    assembler.join(reader.read([signed(body)], NOW_S))
    refused = sum(reader.tally.refused.values())
    assert sum(assembler.decoded.values()) + refused == 1
