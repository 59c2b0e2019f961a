"""Drawn so that ordinary traffic raises no alarm: the zones and rules of the demonstration on its own traffic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from port2port.core.alert import AlertRaised
from port2port.core.fact import Fact
from port2port.core.ids import seeded_ids
from port2port.demo.harbour import Harbour, Transmission
from port2port.demo.network import BELGIUM, load_network
from port2port.demo.routes import read_chart
from port2port.vessels.ais import Assembler
from port2port.vessels.model import Traffic
from port2port.vessels.nmea import LineReader
from port2port.vessels.rules import Watch
from port2port.vessels.zones import read_zones

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
WATCHED = ("ostend", "antwerp", "liege", "north-sea-port", "limburg-police")
MINUTES = 9


class Ear:
    """What one node's rules make of what its stations hear."""

    def __init__(self, key: str) -> None:
        self.hears = load_network(BELGIUM).node(key).hears
        self.reader = LineReader()
        self.assembler = Assembler(self.reader.tally)
        self.traffic = Traffic()
        self.watch = Watch(read_zones((BELGIUM / "zones" / f"{key}.geojson").read_bytes()), seeded_ids(1))
        self.facts: list[Fact] = []

    def hear(self, received: list[Transmission], at: datetime) -> None:
        lines = [
            line for each in received if "*" in self.hears or each.station in self.hears for line in each.nmea_sentences
        ]
        heard = self.assembler.join(self.reader.read(lines, at.timestamp()))
        for group in self.traffic.see(heard, "ais"):
            self.facts += self.watch.step(self.traffic, group)

    def alerts(self) -> list[tuple[str, str]]:
        return [(each.rule, each.subject_name) for each in self.facts if isinstance(each, AlertRaised)]


@pytest.fixture(scope="module")
def ears() -> dict[str, Ear]:
    harbour = Harbour(read_chart(BELGIUM), 1, START, scene_s=30)
    found = {key: Ear(key) for key in WATCHED}
    for second in range(MINUTES * 60):
        at = START + timedelta(seconds=second)
        received = harbour.sentences(at)
        for ear in found.values():
            ear.hear(received, at)
    return found


def test_nothing_that_is_sent_is_refused(ears: dict[str, Ear]) -> None:
    for ear in ears.values():
        assert ear.reader.tally.refused == {}
        assert ear.assembler.waiting() == 0


def test_ostend_is_told_of_the_drifting_tanker_and_the_silent_fisherman(ears: dict[str, Ear]) -> None:
    assert ears["ostend"].alerts() == [
        ("vessels.rule.drift", "MORNING WAGTAIL"),
        ("vessels.rule.gone-dark", "SHY BITTERN"),
    ]


def test_liege_is_told_of_the_barge_that_stops_before_its_berth(ears: dict[str, Ear]) -> None:
    assert ears["liege"].alerts() == [("vessels.rule.stop-in-zone", "VERDWAALDE EGEL")]


def test_antwerp_is_told_of_the_yacht_at_the_container_quays(ears: dict[str, Ear]) -> None:
    assert ears["antwerp"].alerts() == [("vessels.rule.enter", "CURIOUS PUFFIN")]


def test_everybody_else_has_a_boring_day(ears: dict[str, Ear]) -> None:
    assert ears["north-sea-port"].alerts() == []
    assert ears["limburg-police"].alerts() == []


def test_nobody_is_doubted(ears: dict[str, Ear]) -> None:
    assert {vessel.doubt for ear in ears.values() for vessel in ear.traffic.vessels.values()} == {""}
