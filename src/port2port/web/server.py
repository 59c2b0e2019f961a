"""Serves browsers: Granian inside the node's own process and event loop.

Granian's listening socket may be shared between processes, so two nodes on one port would each get some of
the requests: the port is tried first, and a port that is taken is an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server
from litestar import Litestar

from port2port.core.errors import BadInput, Unavailable
from port2port.web.app import hub_of
from port2port.web.certificate import check_pair
from port2port.web.origin import LOOPBACK_NAMES

BACKLOG = 256
BACKPRESSURE = 512
"""Requests under way at the same time, live streams among them."""
HEADER_READ_MS = 10_000
"""A client that sends its headers slower than this is let go."""
MAX_HEADER_BYTES = 64 * 1024
RUNTIME_THREADS = 1
RUNTIME_BLOCKING_THREADS = 4
"""For files and name look-ups in Granian's own runtime: we use neither."""
START_WITHIN_S, STOP_WITHIN_S = 10.0, 2.5
TRY_EACH_S = 0.02


async def serve(
    app: Litestar,
    *,
    address: str,
    port: int = 0,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[int], None] = lambda port: None,
    stopping: asyncio.Event | None = None,
) -> None:
    """Serve until cancelled or `stopping` is set; open streams are ended first. `ready` gets the bound port.

    Raises `BadInput` when plain HTTP is asked for on another address than loopback, or certificate and key do
    not fit; `Unavailable` when the port is taken or the server does not come up.
    """
    check_address(address, certificate, key)
    ip = "127.0.0.1" if address == "localhost" else address
    server = _server(app, ip, free_port(ip, port), certificate, key)
    running = asyncio.create_task(server.serve(), name="web:server")
    waiting = asyncio.create_task((stopping or asyncio.Event()).wait(), name="web:stopping")
    try:
        await _until_it_answers(running, ip, server.bind_port)
        ready(server.bind_port)
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
            raise Unavailable("The web server stopped by itself.", hint="Its log says why.")
    finally:
        waiting.cancel()
        await _stop(app, server, running)


def check_address(address: str, certificate: Path | None, key: Path | None) -> None:
    """Raise `BadInput` unless the address may be served like this."""
    if certificate and key:
        check_pair(certificate, key)
    elif certificate or key:
        raise BadInput("Certificate and key go together; one of them is missing.", hint="Set both under [web].")
    elif address not in LOOPBACK_NAMES:
        raise BadInput(
            f"Plain HTTP is answered on the loopback address only, not on {address}.",
            hint="Set certificate and key under [web], or listen on 127.0.0.1 behind a proxy.",
        )


def free_port(ip: str, port: int) -> int:
    """`port` when nobody listens on it, else any free one for 0. Raises `Unavailable` when it is taken."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError as error:
            raise Unavailable(
                f"Port {port} on {ip} cannot be used: {error.strerror}.", hint="Choose another one under [web]."
            ) from error
        return int(probe.getsockname()[1])


def _server(app: Litestar, ip: str, port: int, certificate: Path | None, key: Path | None) -> Any:
    return Server(
        app,
        address=ip,
        port=port,
        interface=Interfaces.ASGI,
        blocking_threads=1,
        runtime_threads=RUNTIME_THREADS,
        runtime_blocking_threads=RUNTIME_BLOCKING_THREADS,
        http=HTTPModes.auto if certificate else HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MS, max_buffer_size=MAX_HEADER_BYTES),
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        log_enabled=False,
        log_level=LogLevels.error,
        ssl_cert=certificate,
        ssl_key=key,
    )


async def _until_it_answers(running: asyncio.Task[None], ip: str, port: int) -> None:
    """Until a connection is taken. Raises `Unavailable`."""
    deadline = asyncio.get_running_loop().time() + START_WITHIN_S
    while not running.done() and asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(ip, port)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        await asyncio.sleep(TRY_EACH_S)
    if running.done():
        running.result()
    raise Unavailable(f"The web server did not come up on {ip}:{port}.", hint="Its log says why.")


async def _stop(app: Litestar, server: Any, running: asyncio.Task[None]) -> None:
    """Streams first: they never end by themselves."""
    hub_of(app).stop()
    if running.done():
        return
    server.stop()
    _, late = await asyncio.wait({running}, timeout=STOP_WITHIN_S)
    for task in late:
        task.cancel()
        await asyncio.wait({task}, timeout=STOP_WITHIN_S)
