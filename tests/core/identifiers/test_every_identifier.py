"""Laws that hold for each identifier module alike, and kind refusals."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port2port.core.errors import BadInput
from port2port.core.identifiers import container, eni, facility, imo, isrs, locode, mmsi, plate

EXAMPLE = {
    imo: "9074729",
    mmsi: "205123000",
    eni: "06105312",
    container: "CSQU3054383",
    locode: "BEANR",
    facility: "BEANR-0001",
    isrs: "ATLNZ00001G000921352",
    plate: "1ABC123",
}
MODULES = pytest.mark.parametrize("module", EXAMPLE, ids=lambda module: module.__name__.rpartition(".")[2])
LIKELY = st.text("ABCDEFGHIJUZIMO0123456789- .äß\u0131\u0660\u00b2", max_size=24)


@MODULES
def test_the_example_is_valid_and_already_normal(module: ModuleType) -> None:
    assert module.check(EXAMPLE[module]) == module.normalise(EXAMPLE[module]) == EXAMPLE[module]


@MODULES
def test_case_and_spacing_do_not_matter(module: ModuleType) -> None:
    spaced = " ".join(EXAMPLE[module].replace("-", "").lower())
    assert module.check(f" {spaced}\t") == EXAMPLE[module]


@MODULES
@settings(max_examples=150, deadline=None)
@given(text=st.one_of(st.text(max_size=80), LIKELY))
def test_any_text_is_answered_or_refused_and_normalising_twice_changes_nothing(module: ModuleType, text: str) -> None:
    normal = module.normalise(text)
    assert module.normalise(normal) == normal
    if module.is_valid(text):
        assert module.check(text) == module.check(normal) == normal
    else:
        with pytest.raises(BadInput) as refused:
            module.check(text)
        assert refused.value.hint.startswith("Expected ")


@MODULES
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_number_in_another_script_is_no_number(module: ModuleType, data: st.DataObject) -> None:
    example = EXAMPLE[module]
    place = data.draw(st.sampled_from([i for i, each in enumerate(example) if each.isalnum()]))
    odd = data.draw(st.sampled_from("\u0661\u00b2\u0416\u0391\uff11"))
    assert not module.is_valid(example[:place] + odd + example[place + 1 :])


@MODULES
def test_a_very_long_text_is_refused_without_being_repeated(module: ModuleType) -> None:
    with pytest.raises(BadInput) as refused:
        module.check("9" * 100_000)
    assert len(str(refused.value)) < 400


@MODULES
@pytest.mark.parametrize("text", ["", " ", "-", "\x00"])
def test_nothing_is_not_an_identifier(module: ModuleType, text: str) -> None:
    assert not module.is_valid(text)
