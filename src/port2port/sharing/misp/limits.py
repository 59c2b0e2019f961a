"""How much of a stranger's feed we take. Every number has its unit in its name."""

from __future__ import annotations

MIB = 1024 * 1024
MAX_MANIFEST_BYTES = 64 * MIB
MAX_EVENT_BYTES = 32 * MIB
MAX_EVENTS_IN_MANIFEST = 250_000
MAX_EVENTS_A_RUN = 10_000
"""The oldest first; the next run goes on."""
MAX_ATTRIBUTES = 100_000
MAX_OBJECTS = 20_000
MAX_TAGS = 500
MAX_TAG_CHARS = 255
MAX_VALUE_CHARS = 65_536
MAX_INFO_CHARS = 4_096
MAX_NAME_CHARS = 255
MAX_FEED_CHARS = 60
MAX_TIMESTAMP_S = 2**37
"""Beyond, there are no calendar years in four digits."""
FETCH_TIMEOUT_S = 60.0
KEEP_DAYS = 90
"""How long an event of a feed stays in quarantine after it was last changed there."""
TOMBSTONE_DAYS = 30
"""How long a withdrawn event is announced as such before it is not mentioned any more."""
