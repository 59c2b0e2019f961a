"""These tests need MISP's own libraries, which live in an environment of their own: tools/misp_oracle."""

from __future__ import annotations

import logging
from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec("misp_stix_converter") else ["test_*.py"]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """PyMISP logs each relation that is not in its template; the test of the templates names them all."""
    logging.getLogger("pymisp").setLevel(logging.ERROR)
