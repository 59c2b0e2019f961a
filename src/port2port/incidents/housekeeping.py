"""Forgets, every hour, the copies whose retention date has passed. Until then they are only not shown."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from port2port.incidents.service import IncidentService

EVERY_S = 3600.0


async def keep_forgetting(service: IncidentService) -> NoReturn:
    """Runs as long as the node."""
    while True:
        forgotten = await asyncio.to_thread(service.forget_expired)
        service.site.counters.add("incidents.forgotten", forgotten)
        await asyncio.sleep(EVERY_S)
