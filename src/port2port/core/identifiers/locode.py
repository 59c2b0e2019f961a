"""UN/LOCODE (UNECE recommendation 16): ISO 3166 country, then three characters A to Z or 2 to 9, e.g. `BEANR`.

`check` judges the form and the country; `find` knows the ports and inland ports of our networks. The world
has over a hundred thousand codes, so one that is not in the table is not therefore wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.identifiers.text import compact, is_letters, passes, refuse
from port2port.core.place import Position

CHARACTERS = 5
_LOCATION_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ23456789")
_NAME, _EXPECTED = "a UN/LOCODE", "a country and three characters, such as BEANR"

_ISO_3166 = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT
JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN
MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT
PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL
TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK XZ YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_ISO_3166.split())
"""ISO 3166-1 alpha-2, with XK (Kosovo) and XZ (international waters) as the UN list uses them."""


@dataclass(frozen=True, slots=True)
class Location:
    """A row of the UN list. Coordinates are whole minutes there, a few of them wrong: good for a rough place only."""

    code: str
    name: str
    latitude_deg: float | None = None
    longitude_deg: float | None = None

    @property
    def position(self) -> Position | None:
        """None where the UN list gives no coordinates."""
        if self.latitude_deg is None or self.longitude_deg is None:
            return None
        return Position(self.latitude_deg, self.longitude_deg)


def normalise(text: str) -> str:
    """Capitals without spaces."""
    return compact(text)


def check(text: str) -> str:
    """The code as five characters. Raises `BadInput`."""
    code = normalise(text)
    if len(code) != CHARACTERS or not is_letters(code[:2]):
        raise refuse(text, _NAME, "it is not two letters and three more characters", _EXPECTED)
    if code[:2] not in COUNTRIES:
        raise refuse(text, _NAME, f"{code[:2]} is no country", _EXPECTED)
    if not _LOCATION_CHARACTERS.issuperset(code[2:]):
        raise refuse(text, _NAME, "after the country stand only A to Z and 2 to 9", _EXPECTED)
    return code


def is_valid(text: str) -> bool:
    return passes(check, text)


def find(text: str) -> Location | None:
    """The location of a code, where our table knows it."""
    return BY_CODE.get(normalise(text))


LOCATIONS = (
    Location("BEANR", "Antwerpen", 51.2167, 4.4167),
    Location("BEBGS", "Brugge", 51.2167, 3.2333),
    Location("BEBRU", "Brussel / Bruxelles", 50.8333, 4.3333),
    Location("BECRL", "Charleroi", 50.4167, 4.4333),
    Location("BEDEL", "Doel", 51.3167, 4.2667),
    Location("BEECH", "Mechelen", 51.0333, 4.4667),
    Location("BEGEL", "Geel", 51.1667, 5.0),
    Location("BEGNE", "Gent", 51.05, 3.7167),
    Location("BEGNK", "Genk", 50.9667, 5.5),
    Location("BEHER", "Herentals", 51.1833, 4.8333),
    Location("BEHRS", "Herstal", 50.6667, 5.6333),
    Location("BEHSS", "Hasselt", 50.9333, 5.3333),
    Location("BEHUY", "Huy", 50.5167, 5.2333),
    Location("BEKJK", "Kortrijk", 50.8333, 3.2667),
    Location("BEKOU", "Kallo", 51.25, 4.2833),
    Location("BELAN", "Lanaken", 50.8833, 5.65),
    Location("BELEU", "Leuven", 50.8833, 4.7),
    Location("BELGG", "Liège", 50.6333, 5.5667),
    Location("BELIL", "Lillo", 51.3, 4.3),
    Location("BELNY", "Lanaye / Ternaaien", 50.7833, 5.6833),
    Location("BELUM", "Lummen", 50.9833, 5.2),
    Location("BEMEH", "Meerhout", 51.1333, 5.0833),
    Location("BEMSI", "Monsin", 50.6667, 5.6333),
    Location("BENAM", "Namur", 50.4667, 4.8667),
    Location("BENIE", "Nieuwpoort", 51.1333, 2.75),
    Location("BENRY", "Renory", 50.6, 5.55),
    Location("BEOST", "Oostende", 51.2, 2.9167),
    Location("BERIN", "Beringen", 51.05, 5.2167),
    Location("BEROE", "Roeselare", 50.95, 3.1333),
    Location("BETES", "Tessenderlo", 51.0667, 5.0833),
    Location("BEVIL", "Vilvoorde", 50.9333, 4.4333),
    Location("BEVIS", "Visé", 50.7333, 5.7),
    Location("BEWLB", "Willebroek", 51.0667, 4.3667),
    Location("BEWND", "Wandre", 50.6667, 5.65),
    Location("BEZEE", "Zeebrugge", 51.3333, 3.2),
    Location("BEZEL", "Zelzate", 51.2, 3.8167),
    Location("BEZER", "Seraing", 50.6, 5.4833),
    Location("DEBRE", "Bremen"),
    Location("DEBRV", "Bremerhaven"),
    Location("DECGN", "Köln", 50.95, 6.9333),
    Location("DEDUI", "Duisburg", 51.4667, 6.75),
    Location("DEDUS", "Düsseldorf", 51.2333, 6.7833),
    Location("DEEME", "Emden", 53.3667, 7.2167),
    Location("DEHAM", "Hamburg", 53.5167, 9.9333),
    Location("DENSS", "Neuss", 51.1833, 6.6833),
    Location("DEWVN", "Wilhelmshaven", 53.5167, 8.1333),
    Location("FRBOL", "Boulogne-sur-Mer", 50.7167, 1.6167),
    Location("FRCQF", "Calais", 50.95, 1.85),
    Location("FRDKK", "Dunkerque", 51.0333, 2.3833),
    Location("FRLEH", "Le Havre", 49.5, 0.1),
    Location("GBDVR", "Dover"),
    Location("GBFXT", "Felixstowe"),
    Location("GBHUL", "Hull", 53.7333, -0.3167),
    Location("GBIMM", "Immingham", 53.6, -0.2167),
    Location("GBLGP", "London Gateway Port", 51.5, 0.4833),
    Location("GBLON", "London"),
    Location("GBTHP", "Thamesport"),
    Location("GBTIL", "Tilbury"),
    Location("LUMRT", "Mertert", 49.7, 6.4833),
    Location("NLAMS", "Amsterdam", 52.4, 4.8167),
    Location("NLBON", "Born", 51.0333, 5.8167),
    Location("NLBRS", "Breskens", 51.3833, 3.5667),
    Location("NLBZM", "Bergen op Zoom", 51.5, 4.3),
    Location("NLDHR", "Den Helder", 52.95, 4.7667),
    Location("NLDOR", "Dordrecht", 51.7833, 4.6333),
    Location("NLDZL", "Delfzijl", 52.5167, 6.9333),
    Location("NLEEM", "Eemshaven"),
    Location("NLGOE", "Goes"),
    Location("NLHAR", "Harlingen", 53.1833, 5.4333),
    Location("NLHVH", "Hoek van Holland", 51.9667, 4.1167),
    Location("NLIJM", "IJmuiden/Velsen", 52.4667, 4.6),
    Location("NLMID", "Middelburg"),
    Location("NLMOE", "Moerdijk", 51.6833, 4.5667),
    Location("NLMST", "Maastricht"),
    Location("NLNIJ", "Nijmegen"),
    Location("NLRTM", "Rotterdam", 51.9167, 4.5),
    Location("NLSLU", "Sluiskil", 51.2833, 3.8333),
    Location("NLSVG", "Sas van Gent", 51.2333, 3.8),
    Location("NLTLB", "Tilburg"),
    Location("NLTNZ", "Terneuzen", 51.4667, 3.8167),
    Location("NLVEN", "Venlo", 51.3667, 6.1667),
    Location("NLVLA", "Vlaardingen"),
    Location("NLVLI", "Vlissingen", 51.45, 3.7),
)
"""Ports and inland ports of the Belgian network and its neighbours, from UN/LOCODE 2023-1."""

BY_CODE = {location.code: location for location in LOCATIONS}
