"""Every back end of the store, behind one word: its URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from port2port.testing.postgres import NoServer, PostgresServer, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own. Absent: skipped, or failed where PORT2PORT_REQUIRE_SERVERS=1."""
    try:
        with postgres_server() as server:
            yield server
    except NoServer as error:
        if os.environ.get("PORT2PORT_REQUIRE_SERVERS") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Where the keys of bodies stand."""
    return tmp_path / "node.keys"


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store's URL, once per back end."""
    return _url(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def lasting_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same, for the back ends that outlive a process."""
    return _url(request.param, request, tmp_path)


def _url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return server.emptied()
    return "memory://" if kind == "memory" else f"sqlite:///{tmp_path / 'node.sqlite'}"
