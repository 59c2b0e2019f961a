"""Named limits of the picture."""

from __future__ import annotations

PAGE_ALERTS = 500
"""Alerts in one answer of `/api/picture/alerts`."""
MAX_MOVERS = 100_000
"""Moving things in the stream of positions; more are counted, not drawn."""
MAX_CLIENTS = 200
"""Readers of the stream of positions."""
MAX_PENDING_FRAMES = 4
"""Frames that wait for a slow reader; then it gets a fresh snapshot instead."""
TICK_S = 0.2
"""Positions are gathered and sent this often, if anything changed."""
BEAT_S = 2.0
"""An empty frame says that the line is alive."""
MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_RANGE_BYTES = 8 * 1024 * 1024
"""The largest part of the base map in one answer."""
MAX_METADATA_BYTES = 1024 * 1024
MAX_GLASS_MS = 600_000
MAX_CAUSE_CHARS = 80
"""Length of a word key that a browser sends."""
