"""Who sails in the simulated harbour: invented vessels on the routes of the Belgian demonstration. Seeded, pure.

Nothing here is a real ship. IMO numbers have a valid check digit and begin with 3, a range that was never issued; ENI
numbers have the form of Belgian ones; MMSIs begin with a real country code, because receivers judge by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from port2port.core.identifiers import imo
from port2port.core.place import Position, bearing_deg
from port2port.demo.routes import Chart, between
from port2port.demo.sentences import SHIP_TYPE_PLEASURE, SHIP_TYPE_SAILING, SHIP_TYPE_TANKER, Equipment, Vessel
from port2port.demo.voyages import AT_ANCHOR, FISHING, MOORED, UNDER_WAY, Motion, Ring, Still, shuttle

SEA_BEND_M, INLAND_BEND_M = 220.0, 110.0
INLAND_SHIFT_M = 18.0
SCENE_MMSIS = 100
"""The first numbers of a flag are kept for the vessels of the scenes."""


def _words(text: str) -> list[str]:
    return text.split()


FIRST = _words(
    "AMBER BALTIC BRONZE CALM CEDAR COBALT CORAL EARLY FAIR GENTLE GOLDEN HAZEL HONEST INDIGO IVORY JADE KIND LUCKY "
    "MERRY MISTY NOBLE NORTHERN OLIVE OPAL PEARL QUIET RADIANT ROSY SILENT SILVER SLEEPY SOUTHERN STEADY SUNNY VELVET"
)
SECOND = _words(
    "AURORA BITTERN COMPASS CURLEW DAISY DUNE DUNLIN EIDER GANNET HERON HORIZON KESTREL LANTERN LAPWING LINNET LOTUS "
    "MARIGOLD MERIDIAN OTTER PEBBLE PETREL PLOVER PUFFIN SANDPIPER SKYLARK SNIPE SWIFT TEAL TERN THISTLE WAGTAIL WREN"
)
BARGE_FIRST = _words(
    "BLAUWE BRAVE DAPPERE GOEDE GROTE KLEINE MOOIE NIEUWE OUDE RAPPE RODE STILLE STOERE TROUWE VRIJE ZACHTE"
)
BARGE_SECOND = _words(
    "BEVER BOTERBLOEM DISTEL EGEL FUUT GRUTTO IJSVOGEL KERSELAAR KIEVIT LIJSTER LINDE MEREL OOIEVAAR REIGER SPECHT "
    "VLINDER VOS WILG ZWALUW"
)

FLAGS_SEA = (205, 244, 211, 219, 229, 235, 257, 538, 563, 636)
FLAGS_INLAND = (205, 205, 205, 244, 244)

LARGE = (70, 71, 74, 79)


@dataclass(frozen=True, slots=True)
class Actor:
    """A vessel, how it moves, and whose order it follows."""

    vessel: Vessel
    motion: Motion


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """A stream of vessels on one route."""

    legs: str
    """Ids of fairways and waterways, separated by spaces; `-` before one sails it backwards."""
    count: int
    ship_types: Sequence[int]
    lengths_m: tuple[int, int]
    speeds_kn: tuple[float, float]
    destination: str
    shift_m: float = 90.0
    rest_s: float = 2400.0
    equipment: Equipment = Equipment.CLASS_A
    inland: bool = False
    rest_status: int = MOORED


WEST = "westhinder scheur-west scheur-east wielingen roads "
NORTH = "noordhinder-south steenbank oostgat "
RIVER = "honte honte-east terneuzen hansweert bath scheldt-zandvliet "
TO_GHENT = "honte honte-east terneuzen-lock ghent-terneuzen "
B = Equipment.CLASS_B


def sea(
    legs: str, count: int, destination: str, length: tuple[int, int], speed: tuple[float, float], *types: int
) -> Traffic:
    """Ships that come in from sea, berth, and go out again."""
    return Traffic(
        legs=legs, count=count, ship_types=types, lengths_m=length, speeds_kn=speed, destination=destination
    )  # fmt: skip


def craft(legs: str, count: int, speed: tuple[float, float], *types: int) -> Traffic:
    """Yachts with class B equipment."""
    return Traffic(
        legs=legs, count=count, ship_types=types, lengths_m=(9, 16), speeds_kn=speed, destination="",
        shift_m=60, rest_s=120, equipment=B, rest_status=UNDER_WAY,
    )  # fmt: skip


def service(
    legs: str, count: int, speed: tuple[float, float], kind: int, shift_m: float = 60, rest_s: float = 120
) -> Traffic:
    """Small vessels that serve the port and turn round at once."""
    return Traffic(
        legs=legs, count=count, ship_types=(kind,), lengths_m=(22, 34), speeds_kn=speed, destination="",
        shift_m=shift_m, rest_s=rest_s, rest_status=UNDER_WAY,
    )  # fmt: skip


def barges(legs: str, count: int, destination: str, *types: int) -> Traffic:
    """Inland vessels with an ENI."""
    return Traffic(
        legs=legs, count=count, ship_types=types or (79, 79, SHIP_TYPE_TANKER), lengths_m=(67, 135),
        speeds_kn=(5.2, 7.4), destination=destination, shift_m=INLAND_SHIFT_M, rest_s=3000, inland=True,
    )  # fmt: skip


PILOT, TUG, FERRY, FAST, FISHER, DREDGER = 50, 52, 60, 40, 30, 33

TRAFFIC: tuple[Traffic, ...] = (
    sea(WEST + RIVER + "scheldt-doel deurganck", 8, "BEANR", (210, 399), (11, 14.5), *LARGE),
    sea(WEST + RIVER + "zandvliet kanaaldok-north delwaide", 6, "BEANR", (170, 330), (10.5, 14), *LARGE),
    sea(WEST + RIVER + "zandvliet kanaaldok-north kanaaldok-south churchill", 5, "BEANR", (110, 200), (10, 13), 70, 79),
    sea(NORTH + "roads " + RIVER + "scheldt-doel scheldt-lillo scheldt-liefkenshoek boudewijn-lock hansa",
        6, "BEANR", (90, 180), (10, 13), 70, SHIP_TYPE_TANKER),
    sea(NORTH + "roads " + RIVER + "scheldt-doel scheldt-lillo scheldt-liefkenshoek scheldt-kallo scheldt-city",
        3, "BEANR", (60, 90), (9, 11), 70),
    sea(WEST + TO_GHENT + "ghent-kluizen ghent-rodenhuize siffer", 4, "BEGNE", (100, 190), (9, 12), 70, 79),
    sea(WEST + TO_GHENT + "kluizen", 4, "BEGNE", (110, 230), (9, 12), 70, SHIP_TYPE_TANKER),
    sea(NORTH + "roads " + TO_GHENT + "ghent-kluizen rodenhuize", 3, "BEGNE", (90, 180), (9, 12), SHIP_TYPE_TANKER),
    sea(WEST + "sloe", 5, "NLVLI", (90, 230), (10, 13), 70, 71),
    sea(NORTH + "roads honte braakman", 3, "NLTNZ", (90, 150), (9, 12), SHIP_TYPE_TANKER),
    sea("westhinder scheur-west zand zeebrugge-entrance zeebrugge-west", 7, "BEZEE", (180, 366), (11, 15), *LARGE),
    sea("westhinder scheur-west zand zeebrugge-entrance zeebrugge-outer zeebrugge-lock zeebrugge-inner",
        5, "BEZEE", (120, 230), (11, 15), 70, 79),
    sea("noordhinder-south noordhinder-north", 8, "NLRTM", (140, 390), (13, 18), *LARGE, SHIP_TYPE_TANKER),
    sea("westhinder ostend-approach ostend-harbour", 3, "BEOST", (80, 120), (10, 12), 70),
    service("-ostend-harbour ostend-wind", 8, (17, 24), FAST, 40, 900),
    service("-ostend-harbour blankenberge zeebrugge-entrance", 2, (15, 18), FERRY),
    service("ferry", 2, (11, 13), FERRY, 0, 420),
    service("-roads -wielingen -scheur-east", 4, (14, 19), PILOT),
    service("-zeebrugge-outer -zeebrugge-entrance", 4, (7, 9), TUG, 40),
    service("-deurganck -scheldt-doel", 4, (7, 10), TUG, 70),
    service("kanaaldok-north kanaaldok-south", 4, (6, 8), TUG, 35),
    service("-terneuzen-lock terneuzen", 2, (7, 9), TUG, 50),
    service("-nieuwpoort-approach kleine-rede ostend-harbour", 3, (6, 8), FISHER, 60),
    craft("-nieuwpoort-approach kleine-rede ostend-harbour", 6, (4.5, 7), SHIP_TYPE_SAILING, SHIP_TYPE_PLEASURE),
    craft("-ostend-harbour blankenberge zeebrugge-entrance zeebrugge-outer", 5, (4.5, 7),
          SHIP_TYPE_SAILING, SHIP_TYPE_PLEASURE),
    craft("scheldt-zandvliet scheldt-doel scheldt-lillo scheldt-liefkenshoek scheldt-kallo scheldt-city", 4, (5, 8),
          SHIP_TYPE_SAILING, SHIP_TYPE_PLEASURE),
    craft("wielingen roads honte", 5, (5, 7), SHIP_TYPE_SAILING, SHIP_TYPE_PLEASURE),
    barges("albert-antwerp", 7, "BEHTL"),
    barges("albertdok albert-antwerp albert-limburg", 6, "BEGNK"),
    barges("albert-antwerp albert-limburg albert-liege", 6, "BELGG"),
    barges("albert-limburg albert-liege", 5, "BEMSI"),
    barges("albert-liege meuse-liege meuse-namur", 4, "BENAM"),
    barges("meuse-liege", 3, "BENRY"),
    barges("meuse-border meuse-vise", 2, "BEVIS", 79),
    barges("ghent-terneuzen ghent-kluizen ghent-rodenhuize ringvaart", 5, "BEGNE"),
    barges("brussels-scheldt", 7, "BEBRU"),
    barges("scheldt-lillo scheldt-liefkenshoek scheldt-kallo scheldt-city scheldt-upper rupel", 4, "BEBRU"),
)  # fmt: skip

ANCHORAGES: tuple[tuple[Position, int], ...] = (
    (Position(51.43, 2.47), 4),
    (Position(51.398, 3.655), 3),
    (Position(51.755, 2.87), 3),
)
"""Westhinder, Flushing roads and Schouwenbank, with the number of ships that wait there."""

GROUNDS: tuple[tuple[Position, float, int], ...] = (
    (Position(51.25, 2.62), 2500.0, FISHER),
    (Position(51.30, 2.50), 3000.0, FISHER),
    (Position(51.46, 3.02), 2600.0, FISHER),
    (Position(51.50, 3.16), 2200.0, FISHER),
    (Position(51.443, 2.72), 1500.0, DREDGER),
    (Position(51.375, 3.10), 900.0, DREDGER),
)

MAX_QUAY_DOCK_CORNERS = 6
"""Ring positions of a dock that has two long sides: four or five corners and the first again."""
BERTHED_PER_DOCK = {"BEANR": 2, "BEZEE": 2, "BEOST": 1, "BEGNE": 1, "NLVLI": 2, "NLTNZ": 1}
BERTHED_BARGES = {"BEBRU": 1, "BELGG": 2, "BEMSI": 1, "BENRY": 1, "BEGNK": 1, "BEHSS": 1}


class Registry:
    """Hands out names and numbers, each once, in an order that only the seed decides."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._names = [f"{first} {second}" for first in FIRST for second in SECOND]
        self._barges = [f"{first} {second}" for first in BARGE_FIRST for second in BARGE_SECOND]
        chance.shuffle(self._names)
        chance.shuffle(self._barges)
        self._number = SCENE_MMSIS

    def vessel(self, stream: Traffic) -> Vessel:
        """A new vessel for this stream."""
        self._number += 1
        chance, inland = self._chance, stream.inland
        length = chance.randint(*stream.lengths_m)
        flag = chance.choice(FLAGS_INLAND if inland else (205, 244) if length < 60 else FLAGS_SEA)
        return Vessel(
            mmsi=mmsi(flag, self._number),
            name=self._barges.pop() if inland else self._names.pop(),
            callsign=f"OR{self._number:04d}" if flag == 205 else f"X{flag % 100:02d}{self._number:03d}",
            ship_type=chance.choice(stream.ship_types),
            length_m=length,
            beam_m=(11 if length > 90 else 9) if inland else max(4, round(length / 6.6)),
            draught_m=round(chance.uniform(2.0, 3.2) if inland else max(1.2, length / 26), 1),
            destination=stream.destination,
            imo=0 if inland or length < 60 else imo_number(300_000 + self._number),
            eni=eni_number(self._number) if inland else "",
            equipment=stream.equipment,
        )


def mmsi(flag: int, number: int) -> int:
    """Nine digits: the country's three, `98` and four (Recommendation ITU-R M.585)."""
    assert 0 <= number < 10_000
    return flag * 1_000_000 + 980_000 + number


def imo_number(first_six: int) -> int:
    """Six digits and their check digit."""
    return first_six * 10 + imo.check_digit(f"{first_six:06d}")


def eni_number(number: int) -> str:
    """Eight digits of the two ranges that Belgium issues, 061 and 069."""
    return f"{'061' if number % 2 else '069'}{number:05d}"


def fleet(chart: Chart, seed: int) -> list[Actor]:
    """Everybody, in a fixed order."""
    chance = Random(f"fleet {seed}")
    registry = Registry(chance)
    return [
        *(actor for stream in TRAFFIC for actor in _stream(chart, stream, registry, chance)),
        *_anchored(registry, chance),
        *_grounds(registry, chance),
        *_berthed(chart, registry, chance),
    ]


def _stream(chart: Chart, stream: Traffic, registry: Registry, chance: Random) -> Iterator[Actor]:
    route = chart.route(stream.legs.split(), INLAND_BEND_M if stream.inland else SEA_BEND_M)
    stops = [] if stream.equipment is B else chart.locks_on(route)
    for i in range(stream.count):
        phase = (i + chance.uniform(0.1, 0.9)) / stream.count
        speed = round(chance.uniform(*stream.speeds_kn), 1)
        shift = stream.shift_m if stream.inland else stream.shift_m * chance.uniform(0.6, 1.0)
        motion = shuttle(
            route, speed_kn=speed, stops_m=stops, stop_s=780, rest_s=stream.rest_s, shift_m=shift, phase=phase,
            rest_status=stream.rest_status,
        )  # fmt: skip
        yield Actor(registry.vessel(stream), motion)


def _anchored(registry: Registry, chance: Random) -> Iterator[Actor]:
    waiting = sea("", 0, "BEANR", (120, 250), (0, 0), 70, SHIP_TYPE_TANKER)
    for centre, count in ANCHORAGES:
        for i in range(count):
            place = Position(centre.latitude_deg + 0.008 * (i % 2), centre.longitude_deg + 0.016 * i)
            yield Actor(registry.vessel(waiting), Still(place, chance.uniform(200, 250), AT_ANCHOR, 12.0))


def _grounds(registry: Registry, chance: Random) -> Iterator[Actor]:
    for centre, radius, kind in GROUNDS:
        working = sea("", 0, "", (24, 38) if kind == FISHER else (80, 120), (0, 0), kind)
        status = FISHING if kind == FISHER else UNDER_WAY
        yield Actor(registry.vessel(working), Ring(centre, radius, chance.uniform(3.4, 4.6), chance.random(), status))


def _berthed(chart: Chart, registry: Registry, chance: Random) -> Iterator[Actor]:
    for _, port, outline in chart.docks:
        if len(outline) > MAX_QUAY_DOCK_CORNERS:
            continue
        small = port in BERTHED_BARGES or port == "BEOST"
        for i in range(BERTHED_PER_DOCK.get(port, 0) + BERTHED_BARGES.get(port, 0)):
            if port in BERTHED_BARGES:
                stream = barges("", 0, port)
            else:
                stream = sea("", 0, port, (24, 60) if small else (90, 190), (0, 0), 70, SHIP_TYPE_TANKER)
            yield Actor(registry.vessel(stream), _alongside(outline, i, chance))


def _alongside(outline: Sequence[Position], i: int, chance: Random) -> Still:
    """At a long side of the dock, a little inside."""
    centre = between(between(outline[0], outline[1], 0.5), between(outline[2], outline[3], 0.5), 0.5)
    begin, end = (outline[1], outline[2]) if i % 2 else (outline[3], outline[0])
    quay = between(begin, end, chance.uniform(0.3, 0.7))
    return Still(between(quay, centre, 0.3), bearing_deg(begin, end), swing_m=1.0)
