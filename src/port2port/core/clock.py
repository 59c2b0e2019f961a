"""Time is handed in. Rules take `now`; what runs takes a `Clock`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Answers the present moment, UTC-aware."""


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class SteppedClock:
    """A clock that moves only when told to: for tests and replay."""

    def __init__(self, start: datetime) -> None:
        self._now = require_utc(start)

    def __call__(self) -> datetime:
        return self._now

    def step(self, by: timedelta) -> datetime:
        self._now += by
        return self._now


def require_utc(at: datetime) -> datetime:
    """The same moment in UTC; a naive datetime is a programming error."""
    assert at.tzinfo is not None, "times are UTC-aware"
    return at.astimezone(UTC)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC."""
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_ms(ms: int) -> datetime:
    """The moment `ms` milliseconds after 1970-01-01 UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
