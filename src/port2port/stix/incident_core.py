"""Incident Core 2.1 and its Event, Task and Impact, extensions of OASIS members for STIX 2.1. Written and read.

They are drafts whose lists of words still change: we write what the revision of February 2024 knows, and read whatever
has the right shape. An incident without them is as good to us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from port2port.core.errors import DecodeError
from port2port.stix.reading import Object, extension_of
from port2port.stix.version import Version, domain_object, present

CORE_ID = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"
EVENT_ID = "extension-definition--4ca6de00-5b0d-45ef-a1dc-ea7279ea910e"
TASK_ID = "extension-definition--2074a052-8be4-4932-849e-f5e7798e0030"
IMPACT_ID = "extension-definition--7cc33dd6-f6a1-489b-98ea-522d351d71b9"

Determination = Literal["blocked", "confirmed", "failed-attempt", "false-positive", "suspected"]
Investigation = Literal["new", "open", "closed"]
Recoverability = Literal["not-applicable", "regular", "supplemented", "extended", "not-recoverable"]
EventStatus = Literal["not-occurred", "occurred", "ongoing", "pending", "undetermined"]
TaskOutcome = Literal["cancelled", "failed", "ongoing", "pending", "successful", "unknown"]

_Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """What Incident Core says of an incident; properties that we do not know stay in the object."""

    determination: str
    investigation_status: str
    incident_types: tuple[str, ...] = ()
    detection_methods: tuple[str, ...] = ()
    criticality: _Percent | None = None
    recoverability: str | None = None
    event_refs: tuple[str, ...] = ()
    task_refs: tuple[str, ...] = ()
    impact_refs: tuple[str, ...] = ()
    impacted_entity_counts: dict[str, int] = {}


def core(
    determination: Determination,
    investigation_status: Investigation,
    *,
    incident_types: Sequence[str] = (),
    detection_methods: Sequence[str] = (),
    criticality: int | None = None,
    recoverability: Recoverability | None = None,
    event_refs: Sequence[str] = (),
    task_refs: Sequence[str] = (),
    impact_refs: Sequence[str] = (),
    impacted_entity_counts: Mapping[str, int] | None = None,
) -> Object:
    """Incident Core, to stand among an incident's `extensions`."""
    said = present(
        extension_type="property-extension",
        determination=determination,
        investigation_status=investigation_status,
        incident_types=list(incident_types),
        detection_methods=list(detection_methods),
        criticality=criticality,
        recoverability=recoverability,
        event_refs=list(event_refs),
        task_refs=list(task_refs),
        impact_refs=list(impact_refs),
        impacted_entity_counts=dict(impacted_entity_counts) if impacted_entity_counts else None,
    )
    return {CORE_ID: said}


def incident(
    version: Version, name: str, *extensions: Object, description: str | None = None, labels: Sequence[str] = ()
) -> Object:
    """An incident with extensions such as `core(...)` and `extension.properties(...)`."""
    together = {key: value for extension in extensions for key, value in extension.items()}
    return domain_object(
        "incident",
        version,
        name=name,
        description=description or None,
        labels=list(labels),
        extensions=together or None,
    )


def event(
    version: Version,
    status: EventStatus,
    *,
    name: str | None = None,
    description: str | None = None,
    event_types: Sequence[str] = (),
    goal: str | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    sighting_refs: Sequence[str] = (),
    next_event_refs: Sequence[str] = (),
) -> Object:
    """Something that happened in the course of an incident."""
    return domain_object(
        "event",
        version,
        status=status,
        name=name,
        description=description,
        event_types=list(event_types),
        goal=goal,
        start_time=start_time,
        end_time=end_time,
        sighting_refs=list(sighting_refs),
        next_event_refs=list(next_event_refs),
        extensions={EVENT_ID: {"extension_type": "new-sdo"}},
    )


def task(
    version: Version,
    outcome: TaskOutcome,
    *,
    name: str | None = None,
    description: str | None = None,
    task_types: Sequence[str] = (),
    priority: int | None = None,
    due_date: datetime | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    next_task_refs: Sequence[str] = (),
) -> Object:
    """Something that somebody does about an incident. `priority` 0 to 100."""
    return domain_object(
        "task",
        version,
        outcome=outcome,
        name=name,
        description=description,
        task_types=list(task_types),
        priority=priority,
        due_date=due_date,
        start_time=start_time,
        end_time=end_time,
        next_task_refs=list(next_task_refs),
        extensions={TASK_ID: {"extension_type": "new-sdo"}},
    )


def physical_impact(
    version: Version,
    impact_type: Literal["damaged-functional", "damaged-nonfunctional", "destruction", "none"],
    *,
    asset_type: str | None = None,
    criticality: int | None = None,
    recoverability: Recoverability | None = None,
    description: str | None = None,
    impacted_refs: Sequence[str] = (),
    impacted_entity_counts: Mapping[str, int] | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
) -> Object:
    """Damage to things: a fence, a seal, a camera. `asset_type` is asked unless there is none."""
    return domain_object(
        "impact",
        version,
        impact_category="physical",
        criticality=criticality,
        recoverability=recoverability,
        description=description,
        impacted_refs=list(impacted_refs),
        impacted_entity_counts=dict(impacted_entity_counts) if impacted_entity_counts else None,
        start_time=start_time,
        end_time=end_time,
        extensions={
            IMPACT_ID: {"extension_type": "new-sdo"},
            "physical-ext": present(impact_type=impact_type, asset_type=asset_type),
        },
    )


def read_core(found: Object) -> Core | None:
    """Incident Core of an incident; None when it has none. A wrong shape is a `DecodeError`."""
    said = extension_of(found, CORE_ID)
    if said is None:
        return None
    try:
        return msgspec.convert(said, Core)
    except msgspec.ValidationError as error:
        raise DecodeError("Incident Core cannot be read.", reason="bad-incident-core") from error
