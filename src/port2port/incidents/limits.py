"""What we accept, by name. A stranger is sending."""

from __future__ import annotations

MAX_TITLE_CHARS = 120
MAX_PLACE_CHARS = 80
MAX_TEXT_CHARS = 2_000
"""What was seen, and one note."""
MAX_ID_CHARS = 200
MAX_NAME_CHARS = 120
MAX_REFERENCE_CHARS = 40
MAX_ENTRIES = 500
"""Lines in the timeline of one incident, beyond which no note is taken; and the newest that are shown."""
MAX_SHARED_NOTES = 10
"""The newest notes marked to go along: with the longest texts the bundle still travels."""
MAX_BUNDLE_BYTES = 128 * 1024
MAX_BUNDLE_OBJECTS = 64
MAX_NODES = 500
"""Node ids in one audience."""
MAX_READERS = 50
"""Accounts that one TLP:RED label names."""
MAX_RETENTION_MONTHS = 60
DEFAULT_RETENTION_MONTHS = 12
MAX_ROWS = 200
"""Incidents in one list."""
MAX_FEATURES = 1_000
"""Open incidents drawn on the map."""
MAX_FORM_BYTES = 64 * 1024
