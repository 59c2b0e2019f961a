"""Column types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from port2port.store.types import EPOCH, Moment, from_us, to_us

moments = st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(3000, 1, 1), timezones=st.just(UTC))


@settings(max_examples=60)
@given(moments)
def test_a_moment_comes_back_to_the_microsecond(at: datetime) -> None:
    column, dialect = Moment(), sqlite.dialect()
    assert column.process_result_value(column.process_bind_param(at, dialect), dialect) == at


@settings(max_examples=60)
@given(moments, moments)
def test_moments_sort_in_the_database_as_in_time(a: datetime, b: datetime) -> None:
    assert (to_us(a) < to_us(b)) == (a < b)


def test_a_moment_of_another_zone_is_stored_in_utc() -> None:
    at = datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert from_us(to_us(at)) == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert from_us(0) == EPOCH


def test_a_moment_without_a_zone_is_a_programming_error() -> None:
    with pytest.raises(AssertionError, match="UTC-aware"):
        to_us(datetime(2026, 3, 1))


def test_no_moment_is_no_number() -> None:
    column, dialect = Moment(), sqlite.dialect()
    assert column.process_bind_param(None, dialect) is None
    assert column.process_result_value(None, dialect) is None
