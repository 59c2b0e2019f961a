"""What containers and road vehicles are called."""

from __future__ import annotations

from random import Random

import pytest
import stdnum.iso6346

from port2port.core.errors import BadInput
from port2port.core.identifiers import container, plate


@pytest.mark.parametrize("text", ["CSQU3054383", "csqu 305438 3", "CSQU-305438-3"])
def test_a_good_container_number_is_eleven_characters(text: str) -> None:
    assert container.check(text) == "CSQU3054383"


def test_a_wrong_check_digit_is_named() -> None:
    with pytest.raises(BadInput, match="last digit should be 3"):
        container.check("CSQU3054384")


def test_only_three_letters_can_stand_in_fourth_place() -> None:
    assert sorted(container.CATEGORIES) == ["J", "U", "Z"]
    with pytest.raises(BadInput, match="fourth letter is R"):
        container.check(_with_check_digit("CSQR305438"))


def _with_check_digit(ten_characters: str) -> str:
    return ten_characters + str(container.check_digit(ten_characters))


def test_container_numbers_agree_with_another_implementation() -> None:
    source = Random(2)
    numbers = [_some_container(source) for _ in range(5000)]
    verdicts = [container.is_valid(number) for number in numbers]
    assert verdicts == [stdnum.iso6346.is_valid(number) for number in numbers]
    assert 400 < sum(verdicts) < 700


def _some_container(source: Random) -> str:
    owner = "".join(source.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=3))
    return f"{owner}{source.choice('UJZ')}{source.randrange(10**7):07d}"


def test_remainder_ten_is_painted_as_zero_and_known_as_weak() -> None:
    weak = next(f"CSQU{n:06d}" for n in range(100) if container.remainder(f"CSQU{n:06d}") == 10)
    assert container.check(weak + "0") == weak + "0"
    assert container.is_weak(weak + "0")
    assert not container.is_weak("CSQU3054383")


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("BE", "1-ABC-123"),
        ("BE", "ABC-123"),
        ("BE", "123-ABC"),
        ("BE", "Q-AAA-111"),
        ("BE", "CD-AB-123"),
        ("FR", "AB-123-CD"),
        ("FR", "WW-123-AB"),
        ("FR", "1234 AB 59"),
        ("FR", "123 ABC 2A"),
        ("DE", "HH-AB 1234"),
        ("DE", "B-A 1"),
        ("DE", "K-EV 123E"),
        ("DE", "TÜ-AB 12H"),
        ("DE", "Y-123456"),
        ("LU", "AB 1234"),
        ("LU", "12345"),
    ],
)
def test_a_plate_of_a_regular_series_is_taken(country: str, text: str) -> None:
    assert plate.check(text, country) == text.replace("-", "").replace(" ", "")
    assert country in plate.countries(text)


DUTCH = """
AB-12-34 12-34-AB 12-AB-34 AB-12-CD AB-CD-12 12-AB-CD 12-ABC-3
1-ABC-23 AB-123-C A-123-BC ABC-12-D A-12-BCD 1-AB-234 123-AB-4
"""
"""One plate of each series, in the order of their numbers."""


@pytest.mark.parametrize(("number", "text"), list(enumerate(DUTCH.split(), start=1)))
def test_each_dutch_series_has_its_number(number: int, text: str) -> None:
    assert plate.sidecode(text) == number
    assert plate.is_valid(text, "NL")


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("BE", "0-ABC-123"),
        ("NL", "A-1-B"),
        ("FR", "AI-123-CD"),
        ("FR", "AB-123-CU"),
        ("FR", "SS-123-AB"),
        ("FR", "AB-123-SS"),
        ("FR", "AB-000-CD"),
        ("FR", "1234 AB 96"),
        ("DE", "B-AB 0123"),
        ("DE", "HHH-AB 1234"),
        ("LU", "ABC 123"),
    ],
)
def test_no_series_of_the_country_has_this_form(country: str, text: str) -> None:
    with pytest.raises(BadInput, match=plate.EXAMPLES[country]):
        plate.check(text, country)


def test_the_same_characters_are_another_vehicle_in_another_country() -> None:
    assert plate.countries("AB 1234") == ("NL", "DE", "LU")
    assert plate.key("ab 1234", "LU") == "LU:AB1234"
    assert plate.key("ab 1234", "DE") == "DE:AB1234"


def test_a_country_that_is_not_known_is_said_so() -> None:
    with pytest.raises(BadInput, match="Known: BE, NL, FR, DE, LU"):
        plate.check("AB 1234", "ES")


def test_two_german_plates_can_look_the_same_to_a_camera() -> None:
    assert plate.check("B-AB 12", "DE") == plate.check("BA-B 12", "DE")
