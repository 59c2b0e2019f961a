"""Node processes: started together, awaited until each says that it is ready, stopped cleanly."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from port2port.core.errors import Unavailable

READY_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 15.0
LOG_LINES_SHOWN = 15


@dataclass
class NodeProcess:
    """One node as a process of its own."""

    key: str
    folder: Path
    process: asyncio.subprocess.Process | None = None
    ready_s: float = 0.0
    announced: dict[str, Any] = field(default_factory=dict)
    """What the node wrote when it was ready: web address, peer address, process id."""

    @property
    def web(self) -> str:
        return str(self.announced["web"])

    @property
    def log(self) -> Path:
        return self.folder / "node.log"

    async def start(self) -> None:
        """Start the process; its output goes to `node.log` in its folder."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "port2port",
                "--data",
                str(self.folder),
                "serve",
                stdin=asyncio.subprocess.PIPE,  # never written; closes when we die, and the node then stops by itself
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the nodes in order
                env={**os.environ, "PORT2PORT_LIFELINE": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
            )

    async def ready(self) -> None:
        """Wait for the line that a node prints when it is ready. Raises `Unavailable` with the end of its log."""
        assert self.process is not None
        assert self.process.stdout is not None
        began = time.monotonic()
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                async for line in self.process.stdout:
                    if line.startswith(b"{"):
                        self.announced = json.loads(line)
                        self.ready_s = time.monotonic() - began
                        return
        except TimeoutError:
            pass
        tail = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        raise Unavailable(f"The node {self.key} did not start.", hint="The end of its log:\n" + "\n".join(tail))

    async def stop(self) -> int:
        """Ask it to end, insist after a while; answers its exit code."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
        code = await self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        return code

    async def ended(self) -> None:
        """Wait until the process is over, for whatever reason."""
        assert self.process is not None
        await self.process.wait()

    def has_ended(self) -> bool:
        return self.process is not None and self.process.returncode is not None

    def resident_mb(self) -> float:
        """Resident memory of the node process, without its worker."""
        assert self.process is not None
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


OnReady = Callable[[NodeProcess], None]


async def start_all(nodes: Sequence[NodeProcess], at_once: int = 3, on_ready: OnReady = lambda node: None) -> float:
    """Start all nodes, `at_once` at a time (more only wait for each other's processor); answers the seconds taken."""
    began = time.monotonic()
    turn = asyncio.Semaphore(at_once)

    async def bring_up(node: NodeProcess) -> None:
        async with turn:
            await node.start()
            await node.ready()
            on_ready(node)

    await asyncio.gather(*map(bring_up, nodes))
    return time.monotonic() - began


async def stop_all(nodes: Sequence[NodeProcess]) -> dict[str, int]:
    """Stop all nodes together; answers their exit codes."""
    codes = await asyncio.gather(*(node.stop() for node in nodes))
    return {node.key: code for node, code in zip(nodes, codes, strict=True)}
