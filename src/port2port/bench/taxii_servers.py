"""Servers for `bench.taxii`, each in a process of its own: `python -m port2port.bench.taxii_servers ours|medallion`.

Prints one line of JSON when it answers: its URL of a collection's objects, name and password.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from port2port import web
from port2port.capability import Counters, Site, core_facts
from port2port.core.clock import system_clock
from port2port.core.handling import Purpose, Tlp
from port2port.core.ids import node_id, random_id
from port2port.core.party import Compartment, Party
from port2port.sharing import capability
from port2port.sharing.running import assemble
from port2port.sharing.settings import SharingSettings
from port2port.sharing.taxii import accounts, running
from port2port.store import open_store
from port2port.store.identity import load_or_create, public_bytes
from port2port.testing.site import FakeOthers
from port2port.web.passwords import Passwords
from port2port.web.server import serve

COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


def ours(folder: Path) -> None:
    """A node's own TAXII server on a SQLite file, with the store and the web server of every node."""
    site = _site(folder)
    settings = web.WebSettings()
    password = accounts.add(
        site,
        Passwords(settings),
        "bench",
        may_read=True,
        may_write=True,
        purpose=Purpose.PORT_SECURITY,
        max_tlp=Tlp.GREEN,
    )
    surface = web.Surface(
        party=site.party,
        store=site.store,
        clock=site.clock,
        new_id=site.new_id,
        counters=site.counters,
        words=web.load_words({}),
        routes=running.start(assemble(site, SharingSettings()).peers).routes,
    )
    app = web.build_app(surface, settings)
    asyncio.run(serve(app, address="127.0.0.1", ready=lambda port: _say(port, "taxii2/node", "inbox", password)))


def _site(folder: Path) -> Site:
    facts = [*core_facts(), *web.FACTS, *capability.facts]
    store = open_store(f"sqlite:///{folder / 'node.db'}", facts)
    store.migrate(capability.name, capability.folder / "migrations")
    identity = load_or_create(folder)
    me = node_id(public_bytes(identity))
    return Site(
        party=Party(node_id=me, name="Bench", short_name="Bench", compartment=Compartment.A),
        identity=identity,
        folder=folder,
        store=store,
        clock=system_clock,
        new_id=random_id,
        counters=Counters(),
        others=FakeOthers(),
    )


def medallion(folder: Path) -> None:
    """medallion with its store in memory, on the server that it comes with."""
    import logging

    from medallion import (  # type: ignore[import-untyped]
        application_instance,
        register_blueprints,
        set_config,
    )
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    data = folder / "data.json"
    data.write_text(json.dumps(_medallion_data()))
    configuration = {
        "users": {"bench": "secret"},
        "taxii": {"max_page_size": 10_000},
        "backend": {
            "module": "medallion.backends.memory_backend",
            "module_class": "MemoryBackend",
            "filename": str(data),
        },
    }
    for part in configuration:
        set_config(application_instance, part, configuration)
    register_blueprints(application_instance)
    server = make_server("127.0.0.1", 0, application_instance, threaded=True)
    _say(server.server_port, "api", COLLECTION, "secret")
    server.serve_forever()


def _medallion_data() -> dict[str, Any]:
    version = "application/taxii+json;version=2.1"
    return {
        "/discovery": {"title": "Bench", "api_roots": []},
        "api": {
            "information": {"title": "Bench", "versions": [version], "max_content_length": 100_000_000},
            "status": [],
            "collections": [
                {
                    "id": COLLECTION,
                    "title": "Bench",
                    "can_read": True,
                    "can_write": True,
                    "media_types": ["application/stix+json;version=2.1"],
                    "objects": [],
                    "manifest": [],
                }
            ],
        },
    }


def _say(port: int, root: str, collection: str, password: str) -> None:
    path = f"/{root}/collections/{collection}/objects/"
    print(json.dumps({"port": port, "path": path, "name": "bench", "password": password}), flush=True)


if __name__ == "__main__":
    {"ours": ours, "medallion": medallion}[sys.argv[1]](Path(sys.argv[2]))
