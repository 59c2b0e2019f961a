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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Skips for want of data are never silent."""
    missing = _skipped_for_data(terminalreporter)
    if missing:
        terminalreporter.section("skipped for want of real recordings")
        for node_id in missing:
            terminalreporter.line(node_id)
        terminalreporter.line("Set PORT2PORT_SHARED to the folder that holds data/ to run them.")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the recordings are promised, a skip for want of them is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("PORT2PORT_SHARED") and reporter and _skipped_for_data(reporter) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skipped_for_data(reporter: pytest.TerminalReporter) -> list[str]:
    skipped = reporter.stats.get("skipped", [])
    return [each.nodeid for each in skipped if "real recordings" in str(each.longrepr)]
