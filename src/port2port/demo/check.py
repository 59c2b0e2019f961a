"""`demo --check`: runs the network without a screen, plays the scene, and verifies what must be true at every node.

It fails on correctness, never on a time: times are figures.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from port2port.core.errors import Port2PortError
from port2port.demo import scene_player
from port2port.demo.client import NodeClient, until
from port2port.demo.prepare import Prepared
from port2port.demo.processes import NodeProcess, start_all, stop_all
from port2port.demo.scene_player import GROUP, Played
from port2port.demo.traffic import Traffic

SCENE_S, ELAPSED_S = 5.0, 75
"""The tanker's engine has stopped and it has lost its way when traffic begins: nobody waits for that."""
CONNECTED_TIMEOUT_S = 60.0
TRAFFIC_TIMEOUT_S = 60.0
ARRIVAL_TIMEOUT_S = 300.0
RECEIPTS_TIMEOUT_S = 30.0
SETTLE_S = 3.0
"""After the last entitled node has it, the others get this long to receive what they must not."""

DANISH_MMSI = ("219", "220")
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What was found true, what was not, and the figures."""

    held: int = 0
    failures: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.failures and self.held > 0

    def must(self, claim: str, holds: bool) -> None:
        if holds:
            self.held += 1
        else:
            self.failures.append(claim)

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "held": self.held, "failures": self.failures, "figures": self.figures}


async def check(prepared: Prepared, recording: Path | None, say: Say) -> Outcome:
    """Run the whole check in `prepared`'s folder, which must be fresh."""
    outcome = Outcome()
    try:
        await _Check(prepared, recording, say, outcome).run()
    except Port2PortError as error:
        outcome.must(str(error), False)
    return outcome


class _Check:
    """One run: the network's processes, a signed-in operator at each, and what is found."""

    def __init__(self, prepared: Prepared, recording: Path | None, say: Say, outcome: Outcome) -> None:
        self.prepared, self.recording, self.say, self.outcome = prepared, recording, say, outcome
        self.must, self.figures = outcome.must, outcome.figures
        self.nodes = [NodeProcess(each.node.key, each.folder) for each in prepared.nodes]
        self.clients: dict[str, NodeClient] = {}
        self.canary, self.erased = f"canary{secrets.token_hex(8)}", f"canary{secrets.token_hex(8)}"
        group = next(each for each in prepared.network.groups if each.id == GROUP)
        self.origin = group.owner
        self.entitled = [key for key in group.members if key != group.owner]
        self.played = Played()

    async def run(self) -> None:
        try:
            self.say(f"Starting {len(self.nodes)} nodes …")
            self.figures["nodes_up_s"] = round(await start_all(self.nodes), 1)
            self.figures["slowest_node_ready_s"] = max(each.announced["ready_s"] for each in self.nodes)
            traffic = Traffic(self.prepared, recording=self.recording, scene_s=SCENE_S, elapsed_s=ELAPSED_S)
            async with traffic.running(), AsyncExitStack() as stack:
                for each in self.nodes:
                    self.clients[each.key] = await _signed_in(stack, each)
                await self._while_it_runs(traffic)
            self.say("Stopping …")
            codes = await stop_all(self.nodes)
            self.must(f"every node ends with 0: {codes}", set(codes.values()) == {0})
            self._files_hold_only_what_they_may()
            await self._second_start_has_it_all()
        finally:
            await stop_all(self.nodes)

    async def _while_it_runs(self, traffic: Traffic) -> None:
        await self._everybody_is_connected()
        await self._traffic_is_seen()
        await self._scene()
        await self._others_have_nothing()
        await self._take_back()
        await self._recording_is_seen(traffic)
        self._note_figures(traffic)

    async def _everybody_is_connected(self) -> None:
        self.say("Waiting until every node is connected to every other …")
        began, others = time.monotonic(), len(self.nodes) - 1
        for key, client in self.clients.items():
            await until(f"{key} connected to all {others}", lambda c=client: connected(c, others), CONNECTED_TIMEOUT_S)  # type: ignore[misc]
            self.must(f"{key} is connected to all {others} others", True)
        self.figures["all_connected_s"] = round(time.monotonic() - began, 1)

    async def _traffic_is_seen(self) -> None:
        self.say("Waiting until vessels are seen …")
        for each in self.prepared.nodes:
            key, client = each.node.key, self.clients[each.node.key]
            if each.node.hears:
                seen = await until(f"vessels at {key}", lambda c=client: vessels(c), TRAFFIC_TIMEOUT_S)  # type: ignore[misc]
                self.must(f"{key} sees vessels", bool(seen))
            else:
                self.must(f"{key} has no receiver and sees none", not await vessels(client))

        async def barge() -> Any:
            return next((each for each in await vessels(self.clients["antwerp"]) if each.get("eni")), None)

        self.must("a barge is known by its ENI", bool(await until("a barge's ENI", barge, TRAFFIC_TIMEOUT_S)))

    async def _scene(self) -> None:
        self.say("Waiting for the tanker to go adrift off Ostend …")
        began, origin = time.monotonic(), self.clients[self.origin]
        alert = await scene_player.drifting(origin, set())
        self.figures["waited_for_alert_s"] = round(time.monotonic() - began, 1)
        self.say(f"Alert: {alert['subject_name']}. Ostend shares it …")
        watching = {key: asyncio.ensure_future(_arrival(self.clients[key])) for key in self.entitled}
        self.played = await scene_player.act(origin, alert, note=self.canary)
        for key, arrived in watching.items():
            self.played.delivered_ms[key] = round((await arrived - self.played.shared_at) * 1000, 1)
            incidents = await shared_incidents(self.clients[key])
            self.must(f"{key} has exactly one shared incident", len(incidents) == 1)
            self.must(f"{key} sees TLP:AMBER", all(each["handling"]["tlp"] == "TLP:AMBER" for each in incidents))
        await self._one_alert(origin)
        self._recipients_were_right()

    async def _one_alert(self, origin: NodeClient) -> None:
        drifting = await scene_player.drift_alerts(origin)
        self.must("the drift is one alert at Ostend", len(drifting) == 1)
        acknowledged = all(each["state"] != "open" for each in drifting)
        self.must("making an incident of it acknowledged the alert", acknowledged)

    def _recipients_were_right(self) -> None:
        promised = {each["name"] for each in self.played.recipients if each["receives"]}
        due = {self.prepared.at(key).node.name for key in self.entitled}
        self.must(f"the sender saw by name who receives it: {sorted(promised)}", promised == due)
        others = [each for each in self.played.recipients if not each["receives"]]
        self.must("each of the others stands there with a reason", all(each["why"] for each in others))

    async def _others_have_nothing(self) -> None:
        self.say("Making sure that nobody else has it …")
        await asyncio.sleep(SETTLE_S)
        for key, client in self.clients.items():
            if key != self.origin and key not in self.entitled:
                self.must(f"{key} has no shared incident", not await shared_incidents(client))
                self.must(f"{key} has no alert about it", await scene_player.shared_alert(client) is None)

    async def _take_back(self) -> None:
        """A report shared in error is erased: every holder confirms, and later no file of anybody holds it."""
        self.say("Ostend shares a report in error, and erases it …")
        async with NodeClient(self.nodes[[each.key for each in self.nodes].index(self.origin)].web) as officer:
            await officer.sign_in("security-officer")
            report = {"kind": "other", "title": "In error", "place": "Quay 1", "description": self.erased}
            made = await officer.post("/api/incidents", report)
            await officer.post(f"/api/incidents/{made['id']}/share", {"audience": {"group": GROUP}, "tlp": "TLP:AMBER"})
            for key in self.entitled:
                await until(f"the report at {key}", lambda k=key: self._has_two(k), ARRIVAL_TIMEOUT_S)  # type: ignore[misc]
            began = time.monotonic()
            await officer.post(f"/api/sharing/{made['id']}/take-back", {"op": "erase", "reason": "legal-obligation"})
            confirmed = await until("all receipts", lambda: _confirmed(officer), RECEIPTS_TIMEOUT_S, every_s=0.1)
        self.figures["erased_everywhere_s"] = round(time.monotonic() - began, 2)
        self.must("every holder has confirmed the erasure", confirmed == len(self.entitled))
        for key in self.entitled:
            self.must(f"{key} holds it no more", len(await shared_incidents(self.clients[key])) == 1)

    async def _has_two(self, key: str) -> bool:
        return len(await shared_incidents(self.clients[key])) == 2

    async def _recording_is_seen(self, traffic: Traffic) -> None:
        if self.recording is None:
            return
        self.say("Looking for vessels of the recording …")

        async def recorded() -> Any:
            found = await vessels(self.clients["antwerp"])
            return [each for each in found if str(each.get("mmsi", "")).startswith(DANISH_MMSI)]

        self.must("vessels of the recording are seen", bool(await until("them", recorded, TRAFFIC_TIMEOUT_S)))
        self.figures["recording_messages_sent"] = traffic.recorded_sent

    def _note_figures(self, traffic: Traffic) -> None:
        self.figures["delivered_ms"] = self.played.delivered_ms
        self.figures["slowest_delivery_ms"] = max(self.played.delivered_ms.values())
        self.figures["ais_messages_sent"] = traffic.sent.messages
        self.figures["resident_mb"] = {each.key: round(each.resident_mb(), 1) for each in self.nodes}
        self.figures["largest_resident_mb"] = max(self.figures["resident_mb"].values())

    def _files_hold_only_what_they_may(self) -> None:
        """The raw files are searched: database, its log, free pages, program log."""
        for each in self.prepared.nodes:
            key = each.node.key
            found = any(self.canary.encode() in data for data in _bytes_of(each.folder.rglob("*")))
            may = key == self.origin or key in self.entitled
            self.must(f"{key}'s files {'hold' if may else 'do not hold'} the incident", found == may)
            erased = not any(self.erased.encode() in data for data in _bytes_of(each.folder.rglob("*")))
            self.must(f"{key}'s files do not hold what was erased", erased)

    async def _second_start_has_it_all(self) -> None:
        self.say("Starting two of them again …")
        again = [NodeProcess(key, self.prepared.at(key).folder) for key in (self.origin, self.entitled[0])]
        try:
            await start_all(again)
            async with AsyncExitStack() as stack:
                origin, other = [await _signed_in(stack, each) for each in again]
                mine = (await origin.get("/api/incidents"))["incidents"]
                kept = any(each["id"] == self.played.incident["id"] for each in mine)
                self.must("the origin still has its incident", kept)
                self.must("the other still has its copy, once", len(await shared_incidents(other)) == 1)
        finally:
            await stop_all(again)


async def connected(client: NodeClient, others: int) -> bool:
    """Whether a node is connected to that many others."""
    neighbours = (await client.get("/api/network"))["neighbours"]
    return len(neighbours) == others and all(each["state"] == "connected" for each in neighbours)


async def vessels(client: NodeClient) -> list[dict[str, Any]]:
    """What a node knows to be on the water."""
    return list((await client.get("/api/vessels?limit=1000"))["vessels"])


async def shared_incidents(client: NodeClient) -> list[dict[str, Any]]:
    """Incidents that came from others."""
    found = (await client.get("/api/incidents"))["incidents"]
    return [each for each in found if each["origin"] == "shared"]


async def _confirmed(client: NodeClient) -> int:
    """How many holders have confirmed the newest take-back; 0 while one has not."""
    recalls = (await client.get("/api/sharing/recalls"))["recalls"]
    if not recalls or recalls[0]["outstanding"]:
        return 0
    return len(recalls[0]["confirmed"])


async def _signed_in(stack: AsyncExitStack, node: NodeProcess) -> NodeClient:
    client = await stack.enter_async_context(NodeClient(node.web))
    await client.sign_in("operator")
    return client


async def _arrival(client: NodeClient) -> float:
    what = f"the shared incident at {client.base_url}"
    await until(what, lambda: scene_player.shared_alert(client), ARRIVAL_TIMEOUT_S, every_s=0.02)
    return time.monotonic()


def _bytes_of(paths: Iterable[Path]) -> Iterable[bytes]:
    return (path.read_bytes() for path in paths if path.is_file())
