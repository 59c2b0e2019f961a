"""Time is handed in, and is UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from port2port.core.clock import SteppedClock, from_ms, require_utc, system_clock, to_ms

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_stepped_clock_moves_only_when_told() -> None:
    clock = SteppedClock(NOON)
    assert clock() == clock() == NOON
    assert clock.step(timedelta(seconds=5)) == clock() == NOON + timedelta(seconds=5)


def test_the_machine_clock_is_in_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)


def test_a_time_of_another_zone_is_the_same_moment_in_utc() -> None:
    brussels_summer = timezone(timedelta(hours=2))
    moment = require_utc(datetime(2026, 7, 1, 14, tzinfo=brussels_summer))
    assert (moment.hour, moment.tzinfo) == (12, UTC)


def test_a_time_without_zone_is_a_broken_assumption() -> None:
    with pytest.raises(AssertionError, match="UTC-aware"):
        SteppedClock(datetime(2026, 1, 1))


@given(st.integers(-62_000_000_000_000, 250_000_000_000_000))
def test_milliseconds_come_back_as_they_went(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


def test_part_of_a_millisecond_is_cut_off_also_before_1970() -> None:
    assert to_ms(datetime(1970, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)) == 1
    assert to_ms(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
