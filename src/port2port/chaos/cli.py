"""`port2port chaos`: break things on purpose, and see whether anything is lost or leaked."""

from __future__ import annotations

import os

import click

from port2port.cli import show_json, table
from port2port.core.errors import Port2PortError


@click.group()
def chaos() -> None:
    """Break a network on purpose, and count what is lost or leaked."""


@chaos.command()
@click.option("--seed", type=int, help="Only this history: the way to replay one that failed.")
@click.option("--histories", default=100, show_default=True, help="How many, with seeds from 0 on.")
@click.option("--steps", default=40, show_default=True, help="Steps in each history.")
@click.option("--processors", default=lambda: os.cpu_count() or 1, type=int, help="Default: all of this machine.")
def simulate(seed: int | None, histories: int, steps: int, processors: int) -> None:
    """Nine nodes in one process, with a simulated clock and network. One seed is one history, always the same.

    Ends with 1 when a promise was broken, and says how to replay that history.
    """
    from port2port.chaos import simulate as simulation

    seeds = [seed] if seed is not None else list(range(histories))
    done = simulation.simulate(
        seeds,
        min(processors, len(seeds)),
        steps,
        lambda so_far: click.echo(f"· {so_far.histories} of {len(seeds)} histories", err=True),
    )
    for each in done.violations:
        click.echo(each)
    names = ["histories", "faults", "due", "lost", "extra", "leaked"]
    click.echo(table(["what", "count"], [[name, done.as_json()[name]] for name in names]))
    show_json(done.as_json())
    if done.violations:
        replay = done.violations[0].partition(":")[0].removeprefix("seed ")
        hint = f"Replay it with: port2port chaos simulate --seed {replay} --steps {steps}"
        raise Port2PortError(f"{len(done.violations)} promises were broken.", hint=hint)


@chaos.command()
@click.option("--histories", default=25, show_default=True, help="In how many histories a bug may hide at most.")
def mutants(histories: int) -> None:
    """Plant known bugs one by one: the simulation must notice each. Ends with 1 when one is missed."""
    from port2port.chaos import simulate as simulation
    from port2port.chaos.mutants import ALL

    rows, missed, clean = [], [], simulation.Clean()
    with simulation.stage() as (template, room):
        for mutant in ALL:
            found = simulation.hunt(mutant, range(histories), template, room, clean)
            seen = str(found.violations[0])[:60] if found else "MISSED"
            rows.append([mutant.name, found.seed + 1 if found else None, seen])
            missed += [] if found else [mutant.name]
            click.echo(f"· {mutant.name}", err=True)
    click.echo(table(["planted bug", "histories needed", "noticed as"], rows))
    show_json({"planted": len(rows), "caught": len(rows) - len(missed), "missed": missed})
    if missed:
        raise Port2PortError(f"{len(missed)} planted bugs were not noticed: {', '.join(missed)}.")


@chaos.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long the storm lasts.")
@click.option("--seed", default=1, show_default=True, help="Which faults, in which order.")
@click.option("--nodes", type=click.IntRange(3, 9), default=5, show_default=True, help="How many nodes.")
def processes(seconds: float, seed: int, nodes: int) -> None:
    """Real nodes in network namespaces: cuts, lost packets, kill -9, full disks. Needs root, `ip` and `nft`.

    Ends with 1 when a promise was broken, with 6 where the machine cannot have such a network.
    """
    from port2port.chaos.storm import run_storm

    report = run_storm(seconds, seed, nodes, lambda text: click.echo(f"· {text}", err=True)).as_json()
    for each in report["violations"]:
        click.echo(each)
    click.echo(table(["what", "count"], [[name, value] for name, value in report.items() if name != "violations"]))
    show_json(report)
    if report["violations"]:
        raise Port2PortError(f"{len(report['violations'])} promises were broken.")
