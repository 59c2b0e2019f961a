"""Timestamps (STIX 2.1 section 2.17): RFC 3339 in UTC with `Z`, any number of decimals."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime

from port2port.core.errors import DecodeError

_SHAPE = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?Z", re.ASCII
)


def stamp(at: datetime) -> str:
    """To the millisecond, as `created` and `modified` must be (section 3.2); cut off, never rounded up."""
    assert at.tzinfo is not None, "times are UTC-aware"
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def is_timestamp(text: str) -> bool:
    """Whether a text has the shape, and names a day that exists."""
    return _SHAPE.fullmatch(text) is not None and exists(text)


def moment(text: str) -> datetime:
    """UTC, cut to the microsecond; a leap second is the last second before it. Raises `DecodeError`."""
    if not is_timestamp(text):
        raise DecodeError("This is no timestamp of STIX.", reason="bad-timestamp")
    return datetime.fromisoformat(f"{text[:17]}59{text[19:]}" if text[17:19] == "60" else text)


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
