"""How often one peer may ask: a token bucket each. Burst is four seconds' worth."""

from __future__ import annotations

from math import ceil
from time import monotonic

BURST_S = 4
MAX_BUCKETS = 10_000


class Buckets:
    """Tokens by peer."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = per_second * BURST_S
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, peer: str) -> int:
        """0 when the request may pass, else after how many whole seconds to come back."""
        now = monotonic()
        level, at = self._levels.get(peer, (self._most, now))
        level = min(self._most, level + (now - at) * self._per_second)
        if level < 1:
            self._levels[peer] = (level, now)
            return max(1, ceil((1 - level) / self._per_second))
        if len(self._levels) >= MAX_BUCKETS:
            self._levels.clear()
        self._levels[peer] = (level - 1, now)
        return 0
