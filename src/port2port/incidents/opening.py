"""Where a node's store is, for a command: the `[node]` section alone is read."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from port2port.config import ENVIRONMENT_PREFIX, FILE_NAME
from port2port.core.errors import BadInput


def store_of(folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The store's address of the node in `folder`. Raises `BadInput` when its settings cannot be read."""
    try:
        found = tomllib.loads((folder / FILE_NAME).read_text(encoding="utf-8")).get("node", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{folder / FILE_NAME} cannot be read: {error}.") from error
    named = environment.get(f"{ENVIRONMENT_PREFIX}NODE__STORE") or found.get("store", "")
    return str(named) or f"sqlite:///{folder / 'node.db'}"
