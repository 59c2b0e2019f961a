"""Is this STIX 2.1? One answer for each object, which no other object can change.

First the JSON Schema of its type, then what holds of every value, then the MUST rules of its type; an object whose
shape is wrong is not asked the rest. Objects of types that nobody told us about are held against the common properties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from port2port.core.errors import DecodeError
from port2port.stix import ids, rules, schemas, values
from port2port.stix.extension import EXTENSION_ID, property_schema
from port2port.stix.limits import MAX_PROBLEMS
from port2port.stix.must import Must
from port2port.stix.normal import is_normal
from port2port.stix.problem import Problem, problem
from port2port.stix.reading import Bundle, Item, Object, extension_of, read_object, unread
from port2port.stix.types import SCO_TYPES, STANDARD_TYPES

Problems = tuple[Problem, ...]
MAX_TYPE_CHARS = 250
"""Section 3.1."""
_NO_TYPE = problem("3.2-type", "type", "An object says its type, in 3 to 250 characters.")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What objects of one type are held against."""

    schema: str
    is_valid: Callable[[Any], bool]
    """The schema, and every rule that is told by one."""
    musts: tuple[Must, ...]
    told_by_function: tuple[Must, ...]


def check(found: Object) -> Problems:
    """What is wrong with an object that JSON's reader accepted; empty: nothing. Never raises."""
    kind = found.get("type")
    if not isinstance(kind, str) or not 3 <= len(kind) <= MAX_TYPE_CHARS:
        return (_NO_TYPE,)
    is_ours = kind in ids.OURS and extension_of(found, EXTENSION_ID) is not None
    plan = _plan(kind) if kind in STANDARD_TYPES or is_ours else _plan_of_stranger(found)
    problems: list[Problem] = []
    asked = plan.told_by_function
    if not plan.is_valid(found):
        shape = schemas.broken(plan.schema, found)
        problems = [] if shape and schemas.is_large(found) else values.faults(found)
        if shape:
            return tuple([*problems, *shape][:MAX_PROBLEMS])
        asked = plan.musts
    for must in asked:
        if (must.path in found or not must.path) and not must.holds(found):
            problems.append(problem(must.rule, must.path, must.sentence))
    if "extensions" in found and EXTENSION_ID in found["extensions"]:
        problems += _extension_faults(kind, found)
    return tuple(problems[:MAX_PROBLEMS])


def check_bytes(body: bytes) -> Problems:
    """The same of one object's bytes; what cannot be read is a problem too."""
    try:
        return check(read_object(body))
    except DecodeError as error:
        return (unread(error),)


def check_item(item: Item) -> Problems:
    """The same of an object of a bundle."""
    if item.content is None:
        assert item.problem is not None, "an item without content says why"
        return (item.problem,)
    return check(item.content)


def check_bundle(bundle: Bundle) -> list[Problems]:
    """One answer for each object, in the bundle's order."""
    return [check_item(item) for item in bundle.items]


@cache
def _plan(kind: str) -> _Plan:
    return _made(kind, kind, kind in SCO_TYPES or kind in ids.OURS)


def _plan_of_stranger(found: Object) -> _Plan:
    """A type that is neither the standard's nor ours, though its name may be: the extension says whose it is.

    Without `created` and `modified` it is a cyber-observable.
    """
    return _strangers("created" not in found and "modified" not in found)


@cache
def _strangers(is_sco: bool) -> _Plan:
    return _made("", "cyber-observable-core" if is_sco else "core", is_sco)


def _made(kind: str, schema: str, is_sco: bool) -> _Plan:
    musts = rules.of_type(kind, is_sco)
    told = schemas.validator_with(schema, [values.SCHEMA, *(must.schema for must in musts if must.schema is not None)])
    return _Plan(schema, told.is_valid, musts, tuple(must for must in musts if must.schema is None))


def _extension_faults(kind: str, found: Object) -> list[Problem]:
    """Our own extension: its schema for this type, and ids that follow from values in their usual spelling."""
    schema = property_schema(kind)
    path = f"extensions.{EXTENSION_ID}"
    if schema is not None:
        return schemas.broken(schema, found["extensions"][EXTENSION_ID], path)
    if kind not in ids.OURS:
        return [problem("port2port-place", path, "Our extension says nothing of objects of this type.")]
    return _own_faults(found)


def _own_faults(found: Object) -> list[Problem]:
    faults = []
    if not is_normal(found):
        faults.append(problem("port2port-normal", "", "An identifying value is not in its usual spelling."))
    named = ids.derived_id(found)
    if named is not None and found["id"] != named:
        faults.append(problem("port2port-id", "id", "The id does not follow from the identifying properties."))
    return faults
