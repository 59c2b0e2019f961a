"""A log that contradicts itself stands in the queue like everything else that a person must look at. Pure."""

from __future__ import annotations

from datetime import datetime

from port2port.core.alert import AlertRaised, Priority
from port2port.sharing.facts import AuditForked


def alert_for(forked: AuditForked, alert_id: str, now: datetime, witness_name: str = "") -> AlertRaised:
    """A person looks at this: somebody's record of what it did was rewritten, or a machine was restored."""
    return AlertRaised(
        at=now,
        alert_id=alert_id,
        capability="sharing",
        rule="sharing.rule.audit",
        priority=Priority.HIGH,
        subject=f"audit:{forked.node_id}",
        subject_name=forked.name,
        sentence="sharing.sentence.audit",
        values={"name": forked.name, "n": str(forked.size)},
        source=witness_name or forked.name,
    )
