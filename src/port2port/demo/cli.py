"""`port2port demo`: the whole network on this machine, with traffic and a scene."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from port2port.cli import show_json
from port2port.core.errors import Unavailable
from port2port.demo import check as checking
from port2port.demo.network import BELGIUM, DemoNetwork, load_network
from port2port.demo.prepare import Prepared, prepare, reset
from port2port.demo.processes import NodeProcess, OnReady, start_all, stop_all
from port2port.demo.show import play_for_show
from port2port.demo.traffic import SCENE_S, Traffic

DEFAULT_FOLDER = Path(".demo")


@click.command()
@click.option("--network", "described", default="belgium", show_default=True, help="`belgium`, or a folder like it.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where the nodes keep their data.",
)
@click.option("--reset", "start_over", is_flag=True, help="Forget what the demonstration has stored, then start.")
@click.option("--check", is_flag=True, help="No screen: play the scene, verify every node, print figures as JSON.")
@click.option(
    "--recording",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Also play this AIS recording (NMEA lines, plain or gz) into the receivers.",
)
@click.option("--scene", "scene_s", default=SCENE_S, show_default=True, help="Seconds until the tanker's engine stops.")
@click.option("--no-play", is_flag=True, help="Leave the operator's part to you.")
def demo(
    described: str, folder: Path, start_over: bool, check: bool, recording: Path | None, scene_s: float, no_play: bool
) -> None:
    """Run a demonstration network: eleven organisations, invented traffic, one scene.

    Open the printed address and sign in with one click. Ctrl-C stops everything; the next start goes on with
    the same data.
    """
    data = BELGIUM if described == "belgium" else Path(described)
    network = load_network(data)
    if check:
        raise SystemExit(_check(data, network, recording))
    at = folder / network.title.lower()
    if start_over:
        reset(at)
    asyncio.run(_run(prepare(data, network, at.resolve()), recording, scene_s, play=not no_play))


def _check(data: Path, network: DemoNetwork, recording: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="port2port-check-") as folder:
        outcome = asyncio.run(checking.check(prepare(data, network, Path(folder)), recording, say=_say))
        for each in outcome.failures:
            click.echo(f"NOT TRUE: {each}", err=True)
        show_json(outcome.as_json())
        return 0 if outcome.passed else 1


async def _run(prepared: Prepared, recording: Path | None, scene_s: float, play: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    nodes = [NodeProcess(each.node.key, each.folder) for each in prepared.nodes]
    _say(f"Starting {len(nodes)} nodes of the network {prepared.network.title} …")
    try:
        if await _unless_stopped(start_all(nodes, on_ready=_progress(len(nodes))), stop):
            _announce(prepared, nodes)
            async with Traffic(prepared, recording=recording, scene_s=scene_s).running():
                playing = asyncio.ensure_future(play_for_show(nodes, _say) if play else stop.wait())
                try:
                    await _unless_stopped(_any_ends(nodes), stop)
                finally:
                    playing.cancel()
                    await asyncio.gather(playing, return_exceptions=True)
    finally:
        _say("Stopping …")
        await stop_all(nodes)
        _say(f"Stopped. The data stays in {prepared.folder}; `port2port demo --reset` starts over.")


async def _unless_stopped(work: Coroutine[Any, Any, Any], stop: asyncio.Event) -> bool:
    """Do the work to its end (its error is ours), or leave it when `stop` is set; whether it was done."""
    doing, waiting = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finished = doing.done()
    for each in (doing, waiting):
        each.cancel()
    await asyncio.gather(doing, waiting, return_exceptions=True)
    if finished:
        doing.result()
    return finished


async def _any_ends(nodes: list[NodeProcess]) -> None:
    """A node that ends by itself is a fault: say which, and where its log is."""
    ending = [asyncio.ensure_future(each.ended()) for each in nodes]
    try:
        await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in ending:
            each.cancel()
    gone = next(each for each in nodes if each.has_ended())
    raise Unavailable(f"The node {gone.key} ended by itself.", hint=f"Its log: {gone.log}")


def _progress(total: int) -> OnReady:
    began, done = time.monotonic(), 0

    def ready(node: NodeProcess) -> None:
        nonlocal done
        done += 1
        _say(f"  {done:2} of {total}  {node.announced['ready']}  {node.web}  ({time.monotonic() - began:.0f} s)")

    return ready


def _announce(prepared: Prepared, nodes: list[NodeProcess]) -> None:
    opens_at = next(each for each in nodes if each.key == prepared.network.opens_at)
    _say(f"All {len(nodes)} nodes are up. All data is invented. A tanker loses its engine off Ostend in a minute.")
    click.echo(f"\n  Open  {opens_at.web}/\n\n  and sign in with one click. Ctrl-C stops everything.\n")


def _say(line: str) -> None:
    click.echo(line, err=True)
