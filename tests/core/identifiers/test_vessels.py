"""What ships and barges are called: IMO number, MMSI, ENI."""

from __future__ import annotations

from random import Random

import pytest
import stdnum.imo

from port2port.core.errors import BadInput
from port2port.core.identifiers import eni, imo, mid, mmsi
from port2port.core.identifiers.mmsi import Kind


@pytest.mark.parametrize("text", ["9074729", "IMO 9319466", "imo:9074729", "IMO IMO 9074729"])
def test_a_good_imo_number_is_seven_digits(text: str) -> None:
    assert imo.check(text) in ("9074729", "9319466")


def test_a_wrong_last_digit_is_named() -> None:
    with pytest.raises(BadInput, match="last digit should be 9"):
        imo.check("9074728")


def test_zeros_stand_for_no_number() -> None:
    assert not imo.is_valid("0000000")
    assert not eni.is_valid("00000000")


def test_imo_numbers_agree_with_another_implementation() -> None:
    source = Random(1)
    numbers = [f"{source.randrange(1, 10_000_000):07d}" for _ in range(5000)]
    verdicts = [imo.is_valid(number) for number in numbers]
    assert verdicts == [stdnum.imo.is_valid(number) for number in numbers]
    assert 400 < sum(verdicts) < 600, "one in ten passes by chance"


@pytest.mark.parametrize(
    ("number", "kind", "country"),
    [
        ("205123000", Kind.SHIP, "BE"),
        ("246123456", Kind.SHIP, "NL"),
        ("020512345", Kind.GROUP, "BE"),
        ("002059981", Kind.COAST, "BE"),
        ("111232506", Kind.SAR_AIRCRAFT, "GB"),
        ("992056101", Kind.ATON, "BE"),
        ("982271234", Kind.CRAFT, "FR"),
        ("821112345", Kind.HANDHELD, "DE"),
        ("970012345", Kind.SART, None),
        ("972012345", Kind.MOB, None),
        ("974012345", Kind.EPIRB, None),
        ("216123456", Kind.SHIP, None),
    ],
)
def test_the_beginning_of_an_mmsi_says_what_and_whose(number: str, kind: Kind, country: str | None) -> None:
    assert mmsi.check(number) == number
    assert (mmsi.kind(number), mmsi.country(number)) == (kind, country)


@pytest.mark.parametrize("number", ["123456789", "200123456", "776123456", "000012345", "992001234", "900000000"])
def test_no_country_has_these_digits(number: str) -> None:
    with pytest.raises(BadInput, match="201 to 775"):
        mmsi.check(number)


def test_the_country_digits_are_within_the_range_of_the_itu() -> None:
    assert all(mid.FIRST <= int(digits) <= mid.LAST for digits in mid.COUNTRY_OF_MID)
    words = mid._TABLE.replace(",", " ").split()
    assert len(mid.COUNTRY_OF_MID) == sum(word.isdigit() for word in words), "no digits stand in the table twice"
    assert mid.COUNTRY_OF_MID["636"] == "LR"
    assert mid.COUNTRY_OF_MID["538"] == "MH"


def test_the_first_three_digits_of_an_eni_are_the_authority() -> None:
    found = {number: eni.country(eni.check(number)) for number in ("06105312", "02312345", "04812345", "22012345")}
    assert found == {"06105312": "BE", "02312345": "NL", "04812345": "DE", "22012345": "FI"}
    assert eni.country("08012345") is None


def test_an_eni_with_an_imo_number_inside_is_checked() -> None:
    assert eni.imo_number(eni.check("99074729")) == "9074729"
    assert eni.imo_number("06105312") is None
    with pytest.raises(BadInput, match="9074728 is none"):
        eni.check("99074728")


def test_the_ranges_of_authorities_do_not_overlap() -> None:
    bounds = [bound for first, last, _ in eni.AUTHORITIES for bound in (first, last)]
    assert bounds == sorted(set(bounds))
