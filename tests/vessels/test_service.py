"""The verbs: nothing lost, everything counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from vessels_kit import NOW_S, SQUARE, facts, hear, position, service, voyage, zone, zones

from port2port.core.errors import Unavailable
from port2port.vessels.facts import VesselAppeared
from port2port.vessels.service import Batch


def test_refused_lines_are_counted_by_reason_in_the_node() -> None:
    vessels = service()
    hear(vessels, [b"$GPGGA,1*00", b"!AIVDM,1,1,,A,15", position(51.25, 2.95, NOW_S), b"\xff\xfe"])
    counters = vessels.site.counters
    assert counters.get("vessels.refused.not-ais") == 1
    assert counters.get("vessels.refused.truncated") == 1
    assert counters.get("vessels.refused.eight-bit") == 1
    account = vessels.account("ais-coast")
    assert (account.lines, account.decoded) == (4, 1)
    assert account.balanced()


def test_a_stream_that_ends_gives_up_its_parts_and_keeps_its_counts() -> None:
    vessels = service()
    hear(vessels, voyage()[:1], stream="1", ended=True)
    account = vessels.account("ais-coast")
    assert account.refused == {"part-missing": 1}
    assert account.balanced()
    assert vessels.site.counters.get("vessels.refused.part-missing") == 1


def test_parts_of_two_connections_are_never_joined() -> None:
    vessels = service()
    first, second = voyage()
    hear(vessels, [first], stream="1")
    hear(vessels, [second], stream="2")
    assert vessels.account("ais-coast").decoded == 0


def test_a_recording_is_shown_as_if_it_were_now() -> None:
    vessels = service()
    hear(vessels, [position(51.25, 2.95, NOW_S - 1e8)], shift_s=1e8)
    (track,) = vessels.changed_since(0)[1]
    assert track.seen_at.timestamp() == NOW_S


class AwayStore:
    """A store whose writing side can be away."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.away = inner, False

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        if self.away:
            raise Unavailable("The disk is full.")
        with self.inner.transaction() as tx:
            yield tx

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_what_a_rule_saw_while_the_store_was_away_is_recorded_when_it_is_back() -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    store = AwayStore(vessels.site.store)
    vessels.site = replace(vessels.site, store=store)  # type: ignore[arg-type]
    store.away = True
    hear(vessels, [position(51.25, 2.95, NOW_S)])
    assert facts(vessels) == []
    assert vessels.counts()["facts_waiting_for_the_store"] == 1
    store.away = False
    hear(vessels, [position(51.25, 2.9501, NOW_S + 10)], NOW_S + 10)
    assert len(facts(vessels, VesselAppeared)) == 1


def test_who_looks_from_another_thread_sees_whole_tracks() -> None:
    vessels = service()
    done = threading.Event()
    seen: list[int] = []
    failed: list[BaseException] = []

    def look() -> None:
        version = 0
        try:
            while not done.is_set():
                version, tracks, _ = vessels.changed_since(version)
                seen.append(sum(1 for _ in tracks))
                vessels.search(text="2")
                vessels.account("ais-coast")
        except BaseException as error:
            failed.append(error)

    looking = threading.Thread(target=look)
    looking.start()
    for second in range(60):
        at_s = NOW_S + second
        lines = [position(51 + number / 100, 2.9, at_s, mmsi=205_000_000 + number) for number in range(50)]
        vessels.hear(Batch("ais-coast", lines, at_s))
    done.set()
    looking.join(10)
    assert not failed
    assert len(list(vessels.changed_since(0)[1])) == 50


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=100), st.sampled_from([*voyage(), position(51.2, 2.9, NOW_S), b"$PGHP,1,2,3*00"])),
        max_size=40,
    )
)
def test_any_bytes_leave_the_service_whole_and_the_account_balanced(lines: list[bytes]) -> None:
    vessels = service(zones(zone(SQUARE, {"rule": "enter"})))
    hear(vessels, lines)
    vessels.tick()
    account = vessels.account("ais-coast")
    assert account.balanced()
    assert account.lines == sum(bool(line.strip()) for line in lines)
