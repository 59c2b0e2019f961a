"""What a node process may load."""

from __future__ import annotations

import json
import subprocess
import sys

from port2port.worker import HEAVY_MODULES


def test_a_node_loads_no_heavy_library() -> None:
    code = "import json, sys, port2port.node; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout))
    assert "port2port" in loaded
    assert not loaded & HEAVY_MODULES
