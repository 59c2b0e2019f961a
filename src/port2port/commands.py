"""Commands of a node itself: init, serve, doctor, journal, config."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from typing import Any

import click
import msgspec

from port2port.cli import table
from port2port.config import FILE_NAME, load
from port2port.core.errors import Conflict
from port2port.core.fact import Recorded, Unknown
from port2port.node import Node, sections
from port2port.opener import DataFolder

FOLLOW_WAIT_S = 1.0


@click.command()
@click.option("--name", prompt="Organisation's full name", help="E.g. Port of Ostend.")
@click.option("--short-name", prompt="Short name, at most 12 characters", help="For a queue row or a map.")
@click.option("--locode", default="", help="UN/LOCODE, e.g. BEOST.")
@click.pass_obj
def init(at: DataFolder, name: str, short_name: str, locode: str) -> None:
    """Make a node's folder: settings, and at the first start its key and database."""
    folder = at.path
    path = folder / FILE_NAME
    if path.exists():
        raise Conflict(f"{path} exists already.", hint="Edit it, or name another folder with --data.")
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"name": name, "short_name": short_name[:12], "locode": locode}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    path.write_text("[node]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    click.echo(f"{path} is written. Next: port2port --data {folder} serve")


@click.command("serve")
@click.pass_obj
def serve_node(at: DataFolder) -> None:
    """Run the node until Ctrl-C or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("alembic", "_granian", "granian"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    began = time.monotonic()
    node = Node(at.path)

    def ready(node: Node) -> None:
        ready_s = round(time.monotonic() - began, 2)
        announced = {"ready": node.site.party.name, "web": node.base_url(), "ready_s": ready_s, "pid": os.getpid()}
        click.echo(json.dumps(announced))
        if link := node.first_link():
            click.echo(f"No administrator yet. Make the first one at: {link}", err=True)

    asyncio.run(_until_told(node, ready))


async def _until_told(node: Node, ready: object) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get("PORT2PORT_LIFELINE"):  # started by the demonstration: end when it is gone, however it ended
        loop.add_reader(sys.stdin.fileno(), lambda: stop.set() if not os.read(sys.stdin.fileno(), 1) else None)
    await node.run(stop, ready)  # type: ignore[arg-type]


@click.command()
@click.pass_obj
def doctor(at: DataFolder) -> None:
    """Check settings, key and database of a node, and say what it holds."""
    node = at.node()
    site = node.open()
    try:
        rows: list[list[Any]] = [
            ["organisation", site.party.name],
            ["security or police side", site.party.compartment],
            ["settings", node.folder / FILE_NAME],
            ["entries", site.store.head()],
            ["screens", node.base_url()],
        ]
        click.echo(table(["what", "answer"], rows))
        click.echo("Settings, key and database are in order.")
    finally:
        node.close()


@click.group()
def journal() -> None:
    """What happened at this node, in order."""


@journal.command()
@click.option("-n", "--number", default=20, show_default=True, help="How many of the newest.")
@click.option("-f", "--follow", is_flag=True, help="Go on as more is recorded.")
@click.pass_obj
def tail(at: DataFolder, number: int, follow: bool) -> None:
    """Show the newest entries, one JSON object a line."""
    node = at.node()
    store = node.open().store
    try:
        last = max(0, store.head() - number)
        while True:
            for each in store.read(last):
                click.echo(_line(each))
                last = each.number
            if store.head() > last:
                continue
            if not follow:
                return
            store.wait(last, FOLLOW_WAIT_S)
    finally:
        node.close()


@click.group()
def config() -> None:
    """A node's settings."""


@config.command()
@click.argument("key")
@click.pass_obj
def explain(at: DataFolder, key: str) -> None:
    """Say what the setting KEY (section.name, or a section) means, its value, and where the value comes from."""
    settings = load(at.path, sections())
    keys = [each for each in settings.all_keys() if each.startswith(f"{key}.")] or [key]
    for each in map(settings.explain, keys):
        click.echo(f"{each.key} ({each.kind})\n  {each.description}")
        click.echo(f"  now {each.value!r}, from {each.origin}; default {each.default!r}")


def _line(entry: Recorded) -> str:
    fact: Any = {} if isinstance(entry.fact, Unknown) else entry.fact
    shown = {"number": entry.number, "recorded_at": entry.at, "kind": entry.kind, "fact": fact}
    return msgspec.json.encode(shown).decode()
