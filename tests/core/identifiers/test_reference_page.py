"""The reference page says what the modules do."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from port2port.core.identifiers import eni, mid, plate

PAGE = Path(__file__).parents[3] / "docs/reference/identifiers.md"
ROWS = re.findall(r"^\| `(\w+)` \|.*\| `([^`]+)` \| `([^`]+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)


def test_the_page_has_a_row_for_every_module() -> None:
    folder = Path(eni.__file__).parent
    helpers = {"__init__", "text", "mid"}
    assert {name for name, _, _ in ROWS} == {each.stem for each in folder.glob("*.py")} - helpers


@pytest.mark.parametrize(("name", "normal", "refused"), ROWS)
def test_the_examples_of_the_page_are_true(name: str, normal: str, refused: str) -> None:
    module = importlib.import_module(f"port2port.core.identifiers.{name}")
    assert module.check(normal) == normal
    assert not module.is_valid(refused)


def test_the_forms_of_plates_on_the_page_are_taken() -> None:
    rows = re.findall(r"^\| (BE|FR|LU) \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    examples = [(country, text) for country, forms in rows for text in re.findall(r"`([^`]+)`", forms)]
    assert len(examples) > 10
    assert [each for each in examples if not plate.is_valid(each[1], each[0])] == []


def test_the_page_counts_the_country_digits() -> None:
    assert f"a table of {len(mid.COUNTRY_OF_MID)} country digits" in PAGE.read_text("utf-8")
