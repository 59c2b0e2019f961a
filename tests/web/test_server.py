"""The real server: where it listens, how it ends, and a stream through it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from litestar import Litestar, Request, get
from litestar.response import Stream

from port2port.capability import Site
from port2port.core.clock import system_clock
from port2port.core.errors import BadInput, Unavailable
from port2port.core.fact import Recorded
from port2port.testing import site
from port2port.testing.site import START
from port2port.web import FACTS, Event, Surface, WebSettings, accounts_of, build_app, event_stream, load_words
from port2port.web.certificate import ensure_certificate, self_signed
from port2port.web.facts import PasskeyAdded
from port2port.web.server import check_address, free_port, serve

DEADLINE_S = 20
STOPPED_WITHIN_S = 3.0


@get("/events", sync_to_thread=False)
def events(request: Request[Any, Any, Any]) -> Stream:
    return event_stream(request, _named)


def _named(entry: Recorded) -> list[Event]:
    return [Event("passkey", entry.fact.account)] if isinstance(entry.fact, PasskeyAdded) else []


@pytest.fixture
def place() -> Iterator[Site]:
    made = site(facts=FACTS)
    yield made
    made.store.close()


def app_of(place: Site) -> Litestar:
    surface = Surface(
        party=place.party,
        store=place.store,
        clock=system_clock,
        new_id=place.new_id,
        counters=place.counters,
        words=load_words({}),
        routes=[events],
        demonstration=True,
    )
    return build_app(surface, WebSettings(argon2_memory_kib=8, argon2_passes=1))


@dataclass
class Served:
    port: int
    stopping: asyncio.Event
    task: asyncio.Task[None]

    async def stop(self) -> float:
        """Seconds it took."""
        started = time.monotonic()
        self.stopping.set()
        await self.task
        return time.monotonic() - started


@asynccontextmanager
async def running(app: Litestar, address: str = "127.0.0.1", **how: Any) -> AsyncIterator[Served]:
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stopping = asyncio.Event()
    task = asyncio.create_task(serve(app, address=address, ready=bound.set_result, stopping=stopping, **how))
    async with asyncio.timeout(DEADLINE_S):
        first: set[asyncio.Future[Any]] = {task, bound}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        served = Served(0 if task.done() else bound.result(), stopping, task)
        try:
            if task.done():
                task.result()
            yield served
        finally:
            await served.stop()


async def sign_in(client: httpx.AsyncClient) -> None:
    text = (await client.get("/sign-in")).text
    token = text.split('name="_csrf" value="')[1].split('"')[0]
    answer = await client.post("/sign-in/demonstration", data={"role": "operator", "_csrf": token})
    assert answer.status_code == 303, answer.text


def add_passkey(place: Site, *accounts: str) -> None:
    with place.store.transaction() as tx:
        tx.append(*(PasskeyAdded(at=START, account=each) for each in accounts))


async def event_of(lines: AsyncIterator[str]) -> dict[str, str]:
    """The next event that has data; `retry` and heart-beats are passed by."""
    fields: dict[str, str] = {}
    async for line in lines:
        if not line and "data" in fields:
            return fields
        name, _, value = line.partition(": ")
        fields[name] = value
    raise AssertionError("the stream ended")


def test_a_stream_resumes_where_the_line_was_cut(place: Site) -> None:
    async def scenario() -> list[str]:
        seen: list[str] = []
        async with (
            running(app_of(place)) as served,
            httpx.AsyncClient(base_url=f"http://localhost:{served.port}") as client,
        ):
            await sign_in(client)
            last = "0"
            for i in range(5):
                async with client.stream("GET", "/events", headers={"Last-Event-ID": last}) as answer:
                    assert answer.headers["content-type"].startswith("text/event-stream")
                    add_passkey(place, f"{i}a", f"{i}b", f"{i}c")
                    lines = answer.aiter_lines()
                    for _ in range(2 if i < 4 else 7):
                        event = await event_of(lines)
                        seen.append(event["data"])
                        last = event["id"]
        return seen

    assert asyncio.run(scenario()) == [f"{i}{letter}" for i in range(5) for letter in "abc"]


def test_it_stops_quickly_with_streams_open(place: Site) -> None:
    async def scenario() -> tuple[float, int]:
        async with running(app_of(place)) as served, AsyncExitStack() as stack:
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://localhost:{served.port}"))
            await sign_in(client)
            streams = []
            for _ in range(8):
                answer = await stack.enter_async_context(client.stream("GET", "/events"))
                lines = answer.aiter_lines()
                assert await anext(lines) == "retry: 2000"
                streams.append(lines)
            took = await served.stop()
            ended = 0
            for lines in streams:
                assert [line async for line in lines if line] == []
                ended += 1
            return took, ended

    took, ended = asyncio.run(scenario())
    assert (took < STOPPED_WITHIN_S, ended) == (True, 8)


def test_a_blocked_account_loses_its_open_stream_within_a_second(place: Site) -> None:
    app = app_of(place)

    async def scenario() -> float:
        async with (
            running(app) as served,
            httpx.AsyncClient(base_url=f"http://localhost:{served.port}") as client,
        ):
            await sign_in(client)
            async with client.stream("GET", "/events") as answer:
                lines = answer.aiter_lines()
                assert await anext(lines) == "retry: 2000"
                started = time.monotonic()
                await asyncio.to_thread(accounts_of(app).disable, "demo-operator", "boss")
                assert [line async for line in lines if line] == []
                return time.monotonic() - started

    assert asyncio.run(scenario()) < 1.0


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 17, "٣"])
def test_a_number_that_is_none_is_refused_before_the_stream_begins(place: Site, number: str) -> None:
    async def scenario() -> int:
        async with (
            running(app_of(place)) as served,
            httpx.AsyncClient(base_url=f"http://localhost:{served.port}") as client,
        ):
            await sign_in(client)
            return (await client.get("/events", params={"after": number})).status_code

    assert asyncio.run(scenario()) == 400


def test_it_stops_when_cancelled(place: Site) -> None:
    async def scenario() -> float:
        async with running(app_of(place)) as served:
            started = time.monotonic()
            served.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await served.task
            served.task = asyncio.create_task(asyncio.sleep(0))
            return time.monotonic() - started

    assert asyncio.run(scenario()) < STOPPED_WITHIN_S


def test_a_node_can_be_started_again_in_the_same_process(place: Site) -> None:
    async def scenario() -> list[int]:
        codes = []
        for _ in range(2):
            async with (
                running(app_of(place)) as served,
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}") as client,
            ):
                codes.append((await client.get("/health")).status_code)
        return codes

    assert asyncio.run(scenario()) == [200, 200]


def test_a_port_that_is_taken_is_an_error_not_a_shared_socket(place: Site) -> None:
    async def scenario() -> None:
        async with running(app_of(place)) as first:
            with pytest.raises(Unavailable, match="cannot be used"):
                await serve(app_of(place), address="127.0.0.1", port=first.port)

    asyncio.run(scenario())


def test_https_with_a_certificate_of_our_own(place: Site, tmp_path: Path) -> None:
    certificate, key = ensure_certificate(tmp_path, ["localhost", "127.0.0.1"], system_clock())

    async def scenario() -> httpx.Response:
        trust = ssl.create_default_context(cafile=str(certificate))
        async with (
            running(app_of(place), certificate=certificate, key=key) as served,
            httpx.AsyncClient(base_url=f"https://localhost:{served.port}", verify=trust) as client,
        ):
            return await client.get("/sign-in")

    answer = asyncio.run(scenario())
    assert answer.status_code == 200
    assert "strict-transport-security" in answer.headers
    assert answer.headers["set-cookie"].startswith("__Host-")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "port.example", ""])
def test_plain_http_is_refused_on_any_other_address(address: str) -> None:
    with pytest.raises(BadInput, match="loopback address only"):
        check_address(address, None, None)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_plain_http_is_fine_on_loopback(address: str) -> None:
    check_address(address, None, None)


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    certificate, key = ensure_certificate(tmp_path, ["port.example"], START)
    with pytest.raises(BadInput, match="go together"):
        check_address("0.0.0.0", certificate, None)
    _, other = self_signed(["port.example"], START)
    key.write_bytes(other)
    with pytest.raises(BadInput, match="ECDSA P-256"):
        check_address("0.0.0.0", certificate, key)
    key.write_bytes(b"no key")
    with pytest.raises(BadInput, match="cannot be read"):
        check_address("0.0.0.0", certificate, key)


def test_the_certificate_is_kept_until_it_is_about_to_end(tmp_path: Path) -> None:
    certificate, key = ensure_certificate(tmp_path, ["port.example", "192.0.2.7"], START)
    first = certificate.read_bytes()
    ensure_certificate(tmp_path, ["port.example"], START + timedelta(days=300))
    assert certificate.read_bytes() == first
    ensure_certificate(tmp_path, ["port.example"], START + timedelta(days=380))
    assert certificate.read_bytes() != first
    assert key.stat().st_mode & 0o777 == 0o600


def test_the_certificate_names_hosts_and_addresses() -> None:
    made, _ = self_signed(["port.example", "192.0.2.7", "::1"], START)
    names = x509.load_pem_x509_certificate(made).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["port.example"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7", "::1"]


def test_a_free_port_is_free() -> None:
    port = free_port("127.0.0.1", 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(Unavailable):
            free_port("127.0.0.1", port)
