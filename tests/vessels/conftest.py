"""Makes `kit.py` beside this file importable as `vessels_kit`: test folders are no packages here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if "vessels_kit" not in sys.modules:
    spec = importlib.util.spec_from_file_location("vessels_kit", Path(__file__).with_name("kit.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["vessels_kit"] = module
    spec.loader.exec_module(module)
