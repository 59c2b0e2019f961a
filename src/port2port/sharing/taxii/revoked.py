"""The last version of an object that was recalled: revoked, with nothing left in it. Pure.

Only objects that have versions can be revoked (STIX 2.1 section 3.6). What the type's schema demands is there, empty.
"""

from __future__ import annotations

from typing import Any

import msgspec

from port2port.sharing.taxii.rows import Item
from port2port.sharing.taxii.times import stix_time
from port2port.stix.types import SCO_TYPES

_WITHOUT_VERSIONS = frozenset({"marking-definition", "extension-definition", "language-content", "bundle"})
_SAYS_NOTHING = "[file:name = '']"
"""A pattern must be one; this one holds nothing of what was there."""


def version_of(object_id: str, version_us: int) -> Item | None:
    """The revoked version right after the one of `version_us`; None for what cannot be revoked.

    Not later: a newer version may have been given to others, and stands above this one where both are seen.
    """
    kind, _, _ = object_id.partition("--")
    if not version_us or kind in _WITHOUT_VERSIONS or kind in SCO_TYPES:
        return None
    modified_us = version_us // 1000 * 1000 + 1000
    created, modified = stix_time(version_us), stix_time(modified_us)
    found: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "id": object_id,
        "created": created,
        "modified": modified,
        "revoked": True,
        **_demanded(kind, object_id, created),
    }
    return Item(object_id, kind, modified_us, msgspec.json.encode(found))


def _demanded(kind: str, object_id: str, at: str) -> dict[str, Any]:
    """What the schema of the type wants to see, saying nothing."""
    of_kind: dict[str, dict[str, Any]] = {
        "indicator": {"name": "", "pattern": _SAYS_NOTHING, "pattern_type": "stix", "valid_from": at},
        "observed-data": {
            "first_observed": at, "last_observed": at, "number_observed": 1, "object_refs": [object_id]
        },
        "report": {"name": "", "published": at, "object_refs": [object_id]},
        "grouping": {"name": "", "context": "unspecified", "object_refs": [object_id]},
        "note": {"content": "", "object_refs": [object_id]},
        "opinion": {"opinion": "neutral", "object_refs": [object_id]},
        "malware": {"name": "", "is_family": False},
        "malware-analysis": {"product": "", "result": "unknown"},
        "location": {"name": "", "region": "world"},
        "relationship": {"relationship_type": "related-to", "source_ref": object_id, "target_ref": object_id},
        "sighting": {"sighting_of_ref": object_id},
    }  # fmt: skip
    return of_kind.get(kind, {"name": ""})
