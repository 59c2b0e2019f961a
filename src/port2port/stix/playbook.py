"""CACAO 2.0 playbooks inside a `course-of-action`, by the playbook extension that CACAO's tools write. Pure."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

from port2port.core.errors import BadInput, DecodeError
from port2port.stix.limits import MAX_PLAYBOOK_BYTES
from port2port.stix.reading import Object, extension_of
from port2port.stix.version import Version, domain_object, present

PLAYBOOK_ID = "extension-definition--1e1c1bd7-c527-4215-8e18-e199e74da57c"


@dataclass(frozen=True, slots=True)
class Playbook:
    """What the extension carries: the exact bytes, and the standard that they follow, in small letters."""

    id: str
    standard: str
    body: bytes


class _Cacao(msgspec.Struct, frozen=True):
    """What we read of a CACAO playbook (CACAO 2.0 section 3.1); the rest travels unread."""

    type: str
    id: str
    name: str
    created: str
    modified: str
    description: str | None = None
    created_by: str | None = None
    revoked: bool | None = None
    labels: tuple[str, ...] = ()
    valid_from: str | None = None
    valid_until: str | None = None
    playbook_types: tuple[str, ...] = ()
    impact: int | None = None
    severity: int | None = None
    priority: int | None = None


def course_of_action(version: Version, playbook: bytes, *, is_executable: bool = False) -> Object:
    """A response plan from a CACAO playbook's bytes, which travel as they are. Raises `BadInput`."""
    cacao = _read(playbook)
    said = present(
        extension_type="property-extension",
        playbook_id=cacao.id,
        created=cacao.created,
        modified=cacao.modified,
        playbook_creator=cacao.created_by,
        revoked=cacao.revoked,
        labels=list(cacao.labels),
        description=cacao.description,
        playbook_valid_from=cacao.valid_from,
        playbook_valid_until=cacao.valid_until,
        playbook_creation_time=cacao.created,
        playbook_impact=cacao.impact,
        playbook_severity=cacao.severity,
        playbook_priority=cacao.priority,
        playbook_type=list(cacao.playbook_types),
        playbook_standard="cacao",
        playbook_abstraction="executable" if is_executable else "template",
        playbook_base64=base64.b64encode(playbook).decode(),
    )
    return domain_object(
        "course-of-action",
        version,
        name=cacao.name,
        description=cacao.description,
        extensions={PLAYBOOK_ID: said},
    )


def _read(playbook: bytes) -> _Cacao:
    if len(playbook) > MAX_PLAYBOOK_BYTES:
        raise BadInput(f"A playbook has at most {MAX_PLAYBOOK_BYTES} bytes.")
    try:
        cacao = msgspec.json.decode(playbook, type=_Cacao)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("This is not a CACAO playbook.") from error
    if not cacao.type.startswith("playbook"):
        raise BadInput("This is not a CACAO playbook.")
    return cacao


def read_playbook(found: Object) -> Playbook | None:
    """The playbook of a course of action; None when it carries none. A bad one is a `DecodeError`.

    Older and newer forms of the extension call the body `playbook_bin` and the standard `playbook_format`.
    """
    said = extension_of(found, PLAYBOOK_ID)
    if said is None:
        return None
    body = said.get("playbook_base64", said.get("playbook_bin"))
    standard = said.get("playbook_standard", said.get("playbook_format", ""))
    named = said.get("playbook_id", "")
    if not (isinstance(body, str) and isinstance(standard, str) and isinstance(named, str)):
        raise DecodeError("A playbook has an id, a standard and a body.", reason="bad-playbook")
    return Playbook(named, standard.lower(), _bytes(body))


def _bytes(body: str) -> bytes:
    if len(body) > MAX_PLAYBOOK_BYTES * 4 // 3 + 4:
        raise DecodeError(f"A playbook has at most {MAX_PLAYBOOK_BYTES} bytes.", reason="too-large")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DecodeError("The playbook's body is not base64.", reason="bad-playbook") from error
