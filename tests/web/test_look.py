"""Colours of the style sheet: readable by day and by night (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from port2port.web.surface import FOLDER

CSS = (FOLDER / "static" / "port2port.css").read_text("utf-8")
THEMES = ("day", "bright", "dusk", "night")
TEXT = [
    ("fg", "bg"),
    ("fg", "bg-section"),
    ("fg", "bg-field"),
    ("fg", "bg-hover"),
    ("fg-quiet", "bg"),
    ("fg-quiet", "bg-section"),
    ("fg-quiet", "bg-hover"),
    ("main-fg", "main-bg"),
    ("chosen-fg", "chosen-bg"),
    ("link", "bg"),
    ("refused", "bg-section"),
    ("done", "bg-section"),
    ("on-urgent", "urgent"),
    ("on-high", "high"),
    ("on-medium", "medium"),
    ("stripe-fg", "stripe-a"),
    ("stripe-fg", "stripe-b"),
]
SHAPES = [("line-field", "bg"), ("line-field", "bg-section"), ("focus", "bg"), ("focus", "bg-section")]


def colours(theme: str) -> dict[str, str]:
    """Custom properties as they hold in a theme when OpenBridge's are not there."""
    blocks = re.findall(r"^:root(?:\[data-obc-theme=\"(\w+)\"\])? \{(.*?)^\}", CSS, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    for name, block in blocks:
        if name in ("", theme):
            found |= dict(re.findall(r"--([\w-]+):(?: var\([\w-]+,)? (#[0-9a-f]{6})\)?;", block))
    return found


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    lighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "paper"), TEXT)
def test_text_can_be_read(theme: str, ink: str, paper: str) -> None:
    found = colours(theme)
    assert contrast(found[ink], found[paper]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("line", "paper"), SHAPES)
def test_borders_of_fields_and_focus_rings_can_be_seen(theme: str, line: str, paper: str) -> None:
    found = colours(theme)
    assert contrast(found[line], found[paper]) >= 3.0


def test_the_night_palette_emits_little_light() -> None:
    assert luminance(colours("night")["bg"]) < 0.01


def test_motion_stops_when_the_system_asks_for_less() -> None:
    assert "prefers-reduced-motion: reduce" in CSS
