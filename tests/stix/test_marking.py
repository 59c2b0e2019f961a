"""The handling label as a marking: nothing lost on the way, equal labels one marking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stix_kit import AT, AUTHOR, LABEL, WIDE

from port2port.core.errors import DecodeError
from port2port.core.handling import (
    Audience,
    Handling,
    LegalBasis,
    Pap,
    PersonalData,
    Purpose,
    Scope,
    Tlp,
)
from port2port.core.party import Compartment
from port2port.stix.bundle import write_object
from port2port.stix.check import check
from port2port.stix.extension import EXTENSION_ID
from port2port.stix.marking import PAP_IDS, TLP_IDS, handling_marking, pap_marking, read_handling, tlp_marking
from port2port.stix.reading import read_object

NODES = st.frozensets(st.sampled_from(["a" * 64, "b" * 64, "c" * 64]))
LABELS = st.builds(
    Handling,
    origin=st.sampled_from(["a" * 64, "0" * 64]),
    tlp=st.sampled_from(Tlp),
    pap=st.sampled_from(Pap),
    audience=st.builds(Audience, scope=st.sampled_from(Scope), nodes=NODES, group=st.sampled_from(["", "group-1"])),
    compartment=st.sampled_from([Compartment.A, Compartment.B]),
    legal_basis=st.sampled_from(LegalBasis),
    purpose=st.sampled_from(Purpose),
    personal_data=st.sampled_from(PersonalData),
    retain_until=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    agreement_id=st.text("abc-1", min_size=1, max_size=20),
    context=st.sampled_from(["live", "exercise-7"]),
    readers=st.frozensets(st.sampled_from(["anna@" + "b" * 64, "bert@" + "c" * 64])),
)


@given(LABELS)
def test_a_label_comes_back_equal_and_its_marking_is_valid(label: Handling) -> None:
    marking = handling_marking(label, AT, AUTHOR)
    assert check(marking) == ()
    assert read_handling(read_object(write_object(marking))) == label


def test_equal_labels_are_one_marking_and_others_are_not() -> None:
    later = handling_marking(LABEL, AT + timedelta(days=1))
    assert handling_marking(LABEL, AT)["id"] == later["id"] != handling_marking(WIDE, AT)["id"]
    assert handling_marking(replace(LABEL, context="exercise-7"), AT)["id"] != later["id"]


def test_a_label_of_before_pap_allows_nothing_that_shows() -> None:
    marking = handling_marking(replace(LABEL, pap=Pap.GREEN), AT)
    del marking["extensions"][EXTENSION_ID]["handling"]["pap"]
    assert check(marking) == ()
    assert read_handling(marking) == replace(LABEL, pap=Pap.RED)


def test_what_carries_no_label_has_none() -> None:
    assert read_handling(tlp_marking(Tlp.RED)) is None
    assert read_handling({"extensions": {EXTENSION_ID: {"extension_type": "property-extension"}}}) is None
    assert read_handling({"extensions": "?"}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"tlp": "TLP:WHITE"},
        {"pap": "PAP:WHITE"},
        {"retain_until": "2026-11-25T08:30:00"},
        {"compartment": None},
        {"audience": {"scope": "everybody"}},
        {"readers": "anna"},
    ],
)
def test_a_label_that_cannot_be_read_is_refused(change: dict[str, object]) -> None:
    marking = handling_marking(LABEL, AT)
    marking["extensions"][EXTENSION_ID]["handling"] |= change
    with pytest.raises(DecodeError):
        read_handling(marking)
    assert check(marking) != ()


def test_the_official_markings_have_the_official_ids() -> None:
    assert {tlp_marking(tlp)["id"] for tlp in Tlp} == set(TLP_IDS.values())
    assert [pap_marking(pap)["id"] for pap in Pap] == list(PAP_IDS.values())
