"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings. Absent: the test says that it was skipped, and why."""
    folder = os.environ.get("PORT2PORT_SHARED")
    if not folder:
        pytest.skip("real recordings: set PORT2PORT_SHARED to the folder that holds data/")
    path = Path(folder)
    assert (path / "data").is_dir(), f"PORT2PORT_SHARED={folder} has no data/ inside"
    return path
