"""A small network of real node processes with traffic, for journeys in a real browser."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from port2port.core.party import AuthorityRole
from port2port.demo.network import BELGIUM, DemoGroup, DemoNetwork, load_network
from port2port.demo.prepare import prepare
from port2port.demo.processes import NodeProcess, start_all, stop_all
from port2port.demo.traffic import Traffic

KEYS = ("ostend", "antwerp", "brussels")
DRIFT_MINUTES = 0.25
ADRIFT_SINCE_S = 75


def small_network() -> DemoNetwork:
    """Three of the eleven: who shares, who receives, who must not."""
    whole = load_network(BELGIUM)
    nodes = tuple(
        type(each)(**{**{field: getattr(each, field) for field in each.__struct_fields__}, "roles": _roles(each.key)})
        for each in whole.nodes
        if each.key in KEYS
    )
    groups = (DemoGroup(id="coast", name="Coast ports", owner="ostend", members=("ostend", "antwerp")),)
    values = {field: getattr(whole, field) for field in whole.__struct_fields__}
    ports = {"first_web_port": 8601, "first_peer_port": 8631, "first_ais_port": 8661, "opens_at": "ostend"}
    return DemoNetwork(**{**values, **ports, "nodes": nodes, "groups": groups})


def _roles(key: str) -> tuple[AuthorityRole, ...]:
    return (AuthorityRole.INVITES,) if key == "ostend" else ()


def impatient(folder: Path) -> Path:
    """The network's drawing, with a drift rule that needs a quarter of a minute."""
    data = folder / "belgium"
    shutil.copytree(BELGIUM, data)
    path = data / "zones" / "ostend.geojson"
    zones = json.loads(path.read_text())
    for feature in zones["features"]:
        for rule in feature["properties"]["rules"]:
            if rule["rule"] == "drift":
                rule["minutes"] = DRIFT_MINUTES
    path.write_text(json.dumps(zones))
    return data


@contextmanager
def running(folder: Path) -> Iterator[dict[str, NodeProcess]]:
    """The network on a thread of its own, as long as the block lasts. Every node must end with 0."""
    prepared = prepare(impatient(folder), small_network(), folder / "nodes")
    nodes = {each.node.key: NodeProcess(each.node.key, each.folder) for each in prepared.nodes}
    up, over, codes, problems = threading.Event(), threading.Event(), {}, []

    async def live() -> None:
        try:
            await start_all(list(nodes.values()))
            async with Traffic(prepared, scene_s=5.0, elapsed_s=ADRIFT_SINCE_S).running():
                up.set()
                await asyncio.to_thread(over.wait)
        except BaseException as error:
            problems.append(error)
            raise
        finally:
            codes.update(await stop_all(list(nodes.values())))
            up.set()

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    up.wait(90)
    try:
        assert not problems, problems
        yield nodes
    finally:
        over.set()
        thread.join(60)
    assert set(codes.values()) == {0}, codes
