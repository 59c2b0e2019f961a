"""A figure: what we measured, beside the floor it is held against in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Figure = dict[str, Any]
Better = Literal["more", "less"]


def ratio_figure(value: float, floor: float, unit: str, target_ratio: float, note: str = "") -> Figure:
    """A rate that must be at least `target_ratio` of its floor's rate."""
    ratio = value / floor if floor else 0.0
    return _figure(value, unit, floor, ratio, f">= {target_ratio:g} x floor", ratio >= target_ratio, note)


def limit_figure(value: float, unit: str, limit: float, floor: float | None = None, note: str = "") -> Figure:
    """A quantity that must be at most `limit`; `floor` is what the bare means need, when measured."""
    ratio = value / floor if floor else None
    return _figure(value, unit, floor, ratio, f"<= {limit:g} {unit}", value <= limit, note)


def least_figure(value: float, unit: str, least: float, floor: float | None = None, note: str = "") -> Figure:
    """A quantity that must be at least `least`; `floor` is what the bare means or a peer reach, when measured."""
    ratio = value / floor if floor else None
    return _figure(value, unit, floor, ratio, f">= {least:g} {unit}", value >= least, note)


def _figure(
    value: float, unit: str, floor: float | None, ratio: float | None, target: str, met: bool, note: str
) -> Figure:
    figure: Figure = {
        "value": round(value, 3),
        "unit": unit,
        "floor": None if floor is None else round(floor, 3),
        "ratio": None if ratio is None else round(ratio, 3),
        "target": target,
        "met": met,
    }
    return {**figure, "note": note} if note else figure


def rows(figures: Mapping[str, Figure]) -> list[list[Any]]:
    """Figures as rows of a table: name, value, unit, floor, ratio, target, met."""
    return [
        [
            name,
            each["value"],
            each["unit"],
            each["floor"],
            each["ratio"],
            each["target"],
            "yes" if each["met"] else "NO",
        ]
        for name, each in figures.items()
    ]
