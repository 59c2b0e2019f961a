"""Granular markings (STIX 2.1 section 7.2.3): selectors that select something."""

from __future__ import annotations

from typing import Any

from port2port.stix.reading import Object


def selects(found: Object, selector: str) -> bool:
    """Whether the selector names something that is there (section 7.2.3.1)."""
    here: Any = found
    for step in selector.split("."):
        if step.startswith("["):
            index = int(step[1:-1]) if len(step) < 12 else -1
            if not isinstance(here, list) or not 0 <= index < len(here):
                return False
            here = here[index]
        elif isinstance(here, dict) and step in here:
            here = here[step]
        else:
            return False
    return True


def selectors_hold(found: Object) -> bool:
    return all(selects(found, each) for mark in found["granular_markings"] for each in mark["selectors"])


def not_itself(found: Object) -> bool:
    """A marking does not mark itself (sections 7.2.1 and 7.2.3)."""
    own = found["id"]
    marks = (mark.get("marking_ref") for mark in found.get("granular_markings", ()))
    return own not in found.get("object_marking_refs", ()) and own not in marks
