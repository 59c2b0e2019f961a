"""The operator at Ostend, played for those who watch: at the pace of a person, and only if nobody else acts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from port2port.core.errors import Port2PortError
from port2port.demo import scene_player
from port2port.demo.client import NodeClient
from port2port.demo.processes import NodeProcess

THINKS_S = 8.0
"""So long a person at the screen has to act first."""

STILL_OPEN = (
    "Ostend's alert of the last run is still open: going adrift again within five minutes is the same alert. "
    "For a new one wait a little between runs, or start with: port2port demo --reset"
)

log = logging.getLogger("port2port.demo")


async def play_for_show(nodes: Sequence[NodeProcess], say: Callable[[str], None]) -> None:
    """Wait for the drifting tanker, then do what Ostend's operator would, unless it was done already."""
    ostend = next(each for each in nodes if each.key == "ostend")
    try:
        async with NodeClient(ostend.web) as client:
            await client.sign_in("operator")
            earlier = await scene_player.drift_alerts(client)
            known = {each["id"] for each in earlier}
            if any(each["ended_at"] is None for each in earlier):
                say(STILL_OPEN)
            alert = await scene_player.drifting(client, known)
            say(f"Ostend: {alert['subject_name']} is adrift at the drop-off place. See {ostend.web}/map")
            await asyncio.sleep(THINKS_S)
            alerts = (await client.get("/api/picture/alerts"))["alerts"]
            if any(each["id"] == alert["id"] and each["state"] == "open" for each in alerts):
                played = await scene_player.act(client, alert)
                named = [each["name"] for each in played.recipients if each["receives"]]
                say(f"Ostend's operator shared it with: {', '.join(named)}. It now stands in their queues.")
    except Port2PortError as error:
        log.warning("the scene could not be played: %s", error)
        say(f"The scene could not be played: {error}")
