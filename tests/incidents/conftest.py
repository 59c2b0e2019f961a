"""A network of four on paper, a node in it on the memory store, and browsers on that node."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that the tests of this folder find incidents_kit

from incidents_kit import Desk, make_desk

from port2port.core.party import Role
from port2port.incidents import capability
from port2port.testing.browser import Browser, browser


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Ostend's node, connected to three others."""
    made = make_desk()
    yield made
    made.site.store.close()


@pytest.fixture
def alone() -> Iterator[Desk]:
    """A node that nobody has connected, and without a console."""
    made = make_desk(connected=False, with_alerts=False)
    yield made
    made.site.store.close()


@pytest.fixture
def operator(desk: Desk) -> Iterator[Browser]:
    with browser(
        desk.site, role=Role.OPERATOR, routes=desk.running.routes, folders={"incidents": capability.folder}
    ) as it:
        yield it


@pytest.fixture
def guard(desk: Desk) -> Iterator[Browser]:
    with browser(
        desk.site, role=Role.READER, routes=desk.running.routes, folders={"incidents": capability.folder}
    ) as it:
        yield it
