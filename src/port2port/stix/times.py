"""Timestamps (STIX 2.1 section 2.17): RFC 3339 in UTC with `Z`, any number of decimals."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from port2port.core.errors import DecodeError

MILLISECOND_CHARS = len("2026-01-01T00:00:00.000Z")


def stamp(at: datetime) -> str:
    """To the millisecond, as `created` and `modified` must be (section 3.2); cut off, never rounded up."""
    assert at.tzinfo is not None, "times are UTC-aware"
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def moment(text: str) -> datetime:
    """UTC, to the microsecond; a leap second is the last second before it. Else `DecodeError`."""
    plain = text[:17] + "59" + text[19:] if text[17:19] == "60" else text
    try:
        assert_shape = plain[10] == "T" and plain[-1] == "Z"
        at = datetime.fromisoformat(plain)
    except (ValueError, IndexError) as error:
        raise DecodeError("This is no timestamp.", reason="bad-timestamp") from error
    if not assert_shape or at.tzinfo is None:
        raise DecodeError("This is no timestamp.", reason="bad-timestamp")
    return at


def exists(text: str) -> bool:
    """Whether the day of a timestamp of the right shape is in the calendar: 30 February is not."""
    day = text[8:10]
    if day < "29":
        return True
    year, month = int(text[:4]), int(text[5:7])
    return year > 0 and int(day) <= monthrange(year, month)[1]


def order_key(text: str) -> tuple[str, str]:
    """Sorts timestamps of the right shape in time, whatever their number of decimals."""
    seconds, _, decimals = text[:-1].partition(".")
    return seconds, decimals.rstrip("0")


def is_before(first: str, second: str) -> bool:
    """Whether `first` is earlier than `second`."""
    if len(first) == len(second):
        return first < second
    return order_key(first) < order_key(second)
