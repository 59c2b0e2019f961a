"""Plays U7a as Ostend's operator would: sees the drifting tanker, acts, shares. The same requests as a browser's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from port2port.demo.client import NodeClient, until

DRIFT_RULE = "vessels.rule.drift"
GROUP = "coast"
ALERT_TIMEOUT_S = 240.0


@dataclass
class Played:
    """What happened, and how long it took."""

    alert: dict[str, Any] = field(default_factory=dict)
    incident: dict[str, Any] = field(default_factory=dict)
    recipients: list[dict[str, Any]] = field(default_factory=list)
    shared_at: float = 0.0
    """Monotonic clock, just before the share was posted."""
    delivered_ms: dict[str, float] = field(default_factory=dict)
    """Key of the node -> from sharing until it stood in that node's queue."""


async def queue(client: NodeClient) -> list[dict[str, Any]]:
    """The alerts in a node's queue."""
    return list((await client.get("/api/picture/alerts"))["alerts"])


async def drift_alerts(client: NodeClient) -> list[dict[str, Any]]:
    """Alerts about something adrift."""
    return [each for each in await queue(client) if each["rule_key"] == DRIFT_RULE]


async def drifting(ostend: NodeClient, seen: set[str]) -> dict[str, Any]:
    """Wait until Ostend's queue holds the alert about the tanker."""

    async def look() -> dict[str, Any] | None:
        return next((each for each in await drift_alerts(ostend) if each["id"] not in seen), None)

    return await until("the drift alert at Ostend", look, ALERT_TIMEOUT_S, every_s=0.25)


async def act(ostend: NodeClient, alert: dict[str, Any], note: str = "") -> Played:
    """Make an incident of the alert, and share it TLP:AMBER with the coast ports and the police."""
    played = Played(alert=alert)
    played.incident = await ostend.post("/api/incidents", {"from_alert": alert["id"]})
    path = f"/api/incidents/{played.incident['id']}"
    if note:
        await ostend.post(f"{path}/notes", {"text": note, "goes_along": True})
    played.recipients = (await ostend.get(f"{path}/recipients?group={GROUP}&tlp=TLP:AMBER"))["recipients"]
    played.shared_at = time.monotonic()
    await ostend.post(f"{path}/share", {"audience": {"group": GROUP}, "tlp": "TLP:AMBER"})
    return played


async def shared_alert(client: NodeClient) -> dict[str, Any] | None:
    """The alert about an incident that another port shared, if it stands in this node's queue."""
    alerts = await queue(client)
    return next((each for each in alerts if each["subject"].startswith("incident:") and each["owner"]), None)
