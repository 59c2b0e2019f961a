"""What ports, facilities and points on a waterway are called."""

from __future__ import annotations

import csv
import gzip
import unicodedata
from pathlib import Path

import pytest

from port2port.core.errors import BadInput
from port2port.core.identifiers import facility, isrs, locode
from port2port.core.place import Position

NETWORK = (
    "BEANR BEZEE BEOST BEGNE BELGG BEBRU BEGNK BEHSS BECRL BENAM BEROE BEVIL BEWLB BEBGS BENIE BEMEH BELUM BETES BERIN "
    "BELEU BEMSI BENRY BEHRS BEZEL BEDEL BEKOU NLVLI NLTNZ NLRTM NLMOE"
)


def test_the_ports_of_the_network_are_known_by_name_and_place() -> None:
    found = [locode.find(code) for code in NETWORK.split()]
    assert all(location and location.name and location.position for location in found)


def test_a_code_without_coordinates_in_the_list_has_no_position() -> None:
    felixstowe = locode.find("gb fxt")
    assert felixstowe is not None
    assert felixstowe.position is None


def test_our_table_says_what_the_un_list_says(shared: Path) -> None:
    with gzip.open(shared / "data/picture/unlocode_2023_benelux_northsea.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for location in locode.LOCATIONS:
        listed = [row for row in rows if row["locode"] == location.code]
        assert listed, location.code
        first_name = _plain(location.name.split(" / ")[0])
        assert any(first_name in _plain(row["name"]) for row in listed), location
        assert location.position == _position(listed[0]), location


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _position(row: dict[str, str]) -> Position | None:
    return Position(float(row["lat"]), float(row["lon"])) if row["lat"] else None


@pytest.mark.parametrize(
    ("text", "wrong"), [("EBANR", "EB is no country"), ("BEAN1", "A to Z and 2 to 9"), ("BE", "three more")]
)
def test_a_wrong_locode_is_told_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(BadInput, match=wrong):
        locode.check(text)


def test_a_locode_that_the_table_does_not_know_is_not_wrong() -> None:
    assert locode.check("SGSIN") == "SGSIN"
    assert locode.find("SGSIN") is None


@pytest.mark.parametrize("text", ["BEANR-0001", "beanr0001", "BEANR 0001"])
def test_a_facility_number_has_one_hyphen(text: str) -> None:
    assert facility.check(text) == "BEANR-0001"


def test_a_whole_port_can_be_one_facility() -> None:
    assert facility.check("BEOST-0000") == "BEOST-0000"


@pytest.mark.parametrize("text", ["BEANR-001", "BEANR-00012", "BEANR-00A1", "EBANR-0001", "BEANR"])
def test_no_facility_has_this_number(text: str) -> None:
    with pytest.raises(BadInput, match="BEANR-0001"):
        facility.check(text)


def test_a_location_code_is_read_into_its_parts() -> None:
    assert isrs.parse("ATLNZ00001G000921352") == isrs.Parts(
        country="AT", location="LNZ", section="00001", object_reference="G0009", hectometre=21352
    )
    assert isrs.parse("ATLNZ00001G000921352").locode == "ATLNZ"
    assert isrs.parse("ATLNZ00001G000921352").object_kind == "G"


def test_a_point_on_the_fairway_has_neither_location_nor_object() -> None:
    parts = isrs.parse("BEXXX0123A0000000455")
    assert (parts.locode, parts.object_kind, parts.hectometre) == ("", "", 455)


@pytest.mark.parametrize(
    "text", ["ATLNZ00001G00092135", "12LNZ00001G000921352", "ATLNZ00001G00092135X", "ATLNZ00001100921352X"]
)
def test_no_location_code_looks_like_this(text: str) -> None:
    assert not isrs.is_valid(text)


def test_a_distance_is_rounded_to_the_nearest_hectometre() -> None:
    assert [isrs.hectometre(each) for each in (0, 49.9, 50, 45_450)] == [0, 0, 1, 455]
