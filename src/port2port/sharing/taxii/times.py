"""Timestamps as TAXII writes them: UTC with six decimals (data types, section 2), whole microseconds inside. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from port2port.core.errors import DecodeError
from port2port.store.types import from_us, to_us

_SHAPE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,18}))?Z", re.ASCII)


def us_of(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 timestamp in UTC; further decimals are cut off. Else `DecodeError`."""
    found = _SHAPE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        whole = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        raise DecodeError("This is no timestamp like 2026-03-01T12:00:00.000000Z.", reason="bad-timestamp") from None
    return to_us(whole) + int((found[2] or "").ljust(6, "0")[:6])


def taxii_time(us: int) -> str:
    """With microseconds, as `date_added` is written."""
    return f"{from_us(us).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def stix_time(us: int) -> str:
    """With milliseconds where that is exact, as `modified` is written (STIX 2.1 section 3.2)."""
    return f"{from_us(us).replace(tzinfo=None).isoformat(timespec='microseconds' if us % 1000 else 'milliseconds')}Z"
