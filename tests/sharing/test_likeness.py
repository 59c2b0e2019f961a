"""Names that a tired person could take for one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from port2port.sharing.likeness import look_alike, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "port of antwerp",
        "PORT  OF ANTWERP",
        "Port-of-Antwerp.",
        "P\u043ert of Antwerp",  # Cyrillic
        "\u0391ntwerp",  # Greek
        "Port of A\u0301ntwerp",
        "P0rt of Antwerp",
        "Port of Antwe\u200brp",
        "\uff30\uff4f\uff52\uff54 of Antwerp",  # full width
    ],
)
def test_one_name_is_taken_for_another(name: str) -> None:
    assert look_alike(name, "Port of Antwerp") or look_alike(name, "Antwerp")


@pytest.mark.parametrize(
    ("one", "other"), [("Haminа", "Hamina"), ("Kiel", "Kie1"), ("Kiel", "KieI"), ("Varna", "Vama"), ("Łeba", "LEBA")]
)
def test_letters_and_digits_that_look_the_same_are_the_same(one: str, other: str) -> None:
    assert look_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Port of Antwerp", "Port of Ghent"),
        ("Port of Antwerp", "Port of Antwerp 2"),
        ("Liège", "Liefkenshoek"),
        ("Waterway management Antwerp", "Port of Antwerp"),
        ("–", "…"),
        ("", " "),
    ],
)
def test_names_that_differ_stay_apart(one: str, other: str) -> None:
    assert not look_alike(one, other)


@given(st.text(), st.text())
def test_likeness_is_mutual_and_everything_is_like_itself(one: str, other: str) -> None:
    assert look_alike(one, one)
    assert look_alike(one, other) == look_alike(other, one)
    assert skeleton(one) == skeleton(one.strip())
