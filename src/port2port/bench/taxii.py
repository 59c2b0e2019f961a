"""TAXII over loopback: our server with a million objects, and medallion with two thousand in the same run.

Clients here are as quick as can be made: bodies are made before they are sent, answers are read as bytes. What is
measured is the time from the first byte asked to the last byte read.
"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median

from port2port.bench.figures import Figure, limit_figure, ratio_figure

STORED, STORED_LONG = 1_000_000, 1_000_000
BATCH = 1_000
PAGE = 10_000
BESIDE = 2_000
"""Objects in medallion: with more, its first page takes minutes."""
EDGE = 50
"""Batches at the beginning and at the end whose rates are compared."""
PAGES, ASKED = 30, 300
MEDIA = "application/taxii+json;version=2.1"
START_WITHIN_S = 60.0


def measure(long: bool = False) -> dict[str, Figure]:
    """Rates in objects a second, half-times in milliseconds, and the server's memory."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = _measure("medallion", Path(folder), BESIDE)
    with tempfile.TemporaryDirectory() as folder:
        mine = _measure("ours", Path(folder), STORED_LONG if long else STORED)
    floor = f"floor: medallion 3.0.0 with {BESIDE} objects"
    stored = f"with {mine.stored:,} objects; {floor}"
    return {
        "taxii_post_objects_per_s": _least(
            mine.post_per_s, theirs.post_per_s, 10_000, f"all batches of 1,000, {stored}"
        ),
        "taxii_post_last_to_first": _least(
            mine.last_to_first, None, 0.8, f"the last {EDGE} batches against the first {EDGE}, by median", "ratio"
        ),
        "taxii_get_objects_per_s": _least(mine.get_per_s, theirs.get_per_s, 100_000, f"pages of 10,000, {stored}"),
        "taxii_one_object_p50_ms": limit_figure(mine.one_ms, "ms", 2.0, theirs.one_ms, stored),
        "taxii_empty_poll_p50_ms": limit_figure(mine.empty_ms, "ms", 2.0, theirs.empty_ms, stored),
        "taxii_server_mb": limit_figure(mine.server_mb, "MB", 300.0, theirs.server_mb, f"at its most, {stored}"),
    }


def _least(value: float, floor: float | None, least: float, note: str, unit: str = "objects/s") -> Figure:
    figure = ratio_figure(value, floor or 0.0, unit, 0.0, note)
    return {
        **figure,
        "floor": None if floor is None else figure["floor"],
        "ratio": figure["ratio"] if floor else None,
        "target": f">= {least:g} {unit}",
        "met": value >= least,
    }


class Measured:
    """What one server did."""

    stored = 0
    post_per_s = last_to_first = get_per_s = one_ms = empty_ms = server_mb = 0.0


def _measure(which: str, folder: Path, stored: int) -> Measured:
    found = Measured()
    with _server(which, folder) as (client, process):
        found.stored = stored
        ids, times = _fill(client, stored)
        found.post_per_s = stored / sum(times)
        edge = min(EDGE, len(times) // 2)
        found.last_to_first = median(times[:edge]) / median(times[-edge:])
        found.get_per_s = client.read_pages(PAGES)
        found.one_ms = client.median_ms([f"{each}/" for each in ids], ASKED if which == "ours" else 3)
        later = "?added_after=2199-01-01T00:00:00Z"
        found.empty_ms = client.median_ms([later], ASKED if which == "ours" else 1)
        found.server_mb = _peak_mb(process.pid)
    return found


def _fill(client: _Client, stored: int) -> tuple[list[str], list[float]]:
    """Hand in all objects; answers some ids and the seconds each batch took."""
    random, ids, times = Random(1), [], []
    for _ in range(0, stored, BATCH):
        objects = [_indicator(random) for _ in range(BATCH)]
        ids.append(objects[random.randrange(BATCH)]["id"])
        body = json.dumps({"objects": objects}).encode()
        began = time.perf_counter()
        answer = client.ask("POST", "", body)
        times.append(time.perf_counter() - began)
        assert json.loads(answer)["success_count"] == BATCH, answer[:500]
    return ids, times


def _indicator(random: Random) -> dict[str, str]:
    """About 800 bytes, as published indicators are."""
    number = random.getrandbits(64)
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.UUID(int=random.getrandbits(128), version=4)}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-02-01T00:00:00.000Z",
        "name": f"Command and control host {number}",
        "description": "Seen in the traffic of a terminal's gate system. " * 6,
        "pattern": f"[domain-name:value = 'h{number:x}.example.com' OR ipv4-addr:value = '198.51.100.{number % 250}']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    }


class _Client:
    """One connection that stays open."""

    def __init__(self, port: int, path: str, name: str, password: str) -> None:
        self._path = path
        proof = base64.b64encode(f"{name}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {proof}", "Accept": MEDIA, "Content-Type": MEDIA}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def ask(self, method: str, more: str, body: bytes | None = None) -> bytes:
        self._connection.request(method, self._path + more, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 202), (answer.status, content[:500])
        return content

    def read_pages(self, pages: int) -> float:
        """Objects a second over so many pages by `next`, or all there are."""
        count, seconds, more = 0, 0.0, f"?limit={PAGE}"
        for _ in range(pages):
            began = time.perf_counter()
            content = self.ask("GET", more)
            seconds += time.perf_counter() - began
            count += content.count(b'"type":"indicator"') + content.count(b'"type": "indicator"')
            following = _next_in(content)
            if not following:
                break
            more = f"?limit={PAGE}&next={following}"
        return count / seconds

    def median_ms(self, paths: list[str], times: int) -> float:
        found = []
        for number in range(times):
            began = time.perf_counter()
            self.ask("GET", paths[number % len(paths)])
            found.append((time.perf_counter() - began) * 1000)
        return median(found)


def _next_in(content: bytes) -> str:
    """The `next` of an envelope, from either end: parsing ten thousand objects would be measured too."""
    for part in (content[:1000], content[-1000:]):
        _, found, rest = part.partition(b'"next":')
        if found:
            return rest.split(b'"', 2)[1].decode()
    return ""


@contextmanager
def _server(which: str, folder: Path) -> Iterator[tuple[_Client, subprocess.Popen[bytes]]]:
    command = [sys.executable, "-m", "port2port.bench.taxii_servers", which, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield _Client(**json.loads(process.stdout.readline())), process
    finally:
        process.terminate()
        process.wait(START_WITHIN_S)
        if process.stdout is not None:
            process.stdout.close()


def _peak_mb(pid: int) -> float:
    """The most memory that the process ever had resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
