"""Two real nodes: one is backed up while it shares, killed, and goes on from its archive; another moves."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
import tomllib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple

from port2port.bench.delivery import NETWORK
from port2port.demo.client import NodeClient, until
from port2port.demo.network import BELGIUM
from port2port.demo.prepare import _free, prepare
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
            came = [fact["object_id"] for kind, fact in _journal(node.folder) if kind == "ObjectArrived"]
            found = Counter(each.partition(".")[2] for each in came)
            return found if self.shared <= set(found) else None

        return await until("all reports at the other node", look, DEADLINE_S)


def _journal(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """What happened at a node that runs: kind and fact."""
    with closing(sqlite3.connect(f"{(folder / 'node.db').as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT kind, data FROM store_journal ORDER BY number").fetchall()
    return [(kind, json.loads(data)) for kind, data in rows]


def _kinds(folder: Path) -> list[str]:
    return [kind for kind, _ in _journal(folder)]


def _readdress(folder: Path, old: _Where, new: _Where) -> None:
    path = folder / "port2port.toml"
    text = path.read_text()
    for before, after in zip(old, new, strict=True):
        text = text.replace(str(before), str(after))
    tomllib.loads(text)
    path.write_text(text)


def test_a_node_that_is_killed_goes_on_elsewhere_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    asyncio.run(_crash_and_return(tmp_path))


def test_a_node_moves_to_another_address_and_the_old_one_is_destroyed(tmp_path: Path) -> None:
    asyncio.run(_move(tmp_path))


async def _crash_and_return(tmp_path: Path) -> None:
    async with _two(tmp_path) as (here, there, ports, running):
        reporter = _Reporter()
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

        moved = await _restored(tmp_path, ports, _elsewhere()._replace(peer=ports.peer), running)
        async with _signed_in(moved) as writer:
            await reporter.share(writer, AFTER)
        assert set((await reporter.arrived(there)).values()) == {1}
        assert not set(_kinds(there.folder)) & {"LaneStopped", "LaneForked"}
        assert "LaneRestored" in _kinds(moved.folder)


async def _move(tmp_path: Path) -> None:
    async with _two(tmp_path) as (here, there, ports, running):
        reporter, new = _Reporter(), _elsewhere()
        async with _signed_in(here) as writer:
            await reporter.share(writer, BEFORE)
        await reporter.arrived(there)
        known = _kinds(there.folder).count("NetworkChanged")
        await _command(here.folder, "network", "address", f"127.0.0.1:{new.peer}")

        async def heard() -> bool:
            return _kinds(there.folder).count("NetworkChanged") > known

        await until("the new address at the partner", heard, DEADLINE_S)
        await here.stop()
        running.remove(here)
        await _command(here.folder, "backup", "--no-encryption", "--verify", tmp_path / "backups")

        moved = await _restored(tmp_path, ports, new, running)
        await _command(here.folder, "destroy", "Port here")
        assert not here.folder.exists()
        async with _signed_in(moved) as writer:
            await reporter.share(writer, AFTER)
        assert set((await reporter.arrived(there)).values()) == {1}


class _Where(NamedTuple):
    web: int
    peer: int
    ais: int


def _elsewhere() -> _Where:
    return _Where(next(_free(8601)), next(_free(8621)), next(_free(8641, datagram=True)))


@asynccontextmanager
async def _two(tmp_path: Path) -> AsyncIterator[tuple[NodeProcess, NodeProcess, _Where, list[NodeProcess]]]:
    """Two nodes that run, where the first one is reached, and the list of those to stop in the end."""
    prepared = prepare(BELGIUM, NETWORK, tmp_path / "nodes")
    here, there = running = [NodeProcess(each.node.key, each.folder) for each in prepared.nodes]
    at = prepared.at("here").ports
    try:
        await start_all(running)
        yield here, there, _Where(at.web, at.peer, at.ais), running
    finally:
        await stop_all(running)


async def _restored(tmp_path: Path, old: _Where, new: _Where, running: list[NodeProcess]) -> NodeProcess:
    """The node out of its only archive, in another folder and on other ports, running."""
    moved = NodeProcess("here", tmp_path / "moved")
    (archive,) = (tmp_path / "backups").iterdir()
    await _command(moved.folder, "restore", archive)
    _readdress(moved.folder, old, new)
    running.append(moved)
    await start_all([moved])
    return moved
