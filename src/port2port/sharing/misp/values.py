"""Properties of a STIX object as texts of MISP attributes, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from port2port.sharing.misp.comments import moment, when
from port2port.sharing.misp.templates import Relation, Template


def texts(relation: Relation, found: Mapping[str, Any]) -> Iterator[str]:
    """The values of one relation in a STIX object, as MISP writes them."""
    value: Any = found
    for step in relation.path:
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        return
    written = (_text(relation, each) for each in (value if relation.many else [value]))
    yield from (each for each in written if each)  # MISP has no empty values


def _text(relation: Relation, value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float) and relation.scale != 1.0:
        return repr(value / relation.scale)
    return trimmed(value) if isinstance(value, str) else repr(value)


def trimmed(text: str) -> str:
    """As MISP keeps a value: without blanks and NUL characters around it."""
    return text.strip().strip("\0").strip()


def put(relation: Relation, text: str, into: dict[str, Any]) -> None:
    """Set the property that a relation stands for. Raises `ValueError` when the text is no such value."""
    value = _value(relation, text)
    for step in relation.path[:-1]:
        into = into.setdefault(step, {})
    if relation.many:
        into.setdefault(relation.path[-1], []).append(value)
    else:
        into[relation.path[-1]] = value


def _value(relation: Relation, text: str) -> Any:
    if relation.type == "boolean":
        if text.lower() not in ("0", "1", "true", "false"):
            raise ValueError(text)
        return text.lower() in ("1", "true")
    if relation.type == "datetime":
        return moment(when(text))
    if relation.number is None:
        return text
    value = relation.number(text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value if relation.scale == 1.0 else round(value * relation.scale, 6)


def path_text(relation: Relation) -> str:
    """The path as a pattern writes it: `hashes.'SHA-256'`."""
    return ".".join(step if step.replace("_", "").isalnum() else f"'{step}'" for step in relation.path)


def relation_at(template: Template, path: str) -> Relation | None:
    """The relation that stands for a path of a pattern, if an indicator may name it."""
    found = (each for each in template.relations if each.contributes and path_text(each) == path)
    return next(found, None)
