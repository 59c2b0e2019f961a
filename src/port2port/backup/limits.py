"""Limits of archives: whoever hands one in may be a stranger."""

from __future__ import annotations

FORMAT = 1
"""Of archives that this version writes, and the newest that it reads."""
MAX_HEADER_BYTES = 4 * 1024
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_FILES = 100_000
MAX_PATH_CHARS = 250
MAX_DEPTH = 12
MAX_RATIO = 250
"""Times an archive may grow when it is opened; sealed bodies do not shrink at all."""
FREE_GROWTH_BYTES = 64 * 1024 * 1024
"""A small archive may grow to this whatever its ratio: an empty database is mostly zeros."""
STEP_BYTES = 1024 * 1024
"""Read and written at once."""
LEAST_PASSPHRASE_CHARS = 12
"""A stolen archive can be tried for ever."""
SPARE_BYTES = 64 * 1024 * 1024
"""Must stay free on a disk that we write to."""
MAX_EXPORT_BATCH = 500
"""Entries looked up at once for an export."""
