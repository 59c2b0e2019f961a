"""The live stream: each entry once and in order, whatever happened to the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread
from typing import Any, TypeVar

import pytest

from port2port.capability import Counters
from port2port.core.errors import Unavailable
from port2port.core.fact import Fact, Recorded
from port2port.core.party import Role
from port2port.store import Store, open_store
from port2port.web import hub as hub_module
from port2port.web import stream
from port2port.web.facts import FACTS, AccountDisabled, RoleChanged, SignedIn
from port2port.web.hub import Hub, TooFarBehind
from port2port.web.stream import Event, encode

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DEADLINE_S = 10
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class GateOpened(Fact):
    gate: str


def add(store: Store, *names: str) -> None:
    with store.transaction() as tx:
        tx.append(*(GateOpened(at=AT, gate=name) for name in names))


def add_many(store: Store, total: int) -> None:
    for _ in range(total // 10):
        add(store, *["x"] * 10)


def run(scenario: Callable[[Store, Hub, Counters], Awaitable[T]]) -> T:
    store, counters = open_store("memory://", [*FACTS, GateOpened]), Counters()

    async def whole() -> T:
        hub = Hub(store, counters)
        hub.start()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await scenario(store, hub, counters)
        finally:
            hub.stop()

    try:
        return asyncio.run(whole())
    finally:
        store.close()


@asynccontextmanager
async def subscribed(hub: Hub, after: int | None, account: str = "") -> AsyncIterator[AsyncIterator[Recorded]]:
    entries = hub.subscribe(after, account)
    try:
        yield entries
    finally:
        await entries.aclose()  # type: ignore[attr-defined]


async def take(entries: AsyncIterator[Recorded], count: int) -> list[int]:
    return [(await anext(entries)).number for _ in range(count)]


async def caught_up(hub: Hub, store: Store) -> None:
    """Until the hub handed out the newest entry."""
    while hub.delivered < store.head():  # noqa: ASYNC110 - a subscriber here would be one more in the test
        await asyncio.sleep(0.002)


def test_a_subscriber_gets_what_comes() -> None:
    async def scenario(store: Store, hub: Hub, _: Counters) -> list[int]:
        async with subscribed(hub, None) as entries:
            first = asyncio.ensure_future(anext(entries))
            await asyncio.sleep(0)
            add(store, "a", "b")
            return [(await first).number, *await take(entries, 1)]

    assert run(scenario) == [1, 2]


def test_who_resumes_gets_what_was_missed_and_then_what_comes() -> None:
    async def scenario(store: Store, hub: Hub, _: Counters) -> list[int]:
        add(store, *"abcde")
        await caught_up(hub, store)
        async with subscribed(hub, 2) as entries:
            missed = await take(entries, 3)
            add(store, "f")
            return missed + await take(entries, 1)

    assert run(scenario) == [3, 4, 5, 6]


def test_a_page_that_was_quicker_than_the_hub_misses_nothing() -> None:
    async def scenario(store: Store, hub: Hub, _: Counters) -> list[int]:
        add(store, "a", "b", "c")
        assert hub.delivered == 0
        async with subscribed(hub, 2) as entries:
            seen = await take(entries, 1)
            add(store, "d")
            return seen + await take(entries, 1)

    assert run(scenario) == [3, 4]


def test_no_gap_and_no_duplicate_while_others_write() -> None:
    total, cut_each = 3_000, 37

    async def scenario(store: Store, hub: Hub, _: Counters) -> list[int]:
        writer = Thread(target=add_many, args=(store, total))
        writer.start()
        seen: list[int] = []
        while len(seen) < total:
            async with subscribed(hub, seen[-1] if seen else 0) as entries:
                seen += await take(entries, min(cut_each, total - len(seen)))
        writer.join(DEADLINE_S)
        return seen

    assert run(scenario) == list(range(1, total + 1))


def test_a_slow_subscriber_is_let_go_counted_and_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "QUEUE_ENTRIES", 8)

    async def scenario(store: Store, hub: Hub, counters: Counters) -> tuple[list[int], int]:
        async with subscribed(hub, 0) as entries:
            waiting = asyncio.ensure_future(anext(entries))
            await asyncio.sleep(0)
            add(store, *["x"] * 20)
            await caught_up(hub, store)
            seen = [(await waiting).number] + [each.number async for each in entries]
        async with subscribed(hub, seen[-1]) as entries:
            seen += await take(entries, 20 - len(seen))
        return seen, counters.get("web.stream.too-slow")

    assert run(scenario) == (list(range(1, 21)), 1)


def test_a_slow_subscriber_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "QUEUE_ENTRIES", 64)

    async def scenario(store: Store, hub: Hub, counters: Counters) -> list[int]:
        async with subscribed(hub, 0) as slow, subscribed(hub, 0) as quick:
            asleep = asyncio.ensure_future(anext(slow))
            awake = asyncio.ensure_future(take(quick, 200))
            await asyncio.sleep(0)
            for _ in range(20):
                add(store, *["x"] * 10)
                await caught_up(hub, store)
            await asleep
            return await awake

    assert run(scenario) == list(range(1, 201))


def test_who_is_too_far_behind_is_told_to_load_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_CATCH_UP", 3)

    async def scenario(store: Store, hub: Hub, _: Counters) -> list[str]:
        add(store, *"abcde")
        await caught_up(hub, store)
        outcomes = []
        for after in (0, 1, 2, 6, 10**12):
            async with subscribed(hub, after) as entries:
                try:
                    outcomes.append(str((await anext(entries)).number))
                except TooFarBehind:
                    outcomes.append("anew")
        return outcomes

    assert run(scenario) == ["anew", "anew", "3", "anew", "anew"]


@pytest.mark.parametrize("ending", ["disabled", "role"])
def test_streams_of_an_account_end_when_its_rights_change(ending: str) -> None:
    async def scenario(store: Store, hub: Hub, _: Counters) -> tuple[list[str], int]:
        async with subscribed(hub, 0, "anna") as hers, subscribed(hub, 0, "bert") as his:
            both = [asyncio.ensure_future(anext(each)) for each in (hers, his)]
            await asyncio.sleep(0)
            with store.transaction() as tx:
                tx.append(SignedIn(at=AT, account="anna", method="password"))
            await asyncio.gather(*both)
            with store.transaction() as tx:
                if ending == "disabled":
                    tx.append(AccountDisabled(at=AT, account="anna", by="boss"))
                else:
                    tx.append(RoleChanged(at=AT, account="anna", role=Role.READER, by="boss"))
            rest = [each.kind async for each in hers]
            await anext(his)
            return rest, len(hub)

    kinds, left = run(scenario)
    assert (kinds, left) == ([AccountDisabled.kind() if ending == "disabled" else RoleChanged.kind()], 1)


def test_everybody_is_let_go_at_shutdown() -> None:
    async def scenario(store: Store, hub: Hub, _: Counters) -> list[Any]:
        streams = [hub.subscribe(None) for _ in range(5)]
        waiting = [asyncio.ensure_future(anext(each, "end")) for each in streams]
        await asyncio.sleep(0)
        hub.stop()
        return list(await asyncio.gather(*waiting))

    assert run(scenario) == ["end"] * 5


def test_there_is_room_for_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_SUBSCRIBERS", 3)
    monkeypatch.setattr(hub_module, "MAX_PER_ACCOUNT", 2)

    async def scenario(store: Store, hub: Hub, counters: Counters) -> tuple[list[str], int]:
        add(store, "a")
        await caught_up(hub, store)
        kept, outcomes = [], []
        for account in ("anna", "anna", "anna", "bert", "carl"):
            entries = hub.subscribe(0, account)
            try:
                await anext(entries)
                kept.append(entries)
                outcomes.append("in")
            except Unavailable:
                outcomes.append("full")
        for each in kept:
            await each.aclose()  # type: ignore[attr-defined]
        return outcomes, len(hub)

    assert run(scenario) == (["in", "in", "full", "in", "full"], 0)


def test_an_event_cannot_carry_another_in_its_name_or_data() -> None:
    event = Event("alert\nid: 9", "one\ntwo\r\nthree\rdata: four")
    assert encode(event, 7) == (b"id: 7\nevent: alert id: 9\ndata: one\ndata: two\ndata: three\ndata: data: four\n\n")


def test_a_quiet_stream_beats_and_remembers_what_was_passed_by() -> None:
    async def scenario(store: Store, hub: Hub, _: Counters) -> list[bytes]:
        add(store, "a", "b")
        await caught_up(hub, store)
        chunks = stream._events(hub.subscribe(0), lambda entry: (), 0.05, always)
        got = [await anext(chunks), await anext(chunks)]
        await chunks.aclose()  # type: ignore[attr-defined]
        return got

    assert run(scenario) == [b"retry: 2000\n\n", b"id: 2\n: \n\n"]


def test_a_stream_ends_when_its_session_does_even_if_it_is_never_quiet() -> None:
    async def scenario(store: Store, hub: Hub, _: Counters) -> bytes:
        chunks = stream._events(hub.subscribe(0), lambda entry: [Event("x", "")], 0.05, never)
        busy = asyncio.ensure_future(_keep_adding(store))
        got = [each async for each in chunks]
        busy.cancel()
        return got[0]

    assert run(scenario) == b"retry: 2000\n\n"


async def _keep_adding(store: Store) -> None:
    while True:
        add(store, "x")
        await asyncio.sleep(0.005)


async def always() -> bool:
    return True


async def never() -> bool:
    return False
