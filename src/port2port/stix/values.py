"""What holds of every value anywhere in an object (STIX 2.1 section 2): integers, lists, nothing null, not too deep.

`SCHEMA` is told together with a type's own schema and is satisfied by nearly everything that is right; when it is not,
`faults` looks closely. It is unrolled to the deepest level that we read, so that depth costs nobody a stack.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from port2port.stix.limits import MAX_DEPTH, MAX_PROBLEMS
from port2port.stix.problem import Problem, problem

MAX_INTEGER = 2**53 - 1
"""Section 2.10: what JSON's readers agree on."""
_EMPTY = "A list has at least one member, or is absent."
_NULL = "Null is no value: a property that is not known is absent."
_LARGE = "An integer lies between -(2^53)+1 and (2^53)-1."
_DEEP = f"More than {MAX_DEPTH} lists and dictionaries inside each other."


def _level(depth: int) -> dict[str, Any]:
    """Large floats are stopped too, for a second look: JSON Schema takes 1e300 for an integer."""
    if depth == 0:
        return {"type": ["string", "number", "boolean"], "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER}
    deeper = {"$ref": f"#/$defs/{depth - 1}"}
    return {
        "type": ["string", "number", "boolean", "array", "object"],
        "minimum": -MAX_INTEGER,
        "maximum": MAX_INTEGER,
        "minItems": 1,
        "items": deeper,
        "additionalProperties": deeper,
    }


SCHEMA: dict[str, Any] = {
    "$id": "urn:port2port:stix:values",
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {str(depth): _level(depth) for depth in range(MAX_DEPTH + 1)},
    "$ref": f"#/$defs/{MAX_DEPTH}",
}


def faults(found: dict[str, Any]) -> list[Problem]:
    """The first such fault of each property, of at most `MAX_PROBLEMS`."""
    every = (_fault(name, value) for name, value in found.items())
    return list(islice((fault for fault in every if fault is not None), MAX_PROBLEMS))


def _fault(name: str, value: Any) -> Problem | None:
    """Breadth first, so that depth costs no stack."""
    level: list[tuple[str, Any]] = [(name, value)]
    for _ in range(MAX_DEPTH):
        deeper: list[tuple[str, Any]] = []
        for path, each in level:
            if isinstance(each, dict):
                deeper += ((f"{path}.{key}", member) for key, member in each.items())
            elif isinstance(each, list):
                if not each:
                    return problem("2.12-empty", path, _EMPTY)
                deeper += ((f"{path}.[{index}]", member) for index, member in enumerate(each))
            elif each is None:
                return problem("2-null", path, _NULL)
            elif isinstance(each, int) and not -MAX_INTEGER <= each <= MAX_INTEGER:
                return problem("2.10-range", path, _LARGE)
        if not deeper:
            return None
        level = deeper
    return problem("limit", name, _DEEP)
