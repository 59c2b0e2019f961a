"""Token buckets forget in bounds and never give more than they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from port2port.web.limits import Buckets, Rate, TooOften, network_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RATE = Rate(burst=3, each=timedelta(seconds=10))


@given(st.lists(st.integers(min_value=0, max_value=40), max_size=60))
def test_never_more_than_the_burst_and_one_each(pauses: list[int]) -> None:
    buckets, at, taken = Buckets(RATE), NOW, 0
    for pause in pauses:
        at += timedelta(seconds=pause)
        try:
            buckets.take("key", at)
            taken += 1
        except TooOften:
            pass
        assert taken <= 3 + (at - NOW).total_seconds() / 10


def test_one_more_comes_back_after_its_time() -> None:
    buckets = Buckets(RATE)
    for _ in range(3):
        buckets.take("key", NOW)
    with pytest.raises(TooOften) as refused:
        buckets.take("key", NOW + timedelta(seconds=4))
    assert refused.value.retry_after_s == 6
    buckets.take("key", NOW + timedelta(seconds=10))


def test_keys_do_not_share_a_bucket_and_are_forgotten_in_bounds() -> None:
    buckets = Buckets(RATE, limit=5)
    for i in range(100):
        buckets.take(f"key {i}", NOW)
    assert len(buckets) == 5


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
    ],
)
def test_neighbours_share_a_network(address: str, network: str) -> None:
    assert network_of(address) == network
