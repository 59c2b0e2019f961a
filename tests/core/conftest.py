"""The two helper modules of this folder, for every test that compares with them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """`handling_oracle.py`: the release rule, said a second time."""
    return _beside("handling_oracle")


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    """`handling_cases.py`: generated labels, rosters and questions."""
    return _beside("handling_cases")


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
