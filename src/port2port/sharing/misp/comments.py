"""What STIX says and MISP has no field for stands in the comment of an attribute or object. Pure.

First line the name (or `-`), then the description, and at the end in brackets the STIX id with the times of its
version: `[indicator--… 2026-03-01T12:00:00.000Z 2026-03-02T08:30:00.000Z]`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from port2port.sharing.misp.core_format import stamp

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z"
_TAIL = re.compile(rf"\n?\[([a-z0-9-]+--{_UUID})(?: ({_TIME}) ({_TIME}))?\]\s*\Z")


class Said(NamedTuple):
    """A comment taken apart."""

    name: str
    description: str
    id: str
    created: str
    modified: str


def write(found: dict[str, Any], *, with_id: bool = True) -> str:
    """The comment for one STIX object: name and description as far as it has them."""
    name = " ".join(str(found.get("name", "")).split()) or ("-" if found.get("description") else "")
    words = "\n".join([name, found["description"]]) if found.get("description") else name
    return words + tail(found) if with_id else words


def tail(found: dict[str, Any]) -> str:
    """Only the last line: the id and, for what has versions, its times."""
    times = f" {found['created']} {found['modified']}" if "created" in found and "modified" in found else ""
    return f"\n[{found['id']}{times}]"


def read(comment: str) -> Said:
    """Take a comment apart; what is not ours is a name and a description."""
    found = _TAIL.search(comment)
    words = comment[: found.start()] if found else comment
    name, _, description = words.partition("\n")
    return Said(
        "" if name == "-" else name,
        description,
        *((found[1], found[2] or "", found[3] or "") if found else ("", "", "")),
    )


def versions(said: Said, timestamp: int) -> dict[str, str]:
    """`created` and `modified`: as we wrote them, unless somebody changed the thing in MISP since."""
    at = stamp(timestamp)
    if not said.created:
        return {"created": moment(at), "modified": moment(at)}
    changed = at > when(said.modified)
    return {"created": said.created, "modified": moment(at) if changed else said.modified}


def moment(at: datetime) -> str:
    """A STIX timestamp, to the millisecond or as fine as it is."""
    at = at.astimezone(UTC).replace(tzinfo=None)
    return f"{at.isoformat(timespec='microseconds' if at.microsecond % 1000 else 'milliseconds')}Z"


def when(text: str) -> datetime:
    """A timestamp of STIX or MISP. Raises `ValueError`."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
