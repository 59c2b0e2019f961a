"""From sensor to glass: how long a report took until a screen had drawn it, as the screens tell us."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Lock

KEPT = 1_000
"""Measurements that the figures are made of."""


@dataclass
class Glass:
    """The newest measurements of all screens. Safe for threads."""

    _kept: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    _lock: Lock = field(default_factory=Lock)

    def add(self, ms: int) -> None:
        with self._lock:
            self._kept.append(ms)

    def numbers(self) -> dict[str, int]:
        """Median and 99th percentile in milliseconds; empty when no screen has told anything."""
        with self._lock:
            kept = sorted(self._kept)
        if not kept:
            return {}
        return {"sensor to screen p50 ms": _at(kept, 0.5), "sensor to screen p99 ms": _at(kept, 0.99)}


def _at(kept: list[int], share: float) -> int:
    return kept[min(len(kept) - 1, int(share * len(kept)))]
