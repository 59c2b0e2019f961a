"""From a report accepted at one node to its alert at another's open console: two real nodes, TLS, AIS flowing.

The floor is what the machine needs for the bare means: one TLS round trip on loopback and four durable commits
(two transactions at each node).
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.bench.figures import Figure, limit_figure
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment
from port2port.demo.client import NodeClient, until
from port2port.demo.harbour import Harbour
from port2port.demo.network import BELGIUM, DemoAgreement, DemoGroup, DemoNetwork, DemoNode
from port2port.demo.prepare import prepare
from port2port.demo.processes import NodeProcess, start_all, stop_all
from port2port.demo.routes import read_chart
from port2port.demo.transmit import simulated
from port2port.sharing import trust
from port2port.store.identity import public_bytes

ROUNDS, ROUNDS_LONG = 60, 600
ARRIVAL_TIMEOUT_S = 10.0
AIS_PER_S, AIS_KEPT_S = 100, 60
VIEW = (2.9, 51.3, 9.0)

NETWORK = DemoNetwork(
    title="Two ports",
    first_web_port=8501,
    first_peer_port=8521,
    first_ais_port=8541,
    opens_at="here",
    agreement=DemoAgreement(id="agreement", title="Two ports", days=1),
    groups=(DemoGroup(id="both", name="Both", owner="here", members=("here", "there")),),
    nodes=(
        DemoNode(
            key="here",
            name="Port here",
            short_name="Here",
            compartment=Compartment.A,
            hears=("*",),
            view=VIEW,
            roles=(AuthorityRole.INVITES,),
        ),
        DemoNode(
            key="there", name="Port there", short_name="There", compartment=Compartment.A, hears=("*",), view=VIEW
        ),
    ),
)


def measure(long: bool = False) -> dict[str, Figure]:
    """Half and ninety-ninth percentile of delivery, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        times_ms = asyncio.run(_deliveries(Path(folder), ROUNDS_LONG if long else ROUNDS))
        floor_ms = _commits_ms(Path(folder)) + asyncio.run(_tls_round_trip_ms())
    p99_ms = quantiles(times_ms, n=100, method="inclusive")[98]
    flow = f"{AIS_PER_S} AIS messages/s at both"
    note = f"{len(times_ms)} reports, from the post to the other console's stream, with {flow}"
    return {
        "report_to_neighbour_p50_ms": limit_figure(median(times_ms), "ms", 50.0, floor_ms, note),
        "report_to_neighbour_p99_ms": limit_figure(p99_ms, "ms", 500.0, floor_ms, note),
    }


async def _deliveries(folder: Path, rounds: int) -> list[float]:
    prepared = prepare(BELGIUM, NETWORK, folder / "nodes")
    nodes = [NodeProcess(each.node.key, each.folder) for each in prepared.nodes]
    await start_all(nodes)
    try:
        async with _ais_flows([each.ports.ais for each in prepared.nodes]), AsyncExitStack() as stack:
            here, there = [await stack.enter_async_context(NodeClient(each.web)) for each in nodes]
            for client in (here, there):
                await client.sign_in("operator")
                await until("the connection", lambda c=client: _connected(c), 30.0)  # type: ignore[misc]
            async with _arrivals(there) as arrivals:
                return [await _one(here, arrivals, number) for number in range(rounds)]
    finally:
        await stop_all(nodes)


@asynccontextmanager
async def _ais_flows(ports: Sequence[int]) -> AsyncIterator[None]:
    """The simulated harbour's sentences to every port, `AIS_PER_S` messages a second, as long as the block lasts."""
    harbour = Harbour(read_chart(BELGIUM), seed=1, start=datetime.now(UTC), scene_s=None)
    heard = islice(simulated(harbour), AIS_PER_S * AIS_KEPT_S)
    datagrams = [b"\r\n".join(line[line.index(b"!") :] for line in each.nmea_sentences) for each in heard]

    async def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            began, sent = time.monotonic(), 0
            while True:
                while sent < (time.monotonic() - began) * AIS_PER_S:
                    for port in ports:
                        out.sendto(datagrams[sent % len(datagrams)], ("127.0.0.1", port))
                    sent += 1
                await asyncio.sleep(0.01)

    task = asyncio.create_task(send())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _connected(client: NodeClient) -> bool:
    neighbours = (await client.get("/api/network"))["neighbours"]
    return bool(neighbours) and all(each["state"] == "connected" for each in neighbours)


async def _one(here: NodeClient, arrivals: asyncio.Queue[tuple[float, str]], number: int) -> float:
    report = {"kind": "other", "title": f"Report {number}", "place": "Quay 1", "description": "Measured."}
    incident = await here.post("/api/incidents", report)
    began = time.monotonic()
    await here.post(f"/api/incidents/{incident['id']}/share", {"audience": {"group": "both"}, "tlp": "TLP:AMBER"})
    async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
        while True:
            at, name = await arrivals.get()
            if name == incident["reference"]:
                return (at - began) * 1000


@asynccontextmanager
async def _arrivals(client: NodeClient) -> AsyncIterator[asyncio.Queue[tuple[float, str]]]:
    """Alerts as they come to an open console: the moment, and what they are about."""
    after = (await client.get("/api/picture/alerts"))["after"]
    queue: asyncio.Queue[tuple[float, str]] = asyncio.Queue()

    async def listen() -> None:
        async with client.stream(f"/api/picture/stream?after={after}") as answer:
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    alert: dict[str, Any] = json.loads(line[6:])
                    queue.put_nowait((time.monotonic(), str(alert.get("subject_name", ""))))

    task = asyncio.create_task(listen())
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _commits_ms(folder: Path, rounds: int = 50) -> float:
    """Four durable commits of one row, with plain sqlite3."""
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE row (data BLOB)")
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(4):
            database.execute("INSERT INTO row VALUES (zeroblob(2000))")
        times.append((time.perf_counter() - began) * 1000)
    database.close()
    return median(times)


async def _tls_round_trip_ms(rounds: int = 200) -> float:
    """One line there and back over an open TLS 1.3 connection with certificates on both sides."""
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]
    ids = [node_id(public_bytes(key)) for key in keys]
    trusted = {name: public_bytes(key) for name, key in zip(ids, keys, strict=True)}
    leaves = [trust.issue_leaf(name, key, datetime.now(UTC)) for name, key in zip(ids, keys, strict=True)]

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server_context = trust.server_context(leaves[0], trusted, keys[0])
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_context)
    port = server.sockets[0].getsockname()[1]
    client_context = trust.client_context(leaves[1], trusted, keys[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context, server_hostname="node")
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        writer.write(b"x" * 2000 + b"\n")
        await reader.readline()
        times.append((time.perf_counter() - began) * 1000)
    writer.close()
    await writer.wait_closed()
    server.close()
    return median(times)
