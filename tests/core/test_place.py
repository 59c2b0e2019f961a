"""Distances, bearings and boxes, against figures from elsewhere and against each other."""

from __future__ import annotations

from math import pi

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from port2port.core.place import EARTH_RADIUS_M, Box, Position, bearing_deg, distance_m, moved, turn_deg

ANTWERP = Position(51.2167, 4.4167)
ZEEBRUGGE = Position(51.3333, 3.2)
positions = st.builds(Position, st.floats(-89, 89), st.floats(-180, 180))
bearings = st.floats(0, 360, exclude_max=True)


def test_a_degree_of_latitude_is_sixty_nautical_miles_but_for_the_sphere() -> None:
    assert distance_m(Position(51, 4), Position(52, 4)) == pytest.approx(60 * 1852, rel=0.005)


def test_the_other_side_of_the_earth_is_half_a_circumference_away() -> None:
    assert distance_m(Position(0, 0), Position(0, 180)) == pytest.approx(pi * EARTH_RADIUS_M)


def test_antwerp_lies_east_by_south_of_zeebrugge() -> None:
    assert distance_m(ZEEBRUGGE, ANTWERP) == pytest.approx(85_500, rel=0.005)
    assert 95 < bearing_deg(ZEEBRUGGE, ANTWERP) < 105


@pytest.mark.parametrize(("to", "bearing"), [((1, 0), 0), ((0, 1), 90), ((-1, 0), 180), ((0, -1), 270)])
def test_the_four_winds(to: tuple[float, float], bearing: float) -> None:
    assert bearing_deg(Position(0, 0), Position(*to)) == pytest.approx(bearing)


@given(positions, positions)
def test_a_distance_is_the_same_both_ways_and_zero_only_to_itself(a: Position, b: Position) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a))
    assert distance_m(a, a) == 0


@given(positions, bearings, st.floats(1, 1_000_000))
def test_moving_covers_the_distance_in_the_direction(start: Position, bearing: float, distance: float) -> None:
    end = moved(start, bearing, distance)
    assert distance_m(start, end) == pytest.approx(distance, rel=1e-6, abs=0.01)
    assume(distance > 1000)
    assert turn_deg(bearing_deg(start, end), bearing) < 0.01


def test_moving_east_over_the_date_line_stays_on_the_map() -> None:
    assert moved(Position(0, 179.9), 90, 50_000).longitude_deg == pytest.approx(-179.65, abs=0.01)


@given(bearings, bearings)
def test_a_turn_is_the_smaller_angle(a: float, b: float) -> None:
    assert 0 <= turn_deg(a, b) <= 180
    assert turn_deg(a, b) == pytest.approx(turn_deg(b, a))


def test_from_350_to_10_is_a_turn_of_20() -> None:
    assert turn_deg(350, 10) == 20


def test_a_box_holds_its_edges_and_nothing_outside() -> None:
    box = Box(51, 3, 52, 5)
    assert box.holds(ANTWERP)
    assert box.holds(Position(51, 3))
    assert not box.holds(Position(50.999, 4))
    assert not box.holds(Position(51.5, 5.001))


@pytest.mark.parametrize(("latitude", "longitude"), [(90.1, 0), (-90.1, 0), (0, 180.1), (0, -180.1), (float("nan"), 0)])
def test_a_position_outside_the_earth_is_a_broken_assumption(latitude: float, longitude: float) -> None:
    with pytest.raises(AssertionError):
        Position(latitude, longitude)
