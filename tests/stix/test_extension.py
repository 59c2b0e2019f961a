"""Our extension and vocabulary: frozen, published, and as the docs say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from stix_kit import AT, emitted, named, version

from port2port.core.errors import BadInput
from port2port.core.place import Position
from port2port.stix import extension, ids, observations, places, rules, schemas
from port2port.stix.check import check
from port2port.stix.methods import methods
from port2port.stix.normal import IDENTIFYING
from port2port.stix.types import SCO_TYPES, STANDARD_TYPES

DOCS = Path(__file__).parents[2] / "docs" / "reference"
PACKAGED = Path(extension.__file__).parent / "schemas" / "port2port"


def test_the_id_is_fixed_for_ever() -> None:
    assert extension.EXTENSION_ID == "extension-definition--977d9921-2bfc-4fe2-bb70-0d2f05c5ced2"
    assert extension.definition()["version"] == extension.VERSION == "1.0.0"


def test_the_published_schemas_are_those_that_we_check_with() -> None:
    published = {each.name: each.read_text() for each in (DOCS / "stix").glob("*.json")}
    assert published == {each.name: each.read_text() for each in PACKAGED.glob("*.json")}


def test_every_type_has_a_schema_an_identity_and_an_example() -> None:
    names = {*extension.NEW_SCO_TYPES, *(extension.property_schema(kind) for kind in extension.EXTENDED_TYPES)}
    assert set(schemas.ours()) == names
    assert set(ids.OURS) == set(IDENTIFYING) == set(extension.NEW_SCO_TYPES)
    carrying = {each["type"] for each in emitted() if extension.EXTENSION_ID in each.get("extensions", ())}
    assert carrying == {*extension.NEW_SCO_TYPES, *extension.EXTENDED_TYPES}


def test_a_later_version_with_more_properties_is_still_read() -> None:
    for found in emitted():
        if found["type"] in ids.OURS:
            assert check({**found, "x_of_next_year": 1}) == ()


def test_the_page_names_every_rule() -> None:
    page = (DOCS / "stix.md").read_text()
    kinds = [*STANDARD_TYPES, *ids.OURS, ""]
    asked = {must.rule for kind in kinds for must in rules.of_type(kind, kind in SCO_TYPES or kind in ids.OURS)}
    others = {"schema", "json", "limit", "port2port-id", "port2port-normal", "port2port-place"}
    values = {"2-null", "2.10-range", "2.12-empty", "3.2-type"}
    assert {rule for rule in asked | others | values if f"`{rule}`" not in page} == set()


def test_the_page_names_every_type_and_id() -> None:
    page = (DOCS / "stix.md").read_text()
    assert all(f"`{kind}`" in page for kind in extension.NEW_SCO_TYPES)
    assert extension.EXTENSION_ID in page


def test_the_vocabulary_is_that_of_its_page() -> None:
    page = (DOCS / "port-crime-methods.md").read_text()
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `")]
    assert {word.strip(" `"): text.strip() for word, text in rows} == methods()
    assert len(methods()) >= 40


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: places.place(version(), "port"),
        lambda: places.place(version(), "port", un_locode="XXXXX"),
        lambda: places.place(version(), "port", facility_number="BEANR"),
        lambda: observations.gate_transaction(version(), [], "in", AT),
        lambda: observations.gate_transaction(version(), [named("vessel")], "in", AT, completed_at=AT - timedelta(1)),
        lambda: observations.port_call(version(), [named("vessel")], "ANTWERP", AT, AT),
        lambda: observations.track(version(), [named("vessel")], []),
    ],
)
def test_a_builder_refuses_what_would_not_be_valid(wrong: object) -> None:
    with pytest.raises(BadInput):
        wrong()  # type: ignore[operator]


def test_a_facility_number_says_port_and_country() -> None:
    found = places.place(version(), "quay", facility_number="BEANR0001", position=Position(51.0, 4.0))
    assert found["country"] == "BE"
    said = found["extensions"][extension.EXTENSION_ID]
    assert (said["un_locode"], said["facility_number"]) == ("BEANR", "BEANR-0001")


def test_times_are_written_in_utc_to_the_millisecond() -> None:
    local = datetime(2026, 7, 1, 12, 0, 0, 999_999, tzinfo=UTC).astimezone()
    found = observations.gate_transaction(version(created=local), [named("vessel")], "in", local)
    assert found["created"] == found["first_observed"] == "2026-07-01T12:00:00.999Z"
