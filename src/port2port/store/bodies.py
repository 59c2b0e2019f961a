"""Bodies as both databases hand them out: opened with their keys, and never replaced by others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from port2port.core.errors import Conflict
from port2port.store.api import Reading
from port2port.store.codec import StoredBody
from port2port.store.keys import Keys


def opened(keys: Keys, stored: Iterable[StoredBody | None]) -> list[bytes | None]:
    """What can be read of stored bodies; None for what is absent or whose key is destroyed."""
    return [each if each is None else _open(keys, each) for each in stored]


def _open(keys: Keys, stored: StoredBody) -> bytes | None:
    number, sealed, body = stored
    return keys.open(number, body) if sealed else bytes(body)


def require_same(view: Reading, bodies: Sequence[tuple[str, int, bytes]]) -> None:
    """What is stored must be these bytes: other bytes under a taken key are a `Conflict`."""
    stored = view.bodies([(object_id, version) for object_id, version, _ in bodies])
    for (object_id, version, body), known in zip(bodies, stored, strict=True):
        if known != body:
            raise Conflict(f"Version {version} of {object_id} is already stored with other content.")
