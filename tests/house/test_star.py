"""The star holds: without any one capability the rest runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

import port2port
from port2port.node import CAPABILITIES

SOURCE = Path(port2port.__file__).parent
READY_S = 60


@contextmanager
def node_without(name: str, tmp_path: Path) -> Iterator[dict[str, object]]:
    """A node from a copy of the source that lacks the capability's folder and its lines in node.py."""
    package = tmp_path / "src" / "port2port"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__", "*.pmtiles", "demo", "bench"))
    shutil.rmtree(package / name)
    node = package / "node.py"
    lines = node.read_text().splitlines(keepends=True)
    kept = [
        line for line in lines if not re.match(rf"(from port2port\.{name} import .*|    {name},)$", line.strip("\n"))
    ]
    assert len(lines) - len(kept) == 2, "one import and one mention, no more"
    node.write_text("".join(kept))
    data = tmp_path / "data"
    data.mkdir()
    (data / "port2port.toml").write_text(
        "[web]\nport = 0\n" + ('[sharing]\nlisten = "127.0.0.1:0"\n' if name != "sharing" else "")
    )
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONWARNINGS": "default"}
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "port2port", "--data", str(data), "serve"],
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (tmp_path / "log").read_text()[-3000:]
        yield json.loads(line)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, (tmp_path / "log").read_text()[-3000:]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        log.close()


@pytest.mark.parametrize("name", [each.name for each in CAPABILITIES])
def test_without_one_capability_the_rest_runs(name: str, tmp_path: Path) -> None:
    with node_without(name, tmp_path) as ready:
        address = str(ready["web"]).replace("localhost", "127.0.0.1")
        with urlopen(f"{address}/health", timeout=10) as answer:
            assert json.loads(answer.read())["status"] == "ok"
        with urlopen(f"{address}/sign-in", timeout=10) as answer:
            assert answer.status == 200
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log, log[-3000:]
