"""What a node costs: start-up and memory, alone and as eleven in the demonstration network."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from statistics import median

from port2port.bench.figures import Figure, limit_figure
from port2port.demo.prepare import prepare
from port2port.demo.processes import NodeProcess, start_all, stop_all

SETTLE_S = 5.0
"""Memory is read after the node has been idle for this long."""


def measure(long: bool = False) -> dict[str, Figure]:
    """Start-up time and resident memory of real node processes."""
    with tempfile.TemporaryDirectory() as folder:
        alone_s, idle_mb = asyncio.run(_alone(Path(folder), rounds=5 if long else 3))
    with tempfile.TemporaryDirectory() as folder:
        eleven_s, largest_mb = asyncio.run(_eleven(Path(folder)))
    return {
        "node_ready_alone_s": limit_figure(alone_s, "s", 5.0, note="from starting the process, new data folder each"),
        "node_idle_mb": limit_figure(idle_mb, "MB", 150.0, note="resident, after being idle for 5 s"),
        "eleven_nodes_up_s": limit_figure(eleven_s, "s", 40.0, note="second start of the network, three at once"),
        "node_demonstration_mb": limit_figure(largest_mb, "MB", 200.0, note="the largest of the eleven, with traffic"),
    }


async def _alone(folder: Path, rounds: int) -> tuple[float, float]:
    times, memory = [], []
    for number in range(rounds):
        own = folder / str(number)
        own.mkdir()
        (own / "port2port.toml").write_text('[web]\nport = 0\n[sharing]\nlisten = "127.0.0.1:0"\n')
        node = NodeProcess("alone", own)
        times.append(await start_all([node]))
        await asyncio.sleep(SETTLE_S)
        memory.append(node.resident_mb())
        await stop_all([node])
    return median(times), max(memory)


async def _eleven(folder: Path) -> tuple[float, float]:
    from port2port.demo.network import BELGIUM, load_network
    from port2port.demo.traffic import Traffic

    prepared = prepare(BELGIUM, load_network(BELGIUM), folder)
    nodes = [NodeProcess(each.node.key, each.folder) for each in prepared.nodes]
    took_s = await start_all(nodes)
    try:
        async with Traffic(prepared).running():
            await asyncio.sleep(30.0)
            return took_s, max(node.resident_mb() for node in nodes)
    finally:
        await stop_all(nodes)
