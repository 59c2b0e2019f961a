"""A place on the memory store, and browsers on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from port2port.capability import Site
from port2port.core.party import Role
from port2port.testing import site
from port2port.testing.browser import Browser, browser
from port2port.web import FACTS


@pytest.fixture
def place() -> Iterator[Site]:
    made = site(facts=FACTS)
    yield made
    made.store.close()


@pytest.fixture
def stranger(place: Site) -> Iterator[Browser]:
    """A browser that is not signed in, at a node with real data."""
    with browser(place, demonstration=False) as it:
        yield it


@pytest.fixture
def operator(place: Site) -> Iterator[Browser]:
    """A browser signed in as operator, at a demonstration node."""
    with browser(place, role=Role.OPERATOR) as it:
        yield it
