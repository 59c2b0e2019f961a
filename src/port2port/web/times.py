"""Moments for people: local, UTC and age. Plain forms per language, no library."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from port2port.core.clock import require_utc

_DATES = {"nl": "%d-%m-%Y", "fr": "%d/%m/%Y", "de": "%d.%m.%Y", "en": "%d %b %Y"}


@lru_cache(maxsize=16)
def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    return ZoneInfo(name)


def local_time(moment: datetime, now: datetime, timezone: str, language: str) -> str:
    """`14:02:11` when it is today, else with the date before it."""
    there, today = require_utc(moment).astimezone(zone(timezone)), require_utc(now).astimezone(zone(timezone))
    clock = there.strftime("%H:%M:%S")
    return clock if there.date() == today.date() else f"{there.strftime(_DATES.get(language, '%Y-%m-%d'))} {clock}"


def utc(moment: datetime) -> str:
    """`2026-11-24 14:02:11 Z`."""
    return require_utc(moment).strftime("%Y-%m-%d %H:%M:%S Z")


def age(moment: datetime, now: datetime) -> tuple[str, dict[str, str]]:
    """Word key and values of how long ago: seconds under 1.5 min, minutes under 1.5 h, hours under 2 days, days."""
    seconds = max(0, round((require_utc(now) - require_utc(moment)) / timedelta(seconds=1)))
    if seconds < 90:
        return "web.age.seconds", {"n": str(seconds)}
    if seconds < 5400:
        return "web.age.minutes", {"n": str(round(seconds / 60))}
    if seconds < 172_800:
        hours, minutes = divmod(seconds // 60, 60)
        return "web.age.hours", {"n": str(hours), "m": f"{minutes:02d}"}
    return "web.age.days", {"n": str(seconds // 86_400)}
