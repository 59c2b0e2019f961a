"""One real node in the lab: a process in its namespace, on a small disk of its own, with a person signed in."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from port2port.chaos.namespaces import Lab
from port2port.core.errors import Unavailable
from port2port.core.exchange import ObjectArrived
from port2port.core.party import Party
from port2port.demo.client import NodeClient
from port2port.demo.processes import NodeProcess

WEB_PORT, PEER_PORT = 8080, 8201
DISK_MB = 64
FILLER = "filler"
READY_S = 120.0
PAGE_BYTES = 1 << 16
ARRIVED = ObjectArrived.kind()


@dataclass
class Host:
    """A node that can be killed, filled up and asked."""

    number: int
    party: Party
    lab: Lab
    folder: Path
    kills: int = 0
    process: NodeProcess | None = None
    client: LabClient | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever stops or starts it."""

    def mount(self) -> None:
        """A disk of its own, small enough to be filled."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = f"size={DISK_MB}m,mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True, timeout=20)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, timeout=20)

    def write_settings(self, members: Path) -> None:
        text: dict[str, dict[str, object]] = {
            "node": {
                "name": self.party.name,
                "short_name": self.party.short_name,
                "compartment": self.party.compartment.value,
                "roles": [each.value for each in sorted(self.party.roles)],
                "demonstration": True,
            },
            "web": {"port": WEB_PORT, "base_url": f"http://127.0.0.1:{WEB_PORT}"},
            "sharing": {
                "listen": f"{self.lab.address(self.number)}:{PEER_PORT}",
                "bootstrap": str(members),
                "heartbeat_s": 1.0,
                "longest_pause_s": 1.0,
            },
        }
        lines = []
        for section, values in text.items():
            lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        (self.folder / "port2port.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    async def start(self) -> None:
        """Start the process and sign in."""
        self.process = _LabProcess(self.party.short_name, self.folder, self.lab, self.number)
        await self.process.start()
        await self.process.ready()
        self.client = LabClient(self.lab, self.number)
        await self.client.__aenter__()
        await self.client.sign_in("operator")

    async def kill(self) -> None:
        """kill -9, and what was open is gone."""
        assert self.process is not None
        if self.process.process is not None and not self.process.has_ended():
            with suppress(ProcessLookupError):
                os.killpg(self.process.process.pid, signal.SIGKILL)
            await self.process.ended()
        self.kills += 1
        await self._leave()

    async def stop(self) -> None:
        await self._leave()
        if self.process is not None:
            await self.process.stop()

    async def _leave(self) -> None:
        if self.client is not None:
            client, self.client = self.client, None
            await client.__aexit__(None, None, None)

    def fill_disk(self) -> None:
        """Not one byte is free any more."""
        with suppress(OSError), (self.folder / FILLER).open("wb", buffering=0) as filler:
            while filler.write(bytes(PAGE_BYTES)):
                pass

    def free_disk(self) -> None:
        (self.folder / FILLER).unlink(missing_ok=True)

    def arrived(self) -> list[tuple[str, str, int]]:
        """(origin, object id there, version) of all that came, straight from its file."""
        query = "SELECT data FROM store_journal WHERE kind = ? ORDER BY number"
        path = f"file:{self.folder / 'node.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as database:
            rows = database.execute(query, (ARRIVED,)).fetchall()
        facts = [json.loads(row[0]) for row in rows]
        return [(each["origin"], each["object_id"].partition(".")[2], each["version"]) for each in facts]


class _LabProcess(NodeProcess):
    """A node process inside a namespace."""

    def __init__(self, key: str, folder: Path, lab: Lab, number: int) -> None:
        super().__init__(key, folder)
        self._lab, self._number = lab, number

    async def start(self) -> None:
        command = self._lab.inside(self._number, sys.executable, "-m", "port2port", "--data", str(self.folder), "serve")
        # The log lies outside the small disk: a node must not need its log to survive.
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PORT2PORT_LIFELINE": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
            )

    @property
    def log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.log")


class LabClient(NodeClient):
    """A person at a node inside a namespace: connections begin there."""

    def __init__(self, lab: Lab, number: int) -> None:
        super().__init__(f"http://127.0.0.1:{WEB_PORT}")
        self._lab, self._number = lab, number

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(socket_factory=lambda _: self._lab.socket_on(self._number))
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=10),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def report(self, title: str, text: str) -> str:
        """A report of an incident; answers its id."""
        fields: dict[str, Any] = {"title": title, "description": text, "place": "Quay 7", "kind": "other"}
        return str((await self.post("/api/incidents", fields))["id"])

    async def share(self, incident: str, audience: dict[str, Any], tlp: str, agreement: str) -> None:
        """Share it; returns once the node has answered."""
        fields = {"audience": audience, "tlp": tlp, "agreement_id": agreement}
        await self.post(f"/api/incidents/{incident}/share", fields)


async def within(seconds: float, what: str, holds: Any) -> float:
    """Ask until it holds; answers after how many seconds. Raises `Unavailable`."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise Unavailable(f"After {seconds:g} s still waiting for: {what}.")
        await asyncio.sleep(0.05)
    return time.monotonic() - began
