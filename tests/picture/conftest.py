"""A node with the picture on the memory store, and a browser on it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that the tests of this folder find picture_kit and devapp

from picture_kit import Desk

from port2port.core.party import Role
from port2port.picture import PictureSettings, capability
from port2port.testing import site
from port2port.testing.browser import Browser, browser
from port2port.web import FACTS


@pytest.fixture
def desk() -> Iterator[Desk]:
    place = site(facts=FACTS, capabilities=[capability], demonstration=True)
    yield Desk(place, capability.start(place, PictureSettings(basemap="/nonexistent.pmtiles")))
    place.store.close()


@pytest.fixture
def operator(desk: Desk) -> Iterator[Browser]:
    folders = {"picture": capability.folder}
    with browser(desk.site, role=Role.OPERATOR, routes=desk.running.routes, folders=folders) as it:
        yield it
