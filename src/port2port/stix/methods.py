"""The vocabulary `port-crime-method-ov`: how crime and sabotage at ports is done. Open: other words are no mistake."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def methods() -> Mapping[str, str]:
    """Word -> its definition in English, in the vocabulary's order."""
    text = (resources.files("port2port.stix") / "methods.toml").read_text("utf-8")
    return dict(tomllib.loads(text)["methods"])
