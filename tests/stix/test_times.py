"""Timestamps of section 2.17."""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from port2port.core.errors import DecodeError
from port2port.stix.must import calendar
from port2port.stix.times import exists, is_before, is_timestamp, moment, stamp

MOMENTS = st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC))


def test_the_calendar_of_the_schema_is_that_of_python() -> None:
    rule = calendar("at")
    for year in (1, 4, 1900, 2000, 2023, 2024, 2100, 2400, 9999):
        for month in range(1, 13):
            for day in range(1, 32):
                text = f"{year:04}-{month:02}-{day:02}T00:00:00Z"
                is_there = _is_there(year, month, day)
                assert exists(text) is rule.holds({"at": text}) is is_timestamp(text) is is_there


def _is_there(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)
    except ValueError:
        assert day > 28 + (month == 2 and isleap(year))
        return False
    return True


@given(MOMENTS)
def test_a_moment_comes_back_to_the_millisecond(at: datetime) -> None:
    assert moment(stamp(at)) == at - timedelta(microseconds=at.microsecond % 1_000)


@given(MOMENTS, MOMENTS, st.integers(0, 3), st.integers(0, 3))
def test_order_is_that_of_the_moments_whatever_the_decimals(a: datetime, b: datetime, more: int, fewer: int) -> None:
    one, other = (f"{each.replace(tzinfo=None).isoformat(timespec='microseconds')}" for each in (a, b))
    assert is_before(f"{one}{'0' * more}Z", f"{other}{'0' * fewer}Z") is (a < b)
    assert is_before(f"{one}{'0' * more}Z", f"{one}{'0' * fewer}Z") is False


def test_a_leap_second_and_long_decimals_are_read() -> None:
    assert moment("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert moment("2016-12-31T23:59:59.123456789Z").microsecond == 123_456


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+00:00",
        "2026-02-30T00:00:00Z",
        "2026-01-01t00:00:00z",
    ],
)
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        moment(text)
