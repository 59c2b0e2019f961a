"""The section `[incidents]` of a node's settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from port2port.incidents.limits import DEFAULT_RETENTION_MONTHS, MAX_RETENTION_MONTHS


@dataclass(frozen=True, kw_only=True)
class IncidentSettings:
    """What happened, who acts, and what does the reporter hear back?"""

    prefix: Annotated[
        str,
        Meta(
            max_length=12, description="Begins each reference number, e.g. OST. Empty: made from LOCODE or short name."
        ),
    ] = ""
    retention_months: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_RETENTION_MONTHS,
            description="Months that receivers may keep what we share, unless the person who shares chooses otherwise.",
        ),
    ] = DEFAULT_RETENTION_MONTHS
