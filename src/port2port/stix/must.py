"""A MUST of the standard that the OASIS schemas do not say: a name, a sentence, and how to tell. Pure and total.

Where a JSON Schema can tell, it does: such rules are compiled into one validator with the type's own schema, which
costs little. The others are functions of the whole object, asked only when that validator is satisfied, so that the
standard's properties have the standard's types.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from port2port.stix import times
from port2port.stix.reading import Object
from port2port.stix.schemas import Schema, compiled
from port2port.stix.types import Targets

Holds = Callable[[Object], bool]

_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
    r"|x(?:-[a-z0-9]{1,8})+",
    re.IGNORECASE | re.ASCII,
)
"""RFC 5646 section 2.1, without the grandfathered tags of 1996."""


@dataclass(frozen=True, slots=True)
class Must:
    """A rule about the property `path`, asked only when it is there, or about the whole object when `path` is empty.

    `holds` is asked of the object in either case; `schema`, where there is one, tells the same.
    """

    rule: str
    path: str
    sentence: str
    holds: Holds
    schema: Schema | None = None


def told_by_schema(rule: str, path: str, sentence: str, schema: Schema) -> Must:
    """A rule about the property `path` (whole object when empty) that is a JSON Schema."""
    whole = {"properties": {path: schema}} if path else schema
    return Must(rule, path, sentence, lambda found: compiled(whole).is_valid(found), whole)


def points_at(name: str, targets: Targets) -> Schema:
    """An identifier of one of these types; a list of them where the property's name ends so (section 3.1)."""
    one: Schema = {"type": "string", "pattern": f"^({'|'.join(targets)})--{_UUID}$"}
    return {"type": "array", "items": one} if name.endswith("_refs") else one


def refs(section: str, name: str, targets: Targets) -> Must:
    sentence = f"It must point at {' or '.join(targets)}."
    return told_by_schema(f"{section}-reference", name, sentence, points_at(name, targets))


_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DAY = (
    "^([0-9]{4}-[0-9]{2}-(0[1-9]|1[0-9]|2[0-8])|[0-9]{4}-(0[13-9]|1[0-2])-(29|30)|[0-9]{4}-(0[13578]|1[02])-31"
    f"|{_LEAP}-02-29)T"
)
"""The Gregorian calendar; the shape of a timestamp is another schema's."""


def calendar(name: str) -> Must:
    """A day that exists."""
    return told_by_schema("2.17-calendar", name, "There is no such day.", {"pattern": _DAY})


def in_order(section: str, earlier: str, later: str, may_be_equal: bool) -> Must:
    """`later` is not before `earlier`, or truly after it."""
    relation = "not be earlier than" if may_be_equal else "be later than"

    def holds(found: Object) -> bool:
        first, second = found.get(earlier), found[later]
        if first is None:
            return True
        return not times.is_before(second, first) if may_be_equal else times.is_before(first, second)

    return Must(f"{section}-order", later, f"It must {relation} `{earlier}`.", holds)


def is_language(value: Any) -> bool:
    """Well formed as RFC 5646 says; whether anybody speaks it is the registry's business."""
    return isinstance(value, str) and len(value) <= 64 and _LANGUAGE.fullmatch(value) is not None
