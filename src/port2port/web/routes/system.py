"""How the node is doing: for who operates and who administers it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from litestar import Request, get
from litestar.response import Template

from port2port.core.party import Role
from port2port.web.access import allow
from port2port.web.pages import page
from port2port.web.state import Shared, shared

PACKAGES = ("port2port", "litestar", "granian", "sqlalchemy", "msgspec", "cryptography")
AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the page: names with values, or rows under column names."""

    name: str
    values: Sequence[tuple[str, Any]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()


@get("/system", guards=[allow(Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR)], sync_to_thread=True)
def system_page(request: AnyRequest) -> Template:
    at = shared(request)
    return page(
        "web/system.html",
        sections=sections(at.surface.health()),
        counters=at.surface.counters.all(),
        versions=_versions(),
        streams=len(at.hub),
    )


@get("/api/system", guards=[allow(Role.OPERATOR, Role.SECURITY_OFFICER, Role.ADMINISTRATOR)], sync_to_thread=True)
def system_api(request: AnyRequest) -> dict[str, Any]:
    """The same for programs."""
    at: Shared = shared(request)
    return {"health": dict(at.surface.health()), "counters": at.surface.counters.all(), "streams": len(at.hub)}


def sections(health: Mapping[str, object]) -> list[Section]:
    """Whatever the capabilities say of themselves, as tables."""
    plain = [(name, value) for name, value in health.items() if not _is_table(value)]
    found = [_section(name, value) for name, value in health.items() if _is_table(value)]
    return [*([Section("", plain)] if plain else []), *found]


def _section(name: str, value: Any) -> Section:
    if isinstance(value, Mapping):
        flat = [(str(key), each) for key, each in value.items()]
        return Section(name, flat)
    rows = [row for row in value if isinstance(row, Mapping)]
    columns = list(dict.fromkeys(str(key) for row in rows for key in row))
    return Section(name, columns=columns, rows=[[row.get(column, "") for column in columns] for row in rows])


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str))


def _versions() -> list[tuple[str, str]]:
    return [("Python", platform.python_version()), *((name, version(name)) for name in PACKAGES)]


HANDLERS = [system_page, system_api]
