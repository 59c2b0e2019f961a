"""Token buckets: how often somebody may try, in bounded memory."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from port2port.core.errors import Unavailable

MAX_BUCKETS = 10_000
"""Beyond this the least recently used is forgotten: it is the fullest of them."""


class TooOften(Unavailable):
    """Too many attempts in too short a time (HTTP 429)."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("web.error.too-often", hint="web.error.too-often.hint")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` in a row, then one each `each`."""

    burst: int
    each: timedelta


class Buckets:
    """A bucket per key. Safe for threads."""

    def __init__(self, rate: Rate, limit: int = MAX_BUCKETS) -> None:
        self._rate, self._limit = rate, limit
        self._kept: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str, now: datetime) -> None:
        """Use one attempt. Raises `TooOften` when there is none."""
        with self._lock:
            left, since = self._kept.pop(key, (float(self._rate.burst), now))
            left = min(float(self._rate.burst), left + max(0.0, (now - since) / self._rate.each))
            self._kept[key] = (left - 1 if left >= 1 else left, now)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        if left < 1:
            raise TooOften(max(1, round((1 - left) * self._rate.each.total_seconds())))

    def __len__(self) -> int:
        return len(self._kept)


def network_of(address: str) -> str:
    """The /24 (IPv4) or /64 (IPv6) of a client address; anything else is one network of its own."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False))
