"""Sizes and times of the audit log, by name."""

from __future__ import annotations

from datetime import timedelta

SALT_BYTES = 16

CHECKPOINT_EVERY = timedelta(seconds=5)
"""At most one checkpoint in this time, however much is recorded."""

WITNESS_EVERY_S = 60.0
"""How often partners are asked to confirm the newest checkpoint, and what they hold is compared."""

WITNESSES_ASKED = 3
"""Partners that confirm each checkpoint, or all when there are fewer: then it is final."""

MAX_PROOF_HASHES = 63
"""Hashes in a consistency proof (C2SP tlog-witness)."""

MAX_SEEN = 1_000
"""Logs that a partner may name in one answer."""

MAX_ERASED_AT_ONCE = 10_000
"""Entries erased by one act."""

PAGE_LEAVES = 4_096
"""Entries read at once; whole tiles."""

FIRST_ROUND_S = 60.0
"""The first round comes half this time to this time after the start, each node's at another moment."""

MAX_AGREED = 10_000
"""Pairs of checkpoints that a node remembers as proven, so that it need not ask again."""

FIRST_CHECK_S, CHECK_EVERY_S = 300.0, 24 * 3600.0
"""The whole log is checked so long after the start, and then so often."""
