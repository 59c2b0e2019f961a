"""A track knows how old it is."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from port2port.core.place import Position
from port2port.core.track import Quality, Track

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRACK = Track(
    id="vessel:205123000",
    kind="vessel",
    name="SCHELDE",
    position=Position(51.3, 4.3),
    course_deg=None,
    heading_deg=None,
    speed_mps=None,
    seen_at=NOON,
    source="ais-scheldt",
    quality=Quality.MEASURED,
)


def test_the_age_of_a_track_is_the_time_since_it_was_seen() -> None:
    assert TRACK.age(NOON + timedelta(seconds=90)) == timedelta(seconds=90)


def test_a_track_raises_no_alarm_unless_told_and_does_not_change() -> None:
    assert not TRACK.alarmed
    with pytest.raises(FrozenInstanceError):
        TRACK.alarmed = True  # type: ignore[misc]
