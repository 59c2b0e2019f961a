"""Lets tests here say `from taxii_kit import ...`: the kit is loaded under a name of its own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from taxii_kit import Node


def _load() -> None:
    spec = importlib.util.spec_from_file_location("taxii_kit", Path(__file__).with_name("kit.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["taxii_kit"] = module
    spec.loader.exec_module(module)


_load()


@pytest.fixture
def node() -> Iterator[Node]:
    """A node that serves, in a network of two."""
    from taxii_kit import a_node

    with a_node() as made:
        yield made
