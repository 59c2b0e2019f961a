"""Our bundles, judged by the libraries of OASIS. Skipped where they are not installed; a node never needs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from test_stix import SENDER, example

from port2port.core.alert import Priority
from port2port.core.handling import Tlp, named_nodes
from port2port.core.place import Position
from port2port.incidents.model import Cause, Kind, Place, Status
from port2port.incidents.stix import write_bundle

stix2 = pytest.importorskip("stix2", reason="oracle: stix2 is not installed")
validator = pytest.importorskip("stix2validator", reason="oracle: stix2-validator is not installed")


def test_stix2_parses_it_strictly() -> None:
    parsed = stix2.parse(write_bundle(example(), SENDER).decode(), allow_custom=False)
    assert [each.type for each in parsed.objects].count("incident") == 1


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"place": Place(name="Gate 3"), "description": "", "notes": ()},
        {"place": Place(name="", position=Position(-0.5, 179.999999))},
        {"status": Status.CLOSED, "cause": Cause.FALSE_ALARM, "version": 7},
        {"status": Status.REPORTED, "priority": Priority.URGENT, "kind": Kind.DROP_OFF},
        *({"handling": replace(example().handling, tlp=tlp)} for tlp in Tlp),
        {"handling": replace(example().handling, audience=named_nodes("a" * 64, "b" * 64), readers=frozenset({"x@y"}))},
    ],
)
def test_the_validator_finds_it_valid(wishes: dict[str, Any]) -> None:
    options = validator.ValidationOptions(version="2.1")
    found = validator.validate_string(write_bundle(example(**wishes), SENDER).decode(), options)
    assert found.is_valid, found.as_dict()
