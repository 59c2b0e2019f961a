"""What we take from a stranger and hand out at once, by name."""

from __future__ import annotations

MAX_CONTENT_BYTES = 10 * 1024 * 1024
"""`max_content_length` of the API root: the largest body of a POST."""
MAX_POST_OBJECTS = 10_000
MAX_PAGE_OBJECTS = 10_000
"""The largest page, whatever `limit` says."""
USUAL_PAGE_OBJECTS = 1_000
"""Objects in a page when no `limit` is given."""
MAX_PAGE_BYTES = 8 * 1024 * 1024
"""A page ends before the object that would make it larger; one object always fits."""
PACK_BYTES = 64 * 1024
"""Objects that were handed in together are sealed together, up to this size."""
MAX_QUERY_CHARS = 16 * 1024
MAX_FILTER_VALUES = 100
MAX_NEXT_CHARS = 8 * 1024
MAX_CREDENTIALS_CHARS = 1024
MAX_FAILURES = 1_000
"""Failures that a status names one by one; the others are counted."""
MAX_STATUSES = 1_000
"""Statuses kept for one account: the oldest go first."""
MAX_ACCOUNTS = 1_000
MAX_ID_CHARS = 200
MAX_TYPE_CHARS = 60
VERIFIED_S = 600
"""A password that was right is not hashed again for this long."""
