"""The hand-made drawing of the Belgian demonstration: in the region, joined up, and on water."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape

from port2port.core.place import Box, distance_m
from port2port.demo.fleet import INLAND_BEND_M, SEA_BEND_M, TRAFFIC
from port2port.demo.harbour import Harbour
from port2port.demo.network import BELGIUM, load_network
from port2port.demo.routes import Chart, read_chart
from port2port.demo.voyages import Shuttle
from port2port.vessels.zones import read_zones

REGION = Box(49.9, 1.9, 52.1, 6.0)
FILES = ("waterways", "docks", "fairways", "locks", "facilities", "breakwaters", "aids")
LOCKS = (
    "Wijnegem",
    "Olen",
    "Kwaadmechelen",
    "Hasselt",
    "Diepenbeek",
    "Genk",
    "Monsin",
    "Zemst",
    "Zandvliet",
    "Terneuzen",
)
ISRS = re.compile(r"[A-Z]{2}[A-Z2-9X]{3}[0-9A-Z]{5}L[0-9]{4}[0-9]{5}")
FACILITY_NUMBER = re.compile(r"[A-Z]{2}[A-Z2-9]{3}-\d{4}")
START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def features(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((BELGIUM / f"{name}.geojson").read_text(encoding="utf-8"))["features"]
    return found


@pytest.fixture(scope="module")
def chart() -> Chart:
    return read_chart(BELGIUM)


@pytest.mark.parametrize("name", FILES)
def test_every_drawing_is_valid_and_in_the_region(name: str) -> None:
    for feature in features(name):
        geometry = shape(feature["geometry"])
        assert geometry.is_valid, feature["properties"]
        west, south, east, north = geometry.bounds
        assert REGION.west_deg < west <= east < REGION.east_deg, feature["properties"]
        assert REGION.south_deg < south <= north < REGION.north_deg, feature["properties"]


def test_locks_are_places_with_a_location_code_that_says_it_is_invented() -> None:
    locks = [feature["properties"] for feature in features("locks")]

    assert all(any(name in lock["name"] for lock in locks) for name in LOCKS)
    assert all(ISRS.fullmatch(lock["isrs"]) and lock["isrs_note"] == "invented" for lock in locks)
    assert len({lock["id"] for lock in locks}) == len({lock["isrs"] for lock in locks}) == len(locks)


def test_facilities_have_numbers_of_the_imo_form_and_are_invented() -> None:
    facilities = [feature["properties"] for feature in features("facilities")]

    assert all(FACILITY_NUMBER.fullmatch(each["facility_number"]) and each["invented"] for each in facilities)
    assert len({each["facility_number"] for each in facilities}) == len(facilities)
    assert {"BEANR", "BEZEE", "BEOST", "BEGNE", "BEBRU", "BELGG", "BEGNK"} <= {each["port"] for each in facilities}


@pytest.mark.parametrize("stream", TRAFFIC, ids=lambda stream: stream.legs)
def test_the_legs_of_a_route_meet(chart: Chart, stream: Any) -> None:
    ends = None
    for leg in stream.legs.split():
        points = [point for point, _ in chart.legs[leg.removeprefix("-")]]
        points = points[::-1] if leg.startswith("-") else points
        if ends is not None:
            assert distance_m(ends, points[0]) < (6000 if leg == "roads" else 400), leg
        ends = points[-1]


def test_barges_wait_in_the_locks_of_the_albert_canal(chart: Chart) -> None:
    route = chart.route(["albert-antwerp", "albert-limburg", "albert-liege"], INLAND_BEND_M)

    assert len(chart.locks_on(route)) == 7


def test_vessels_keep_close_to_the_centre_line(chart: Chart) -> None:
    harbour = Harbour(chart, 7, START)
    for minute in range(0, 600, 50):
        for actor, pose in harbour.poses(START + timedelta(minutes=minute)):
            if isinstance(actor.motion, Shuttle):
                _, off_m = actor.motion.route.nearest(pose.position)
                assert off_m < (25 if actor.vessel.eni else 110), actor.vessel.name


def test_rounding_a_bend_stays_near_its_corner(chart: Chart) -> None:
    for leg, marks in chart.legs.items():
        route = chart.route([leg], SEA_BEND_M)
        assert all(route.nearest(point)[1] < SEA_BEND_M / 2 for point, _ in marks), leg


def test_everybody_is_in_the_region(chart: Chart) -> None:
    harbour = Harbour(chart, 7, START)
    for hour in range(0, 24, 3):
        for actor, pose in harbour.poses(START + timedelta(hours=hour)):
            assert REGION.holds(pose.position), actor.vessel.name


def test_every_node_that_hears_has_zones(chart: Chart) -> None:
    for node in load_network(BELGIUM).nodes:
        path = BELGIUM / "zones" / f"{node.key}.geojson"
        assert path.exists() == bool(node.hears), node.key
        if node.hears:
            assert len(read_zones(path.read_bytes())) > 0


def test_every_file_says_that_it_is_a_drawing() -> None:
    paths: list[Path] = [*BELGIUM.glob("*.geojson"), *BELGIUM.glob("zones/*.geojson")]
    for path in paths:
        assert "not for navigation" in json.loads(path.read_text(encoding="utf-8"))["description"], path.name
