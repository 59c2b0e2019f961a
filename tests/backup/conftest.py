"""A node's folder, made by the command that makes all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that the tests of this folder find backup_kit

from backup_kit import CONTENT, Opened, command, offer


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    """A node with one object shared, and a file of zones."""
    folder = tmp_path / "harbour"
    assert command("--data", folder, "init", "--name", "Port of Ostend", "--short-name", "Ostend") == 0
    (folder / "zones").mkdir()
    (folder / "zones" / "quay.geojson").write_text("{}")
    with Opened(folder) as store:
        offer(store, "report-1", CONTENT)
    return folder


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("an old crane by the water\n")
    return path
