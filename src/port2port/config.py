"""A node's settings: typed sections, one TOML file, the environment on top.

`port2port.toml` in the node's folder has a section per capability. `PORT2PORT_VESSELS__ZONES_FILE=x`
overrides `zones_file` in `[vessels]`; such values are read as TOML, else as text. A wrong key is an error
that names the nearest right one: a setting that silently does nothing is worse than none.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from port2port.core.errors import BadInput
from port2port.core.party import AuthorityRole, Compartment

FILE_NAME = "port2port.toml"
ENVIRONMENT_PREFIX = "PORT2PORT_"
MAX_FILE_BYTES = 1024 * 1024

S = TypeVar("S")
Sections = Mapping[str, type]


@dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """Who we are, and where things are kept."""

    name: Annotated[str, msgspec.Meta(description="The organisation's full name.")] = "My port"
    short_name: Annotated[str, msgspec.Meta(description="For a queue row or a map, at most 12 characters.")] = "My port"
    compartment: Annotated[Compartment, msgspec.Meta(description="A: security side. B: police side.")] = Compartment.A
    locode: Annotated[str, msgspec.Meta(description="UN/LOCODE, e.g. BEOST; empty where there is none.")] = ""
    roles: Annotated[
        tuple[AuthorityRole, ...],
        msgspec.Meta(description="What we may decide for others: invites, sets-levels."),
    ] = ()
    store: Annotated[
        str, msgspec.Meta(description="Database address. Empty: node.db (SQLite) in the node's folder.")
    ] = ""
    demonstration: Annotated[
        bool, msgspec.Meta(description="Invented data: every screen says so, and sign-in is one click.")
    ] = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """One setting, explained."""

    key: str
    kind: str
    description: str
    default: Any
    value: Any
    origin: str
    """`default`, the file's path, or the environment variable."""


@dataclass(frozen=True)
class Settings:
    """All sections, decoded, and where each value came from."""

    sections: Mapping[str, Any]
    origins: Mapping[str, str] = field(default_factory=dict)

    def section(self, name: str, kind: type[S]) -> S:
        found = self.sections[name]
        assert isinstance(found, kind)
        return found

    def explain(self, key: str) -> Explanation:
        """One setting by its key, e.g. `vessels.zones_file`. Raises `BadInput` with the nearest right key."""
        section_name, _, name = key.partition(".")
        section = self.sections.get(section_name)
        known = list(self.all_keys())
        if section is None or key not in known:
            raise BadInput(f"There is no setting {key!r}.", hint=_nearest(key, known))
        hint = get_type_hints(type(section), include_extras=True)[name]
        return Explanation(
            key=key,
            kind=_type_name(hint),
            description=_description(hint),
            default=_default(type(section), name),
            value=getattr(section, name),
            origin=self.origins.get(key, "default"),
        )

    def all_keys(self) -> Iterator[str]:
        for name, section in self.sections.items():
            for each in fields(section):
                yield f"{name}.{each.name}"


def load(folder: Path, sections: Sections, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `port2port.toml` in `folder` (absent: all defaults) and the environment.

    Raises `BadInput` naming file, key and what was expected.
    """
    path = folder / FILE_NAME
    raw = _read(path)
    origins = {f"{name}.{key}": str(path) for name, table in raw.items() for key in _table(path, name, table)}
    for variable, section, key, value in _from_environment(environment):
        raw.setdefault(section, {})[key] = value
        origins[f"{section}.{key}"] = variable
    for name in raw:
        if name not in sections:
            raise BadInput(f"{path}: there is no section [{name}].", hint=_nearest(name, list(sections)))
    decoded: dict[str, Any] = {name: _decode(name, kind, raw.get(name, {}), path) for name, kind in sections.items()}
    return Settings(decoded, origins)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadInput(f"{path} is larger than {MAX_FILE_BYTES} bytes.", hint="Is it really a settings file?")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}.", hint="Mend that line and start again.") from error


def _table(path: Path, name: str, table: Any) -> Mapping[str, Any]:
    if not isinstance(table, dict):
        raise BadInput(f"{path}: {name!r} stands outside any section.", hint="Put it under a [section] line.")
    return table


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str, Any]]:
    for variable, text in sorted(environment.items()):
        section, separator, key = variable.removeprefix(ENVIRONMENT_PREFIX).partition("__")
        if variable.startswith(ENVIRONMENT_PREFIX) and separator:
            yield variable, section.lower(), key.lower(), _value(text)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _decode(name: str, kind: type[S], table: Mapping[str, Any], path: Path) -> S:
    _refuse_unknown(name, kind, table, path)
    try:
        return msgspec.convert(table, type=kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{path}: in [{name}]: {error}.", hint="See: port2port config explain " + name) from error


def _refuse_unknown(where: str, kind: type, table: Mapping[str, Any], path: Path) -> None:
    hints = get_type_hints(kind, include_extras=False)
    for key, value in table.items():
        if key not in hints:
            nearest = _nearest(f"{where}.{key}", [f"{where}.{known}" for known in hints])
            raise BadInput(f"{path}: there is no setting {where}.{key}.", hint=nearest)
        inner = next((each for each in (hints[key], *get_args(hints[key])) if is_dataclass(each)), None)
        if isinstance(inner, type):
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    _refuse_unknown(f"{where}.{key}", inner, item, path)


def _nearest(wrong: str, known: list[str]) -> str:
    close = difflib.get_close_matches(wrong, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else "Known: " + ", ".join(sorted(known)[:40])


def _description(hint: Any) -> str:
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((each.description for each in metas if isinstance(each, msgspec.Meta) and each.description), "")


def _type_name(hint: Any) -> str:
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return getattr(bare, "__name__", None) if isinstance(bare, type) and not get_args(bare) else str(bare)  # type: ignore[return-value]


def _default(kind: type, name: str) -> Any:
    declared = next(each for each in fields(kind) if each.name == name)
    if declared.default is not MISSING:
        return declared.default
    return declared.default_factory() if declared.default_factory is not MISSING else None
