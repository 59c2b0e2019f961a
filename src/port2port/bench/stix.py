"""STIX: schema and MUST rules, beside the schema alone; and, for the scale, `stix2.parse`.

With `PORT2PORT_SHARED` set, MITRE's ATT&CK for industrial systems is checked; without it, objects that we build.
Objects are parsed beforehand for both, so that the ratio is that of the checks.
"""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from port2port.bench.figures import Figure, ratio_figure
from port2port.core.ids import seeded_ids
from port2port.stix import schemas
from port2port.stix.check import check
from port2port.stix.reading import Object, read_bundle
from port2port.stix.version import Version, domain_object

ATTACK = "data/sharing/ics-attack-18.1.json.gz"
BUILT = 1_000
PEER_OBJECTS = 400
"""As many as `stix2.parse` is given."""
MIN_ROUND_S = 0.5


def measure(long: bool = False) -> dict[str, Figure]:
    """One figure; see the module."""
    objects, note = _objects()
    judges = [schemas.validator(_schema(each)).is_valid for each in objects]
    pairs = list(zip(judges, objects, strict=True))
    ours, floors = [], []
    for _ in range(9 if long else 5):
        ours.append(_rate(lambda: [check(each) for each in objects], len(objects)))
        floors.append(_rate(lambda: [judge(each) for judge, each in pairs], len(objects)))
    figure = ratio_figure(max(ours), max(floors), "objects/s", 0.5, f"floor: the schema alone; {note}{_peer(objects)}")
    return {"stix_check_objects_per_s": figure}


def _schema(found: Object) -> str:
    return found["type"] if schemas.is_known(found["type"]) else "core"


def _rate(run: Callable[[], object], objects: int) -> float:
    """Objects a second, over as many rounds as fill `MIN_ROUND_S`."""
    began, rounds = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < MIN_ROUND_S or not rounds:
        run()
        rounds += 1
    return objects * rounds / elapsed


def _peer(objects: Sequence[Object]) -> str:
    if find_spec("stix2") is None:
        return "; stix2 is not installed"
    parse, some = import_module("stix2").parse, objects[:PEER_OBJECTS]
    rate = _rate(lambda: [parse(each, allow_custom=True) for each in some], len(some))
    return f"; stix2.parse: {rate:.0f} objects/s"


def _objects() -> tuple[list[Object], str]:
    folder = os.environ.get("PORT2PORT_SHARED")
    if not folder:
        return _built(), f"{2 * BUILT} built objects: set PORT2PORT_SHARED for ATT&CK"
    items = read_bundle(gzip.decompress((Path(folder) / ATTACK).read_bytes())).items
    objects = [item.content for item in items if item.content is not None]
    return objects, f"ATT&CK for industrial systems, {len(objects)} objects"


def _built() -> list[Object]:
    """Indicators, and relationships that tie each to an identity."""
    at, new_id, objects = datetime(2026, 1, 1, tzinfo=UTC), seeded_ids(1), []
    for number in range(BUILT):
        author = f"identity--{new_id()}"
        indicator = domain_object(
            "indicator",
            Version(uuid=new_id(), created=at, created_by=author),
            name="An invented vessel",
            pattern=f"[vessel:mmsi = '{205_000_000 + number}']",
            pattern_type="stix",
            valid_from=at,
        )
        tie = {"relationship_type": "related-to", "source_ref": indicator["id"], "target_ref": author}
        objects += [
            indicator,
            domain_object("relationship", Version(uuid=new_id(), created=at, created_by=author), **tie),
        ]
    return objects
