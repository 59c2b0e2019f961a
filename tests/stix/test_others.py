"""Extensions of others that we write and read: Incident Core, and CACAO playbooks."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stix_kit import CACAO, emitted, version

from port2port.core.errors import BadInput, DecodeError
from port2port.stix import incident_core, playbook
from port2port.stix.incident_core import CORE_ID, Core, read_core
from port2port.stix.limits import MAX_PLAYBOOK_BYTES
from port2port.stix.playbook import PLAYBOOK_ID, course_of_action, read_playbook

JSON = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3))


def test_incident_core_comes_back_as_it_was_written() -> None:
    found = next(each for each in emitted() if CORE_ID in each.get("extensions", ()))
    core = read_core(found)
    assert isinstance(core, Core)
    assert (core.determination, core.investigation_status, core.criticality) == ("confirmed", "open", 60)
    assert core.incident_types == ("suspicious-container",)
    assert core.event_refs[0].startswith("event--")


def test_words_of_other_revisions_are_read() -> None:
    said = {"extension_type": "property-extension", "determination": "low-value", "investigation_status": "x", "y": 1}
    core = read_core({"extensions": {CORE_ID: said}})
    assert core is not None
    assert core.determination == "low-value"


def test_an_incident_without_core_has_none() -> None:
    assert read_core(incident_core.incident(version(), "Fence cut")) is None
    with pytest.raises(DecodeError):
        read_core({"extensions": {CORE_ID: {"determination": "suspected"}}})


@given(st.dictionaries(st.sampled_from(["determination", "investigation_status", "criticality", "event_refs"]), JSON))
def test_any_core_is_read_or_refused(said: dict[str, Any]) -> None:
    try:
        read_core({"extensions": {CORE_ID: said}})
    except DecodeError as error:
        assert error.reason == "bad-incident-core"  # noqa: PT017 - refusing is one of two right answers


def test_a_playbook_travels_as_exact_bytes() -> None:
    read = read_playbook(course_of_action(version(), CACAO))
    assert read == playbook.Playbook("playbook--61a6c41e-6efc-4516-a242-dfbc5c89d562", "cacao", CACAO)


def test_the_other_form_of_the_extension_is_read() -> None:
    said = {"playbook_id": "1", "playbook_format": "BPMN", "playbook_bin": base64.b64encode(b"<x/>").decode()}
    assert read_playbook({"extensions": {PLAYBOOK_ID: said}}) == playbook.Playbook("1", "bpmn", b"<x/>")
    assert read_playbook({"extensions": {}}) is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"type":"playbook"}', CACAO.replace(b'"playbook"', b'"report"'), b"\xff"]
)
def test_what_is_no_playbook_is_not_written(body: bytes) -> None:
    with pytest.raises(BadInput):
        course_of_action(version(), body)
    with pytest.raises(BadInput):
        course_of_action(version(), CACAO + b" " * MAX_PLAYBOOK_BYTES)


@pytest.mark.parametrize("body", [5, None, "===", "é", "A" * (MAX_PLAYBOOK_BYTES * 2)])
def test_a_bad_body_is_refused(body: object) -> None:
    with pytest.raises(DecodeError):
        read_playbook({"extensions": {PLAYBOOK_ID: {"playbook_id": "1", "playbook_base64": body}}})
