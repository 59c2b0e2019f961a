"""A statement that failed spoils its transaction, on every database: PostgreSQL knows no other way.

Whoever swallows the error and goes on would else believe that the rest was stored.
"""

from __future__ import annotations

from port2port.core.errors import Conflict


def spoilt() -> Conflict:
    """Raised when a transaction ends as if nothing had happened."""
    return Conflict("A statement failed in the middle, so nothing of this change was stored.")
