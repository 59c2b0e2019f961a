"""JSON Schemas: those of OASIS for STIX 2.1 as published, ours for the extension, and what we read differently."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any

import jsonschema_rs

from port2port.stix.limits import MAX_DESCRIBED_VALUES, MAX_PROBLEMS
from port2port.stix.problem import Problem, problem

Schema = dict[str, Any]
Validator = jsonschema_rs.Draft202012Validator
FOLDER = resources.files("port2port.stix") / "schemas"
NEUTRAL = "the value"
"""Stands for values in sentences."""


def _all(part: str) -> Iterator[tuple[str, Schema]]:
    """(name of the type, schema) of every file below `part`."""
    waiting = [FOLDER / part]
    while waiting:
        for entry in waiting.pop().iterdir():
            if entry.is_dir():
                waiting.append(entry)
            elif entry.name.endswith(".json"):
                yield entry.name.removesuffix(".json"), json.loads(entry.read_text("utf-8"))


def _amended(name: str, schema: Schema) -> Schema:
    """What OASIS's schemas say against the standard's own text. Each line has its reason in docs/reference/stix.md."""
    if name == "granular-marking":
        return schema | {"required": ["selectors"]}
    return schema


@cache
def oasis() -> Mapping[str, Schema]:
    """Name of the type or part -> schema."""
    return {name: _amended(name, schema) for name, schema in _all("oasis")}


@cache
def ours() -> Mapping[str, Schema]:
    """Name of the type or extension -> schema."""
    return dict(_all("port2port"))


@cache
def _registry() -> jsonschema_rs.Registry:
    every = [*oasis().values(), *ours().values()]
    return jsonschema_rs.Registry([(schema["$id"], schema) for schema in every])


@cache
def validator(name: str) -> Validator:
    """For a type or part that exists in `ours()` or `oasis()`."""
    return _validator(ours().get(name) or oasis()[name])


def validator_with(name: str, more: Sequence[Schema]) -> Validator:
    """The same and further schemas, told in one go."""
    return _validator({"allOf": [ours().get(name) or oasis()[name], *more]})


def compiled(schema: Schema) -> Validator:
    """A schema that stands alone, compiled once."""
    return _compiled(json.dumps(schema))


@cache
def _compiled(text: str) -> Validator:
    return _validator(json.loads(text))


def _validator(schema: Schema) -> Validator:
    """Patterns run in linear time, nothing is fetched, and no value stands in a message."""
    return Validator(
        schema,
        registry=_registry(),
        validate_formats=True,
        mask=NEUTRAL,
        pattern_options=jsonschema_rs.RegexOptions(),
        offline=True,
    )


def is_known(name: str) -> bool:
    return name in ours() or name in oasis()


def broken(name: str, found: Mapping[str, Any], inside: str = "") -> list[Problem]:
    """What the schema `name` says against `found`, which stands at the path `inside`.

    All of it for an object of usual size. Of a large one the first only: a stranger's list of 100,000 wrong members
    would cost seconds to describe.
    """
    judge = validator(name)
    if judge.is_valid(found):
        return []
    errors = [_first(judge, found)] if is_large(found) else islice(judge.iter_errors(found), MAX_PROBLEMS)
    told = (problem("schema", _path(inside, error.instance_path), error.message) for error in errors)
    return list(dict.fromkeys(told))


def _first(judge: Validator, found: Mapping[str, Any]) -> jsonschema_rs.ValidationError:
    try:
        judge.validate(found)
    except jsonschema_rs.ValidationError as error:
        return error
    raise AssertionError("what is not valid has an error")


def is_large(found: Mapping[str, Any]) -> bool:
    """Whether more than `MAX_DESCRIBED_VALUES` lists, dictionaries and values are inside."""
    level: list[Any] = [found]
    seen = 0
    while level and seen <= MAX_DESCRIBED_VALUES:
        seen += sum(len(each) for each in level)
        inner = (member for each in level for member in (each.values() if isinstance(each, dict) else each))
        level = [member for member in islice(inner, MAX_DESCRIBED_VALUES) if isinstance(member, dict | list)]
    return seen > MAX_DESCRIBED_VALUES


def _path(inside: str, steps: list[str | int]) -> str:
    parts = [inside] if inside else []
    return ".".join(parts + [f"[{step}]" if isinstance(step, int) else step for step in steps])
