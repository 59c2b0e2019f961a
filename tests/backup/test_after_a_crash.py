"""Two real nodes: one is backed up while it shares, killed, and goes on from the archive under another address."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from port2port.bench.delivery import NETWORK
from port2port.demo.client import NodeClient, until
from port2port.demo.network import BELGIUM
from port2port.demo.prepare import Ports, _free, prepare
from port2port.demo.processes import NodeProcess, start_all, stop_all

DEADLINE_S = 40.0
BEFORE, AFTER = 5, 5
"""Reports shared before and after the backup, besides those that are shared while it is made."""


async def _command(folder: Path, *words: object) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "port2port", "--data", str(folder), *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


@asynccontextmanager
async def _signed_in(node: NodeProcess) -> AsyncIterator[NodeClient]:
    async with NodeClient(node.web) as client:
        await client.sign_in("operator")
        yield client


class _Reporter:
    """Shares reports, and remembers them whatever happens to the node."""

    def __init__(self) -> None:
        self.shared: set[str] = set()

    async def share(self, client: NodeClient, count: int) -> None:
        for _ in range(count):
            report = {"kind": "other", "title": "Fence cut", "place": "Quay 1", "description": "Seen."}
            made = await client.post("/api/incidents", report)
            label = {"audience": {"group": "both"}, "tlp": "TLP:AMBER"}
            await client.post(f"/api/incidents/{made['id']}/share", label)
            self.shared.add(made["id"])

    async def share_until(self, client: NodeClient, done: asyncio.Event) -> int:
        before = len(self.shared)
        while not done.is_set():
            await self.share(client, 1)
        return len(self.shared) - before

    async def arrived(self, node: NodeProcess) -> Counter[str]:
        """How often each object came to the other node, once all that we shared are among them."""

        async def look() -> Counter[str] | None:
            came = [each for each in await _journal(node.folder) if each["kind"] == "ObjectArrived"]
            found = Counter(each["fact"]["object_id"].partition(".")[2] for each in came)
            return found if self.shared <= set(found) else None

        return await until("all reports at the other node", look, DEADLINE_S)


async def _journal(folder: Path) -> list[dict[str, Any]]:
    lines = (await _command(folder, "journal", "tail", "-n", 100_000)).splitlines()
    return [json.loads(each) for each in lines]


async def _kinds(folder: Path) -> set[str]:
    return {each["kind"] for each in await _journal(folder)}


def _readdress(folder: Path, old: Ports, new: tuple[int, int, int]) -> None:
    path = folder / "port2port.toml"
    text = path.read_text()
    for before, after in zip((old.web, old.peer, old.ais), new, strict=True):
        text = text.replace(str(before), str(after))
    tomllib.loads(text)
    path.write_text(text)


def test_a_node_that_is_killed_goes_on_under_another_address_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    asyncio.run(_crash_and_return(tmp_path))


async def _crash_and_return(tmp_path: Path) -> None:
    prepared = prepare(BELGIUM, NETWORK, tmp_path / "nodes")
    here, there = nodes = [NodeProcess(each.node.key, each.folder) for each in prepared.nodes]
    reporter, running = _Reporter(), list(nodes)
    await start_all(nodes)
    try:
        async with _signed_in(here) as writer:
            await reporter.share(writer, BEFORE)
            made = asyncio.Event()
            sharing = asyncio.create_task(reporter.share_until(writer, made))
            await _command(here.folder, "backup", "--no-encryption", "--verify", tmp_path / "backups")
            made.set()
            assert await sharing > 0
            await reporter.share(writer, AFTER)
        assert set((await reporter.arrived(there)).values()) == {1}
        assert here.process is not None
        here.process.kill()
        await here.ended()
        running.remove(here)
        shutil.rmtree(here.folder)

        moved = NodeProcess("here", tmp_path / "moved")
        (archive,) = (tmp_path / "backups").iterdir()
        await _command(moved.folder, "restore", archive)
        ports = (next(_free(8601)), next(_free(8621)), next(_free(8641, datagram=True)))
        _readdress(moved.folder, prepared.at("here").ports, ports)
        await _command(moved.folder, "network", "address", f"127.0.0.1:{ports[1]}")
        await start_all([moved])
        running.append(moved)
        async with _signed_in(moved) as writer:
            await reporter.share(writer, AFTER)
        assert set((await reporter.arrived(there)).values()) == {1}
        assert not await _kinds(there.folder) & {"LaneStopped", "LaneForked"}
        assert "LaneRestored" in await _kinds(moved.folder)
    finally:
        await stop_all(running)
