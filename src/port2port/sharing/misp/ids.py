"""MISP uuids that follow from ours, so that the same thing has the same uuid every time. Pure."""

from __future__ import annotations

import uuid

NAMESPACE = uuid.UUID("b4d6f8c2-3f0e-5e35-9a56-0c9f1d6f7a11")
"""For UUIDv5 of MISP events, objects and attributes that follow from ours. Fixed for ever."""


def event_uuid(origin: str, object_id: str) -> str:
    """The MISP event of one shared object, whatever its version."""
    return derived("event", origin, object_id)


def derived(*parts: str) -> str:
    """A UUIDv5 over these parts."""
    return str(uuid.uuid5(NAMESPACE, "\0".join(parts)))
