"""Which properties of a STIX object MISP has no place for: they are named, not lost in silence. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from port2port.sharing.misp.templates import BY_STIX
from port2port.stix.extension import EXTENSION_ID

_ALWAYS = frozenset(["type", "spec_version", "id", "created", "modified", "created_by_ref", "object_marking_refs"])
_SAID: Mapping[str, frozenset[str]] = {
    "indicator": frozenset(
        {"pattern", "pattern_type", "valid_from", "valid_until"}
        | {"name", "description", "revoked", "labels", "indicator_types"}
    ),
    "note": frozenset({"content", "object_refs"}),
    "relationship": frozenset({"relationship_type", "source_ref", "target_ref", "description"}),
    "incident": frozenset({"labels", f"extensions.{EXTENSION_ID}.version", f"extensions.{EXTENSION_ID}.handling"}),
    "shipping-container": frozenset({"seal_refs"}),
}
"""Beside the relations of a template. The handling label stays behind on purpose; the version is in the time stamp."""


def unsaid(found: Mapping[str, Any]) -> list[str]:
    """Paths of the properties that an event does not say, sorted."""
    kind = found["type"]
    said = _SAID.get(kind, frozenset()) | {".".join(each.path) for each in _relations(kind)}
    said |= frozenset() if kind in BY_STIX or kind in _SAID else {"value"}
    return sorted(path for path in map(".".join, _leaves(found)) if not _is_said(path, said))


def _relations(kind: str) -> tuple[Any, ...]:
    return BY_STIX[kind].relations if kind in BY_STIX else ()


def _is_said(path: str, said: frozenset[str]) -> bool:
    if path.startswith("extensions.") and path.endswith(".extension_type"):
        return True
    return path in _ALWAYS or any(path == each or path.startswith(f"{each}.") for each in said)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of everything that is no dictionary: a list is one value."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, (*path, key))
    else:
        yield path
