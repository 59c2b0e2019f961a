"""Those who carry our incidents may say how people call them."""

from __future__ import annotations

from incidents_kit import GUARD, START, Desk

from port2port.incidents.model import Kind, Place, Report


def test_an_incident_is_called_by_its_reference_and_title_and_nothing_else_is_named(desk: Desk) -> None:
    what = Report(kind=Kind.OTHER, title="Hole", description="", place=Place(name="Gate 3"), observed_at=START)
    made = desk.service.report(what, GUARD)
    asked = [("incident", made.id), ("incident", "unknown"), ("stix-bundle", made.id)]
    known = desk.running.answers["titles"].titles(asked)  # type: ignore[attr-defined]
    assert known == {("incident", made.id): (f"{made.reference} Hole", f"/incidents/{made.id}")}
