"""Every command, setting and entry is documented, and as it is today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from port2port.config import load
from port2port.node import CAPABILITIES, sections

ROOT = Path(__file__).parents[2]


def test_the_generated_pages_say_what_the_code_says() -> None:
    command = [sys.executable, "tools/generate_reference.py", "--check"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_every_setting_explains_itself() -> None:
    settings = load(Path("/nonexistent"), sections(), {})
    silent = [key for key in settings.all_keys() if not settings.explain(key).description]
    assert not silent


def test_every_entry_says_what_happened() -> None:
    assert not [fact.kind() for each in CAPABILITIES for fact in each.facts if not fact.__doc__]
