"""Zones: polygons, circles and gate lines drawn by the port, with the rules that hold in them.

A zones file is a GeoJSON FeatureCollection (RFC 7946). Each feature has the properties `id`, `name`,
`kind` and `rules`, a list of `{"rule": ..., "priority": ..., "minutes": ...}`; a `Point` with
`radius_m` is a circle, a `LineString` is a gate. Positions are tested in batches against one tree of
all zones: asked one by one, most of the time would go into asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin, tau
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from port2port.core.alert import Priority
from port2port.core.errors import BadInput
from port2port.vessels.model import METRES_PER_DEG, Vessel

MAX_ZONES = 2_000
MAX_VERTICES = 200_000
MAX_FILE_BYTES = 20 * 1024 * 1024
CIRCLE_CORNERS = 48

Kind = Literal["harbour", "berth", "restricted", "anchorage", "drop-off", "fairway", "lock", "area"]
RuleName = Literal["enter", "leave", "cross", "stopped-longer-than", "stop-in-zone", "meeting", "gone-dark", "drift"]
BERTHS: frozenset[str] = frozenset({"harbour", "berth", "anchorage", "lock"})
"""Where vessels lie beside each other every day."""

DEFAULT_MINUTES: dict[str, float] = {
    "stopped-longer-than": 30,
    "stop-in-zone": 3,
    "meeting": 10,
    "gone-dark": 10,
    "drift": 10,
}
DEFAULT_KNOTS: dict[str, float] = {"stopped-longer-than": 0.5, "stop-in-zone": 0.5, "meeting": 3.0, "gone-dark": 2.0}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of a zone. Numbers left out take the defaults of the rule."""

    rule: RuleName
    priority: Literal["urgent", "high", "medium", "low"] = "high"
    minutes: Annotated[float, msgspec.Meta(ge=0, le=10_080)] | None = None
    """How long the state must hold."""
    knots: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    """Below this a vessel is stopped or slow; for `gone-dark`: above this it was moving."""
    metres: Annotated[float, msgspec.Meta(gt=0, le=20_000)] = 150.0
    """`meeting`: how near."""
    ship_types: tuple[int, int] | None = None
    """Only ship types first..last (M.1371-5 table 53), e.g. `[80, 89]` for tankers."""

    @property
    def level(self) -> Priority:
        return Priority[self.priority.upper()]

    @property
    def hold_s(self) -> float:
        return 60 * (DEFAULT_MINUTES.get(self.rule, 0.0) if self.minutes is None else self.minutes)

    @property
    def limit_knots(self) -> float:
        return DEFAULT_KNOTS.get(self.rule, 0.0) if self.knots is None else self.knots


class _Properties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt `rules` would be a zone that never rings: what we do not know is refused. `note` is free."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Annotated[str, msgspec.Meta(max_length=80)] = ""
    kind: Kind = "area"
    radius_m: Annotated[float, msgspec.Meta(gt=0, le=100_000)] | None = None
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=20)] = ()
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class _Feature(msgspec.Struct, frozen=True):
    properties: _Properties
    geometry: dict[str, Any]


class _Collection(msgspec.Struct, frozen=True):
    type: Literal["FeatureCollection"]
    features: Annotated[list[_Feature], msgspec.Meta(max_length=MAX_ZONES)]


@dataclass(frozen=True, slots=True)
class Zone:
    """An area, or a gate line when `gate`."""

    id: str
    name: str
    kind: str
    shape: BaseGeometry
    rules: tuple[Rule, ...] = ()

    @property
    def gate(self) -> bool:
        return self.shape.geom_type in ("LineString", "MultiLineString")


class Zones:
    """All zones of a node, ready to be asked."""

    def __init__(self, zones: Sequence[Zone] = ()) -> None:
        self.areas = tuple(zone for zone in zones if not zone.gate)
        self.gates = tuple(zone for zone in zones if zone.gate)
        self.by_id: Mapping[str, Zone] = {zone.id: zone for zone in zones}
        for zone in self.areas:
            shapely.prepare(zone.shape)
        self._tree = shapely.STRtree([zone.shape for zone in self.areas])
        self._gate_tree = shapely.STRtree([zone.shape for zone in self.gates])

    def __len__(self) -> int:
        return len(self.areas) + len(self.gates)

    def holding(self, points: Sequence[tuple[float, float]]) -> dict[int, list[int]]:
        """For each (longitude, latitude) inside any area: the indexes into `areas`, by index into `points`.

        A point on the edge is inside.
        """
        if not self.areas or not points:
            return {}
        found: dict[int, list[int]] = {}
        pairs = self._tree.query(shapely.points(np.asarray(points, dtype=float)), predicate="intersects")
        for point, area in zip(*pairs.tolist(), strict=True):
            found.setdefault(point, []).append(area)
        return found

    def crossed(self, steps: Sequence[tuple[tuple[float, float], tuple[float, float]]]) -> list[tuple[int, int]]:
        """Pairs (index into `steps`, index into `gates`) of steps that touch a gate line."""
        if not self.gates or not steps:
            return []
        pairs = self._gate_tree.query(shapely.linestrings(np.asarray(steps, dtype=float)), predicate="intersects")
        return list(zip(*pairs.tolist(), strict=True))


def read_zones(data: bytes) -> Zones:
    """Read a zones file. Raises `BadInput` that names the feature and what is wrong with it."""
    if len(data) > MAX_FILE_BYTES:
        raise BadInput(f"A zones file has at most {MAX_FILE_BYTES} bytes, this one {len(data)}.")
    try:
        collection = msgspec.json.decode(data, type=_Collection)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The zones file cannot be read: {error}.", hint="See docs/how-to/draw-a-zone.md.") from error
    zones = [_zone(feature) for feature in collection.features]
    if len({zone.id for zone in zones}) != len(zones):
        raise BadInput("Two zones have the same id.", hint="Give each feature its own `id` property.")
    if sum(shapely.get_num_coordinates(zone.shape) for zone in zones) > MAX_VERTICES:
        raise BadInput(f"The zones have more than {MAX_VERTICES} corners.", hint="Simplify the polygons.")
    return Zones(zones)


def _zone(feature: _Feature) -> Zone:
    own = feature.properties
    try:
        shape = shapely.from_geojson(msgspec.json.encode(feature.geometry).decode())
    except (shapely.errors.GEOSException, ValueError) as error:
        raise BadInput(f"Zone {own.id!r}: the geometry cannot be read: {error}.") from error
    if isinstance(shape, shapely.Point) and own.radius_m and not shape.is_empty:
        shape = _circle(shape.x, shape.y, own.radius_m)
    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon", "LineString", "MultiLineString"):
        raise BadInput(f"Zone {own.id!r} is no area or line.", hint="A Point needs the property `radius_m`.")
    if shape.is_empty or not shape.is_valid or not np.isfinite(shapely.get_coordinates(shape)).all():
        raise BadInput(f"Zone {own.id!r}: {shapely.is_valid_reason(shape)}.", hint="Draw it without crossing itself.")
    for rule in own.rules:
        if (rule.rule == "cross") != (shape.geom_type in ("LineString", "MultiLineString")):
            raise BadInput(f"Zone {own.id!r}: rule {rule.rule!r} does not fit a {shape.geom_type}.")
    return Zone(own.id, own.name or own.id, own.kind, shape, own.rules)


def _circle(longitude: float, latitude: float, radius_m: float) -> BaseGeometry:
    north = radius_m / METRES_PER_DEG
    east = north / max(0.01, cos(radians(latitude)))
    angles = [tau * corner / CIRCLE_CORNERS for corner in range(CIRCLE_CORNERS)]
    return shapely.Polygon([(longitude + east * sin(angle), latitude + north * cos(angle)) for angle in angles])


def as_features(zones: Zones) -> dict[str, Any]:
    """A FeatureCollection for the map; `style` is a class of the map style."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": zone.id,
                "properties": {"id": zone.id, "name": zone.name, "style": f"zone-{zone.kind}"},
                "geometry": msgspec.json.decode(shapely.to_geojson(zone.shape)),
            }
            for zone in (*zones.areas, *zones.gates)
        ],
    }


def near_pairs(vessels: Sequence[Vessel], metres: float) -> list[tuple[Vessel, Vessel]]:
    """Pairs within `metres`, from one tree in a plane that is true at the first vessel's latitude."""
    if len(vessels) < 2:
        return []
    squeeze = cos(radians(vessels[0].latitude_deg or 0.0))
    points = [
        shapely.Point((v.longitude_deg or 0.0) * METRES_PER_DEG * squeeze, (v.latitude_deg or 0.0) * METRES_PER_DEG)
        for v in vessels
    ]
    pairs = shapely.STRtree(points).query(points, predicate="dwithin", distance=metres)
    return [(vessels[a], vessels[b]) for a, b in zip(*pairs.tolist(), strict=True) if a < b]
