"""`port2port`: the command line. Commands that need no node do not load one."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from port2port.cli import run
from port2port.opener import DataFolder

COMMANDS = {
    "demo": "port2port.demo.cli:demo",
    "init": "port2port.commands:init",
    "serve": "port2port.commands:serve_node",
    "doctor": "port2port.commands:doctor",
    "journal": "port2port.commands:journal",
    "config": "port2port.commands:config",
    "bench": "port2port.bench.cli:bench",
    "backup": "port2port.backup.cli:backup",
    "restore": "port2port.backup.cli:restore",
    "export": "port2port.backup.cli:export",
    "destroy": "port2port.backup.cli:destroy",
    "chaos": "port2port.chaos.cli:chaos",
}
"""Command -> where it lives. Capabilities bring their own beside these."""


class Port2Port(click.Group):
    """Finds a command when it is asked for, so that `--help` is quick and `demo` needs no capability."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_of_capabilities())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            return getattr(import_module(module), name)  # type: ignore[no-any-return]
        return _of_capabilities().get(cmd_name)


def _of_capabilities() -> dict[str, click.Command]:
    from port2port.node import CAPABILITIES

    return {str(group.name): group for each in CAPABILITIES for group in each.commands}


@click.group(cls=Port2Port, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="PORT2PORT_DATA",
    default=Path("port2port-data"),
    show_default=True,
    help="The node's folder: settings, key, database.",
)
@click.version_option(package_name="port2port")
@click.pass_context
def port2port(context: click.Context, data: Path) -> None:
    """The security network of ports: every organisation runs its own node and keeps its own data.

    \b
    Try it:            port2port demo
    Your own node:     port2port init, then port2port serve
    Join a network:    port2port network join CODE
    What a key means:  port2port config explain vessels.zones_file
    """
    context.obj = DataFolder(data)


def main(arguments: list[str] | None = None) -> Any:
    """Entry point of the console script."""
    sys.exit(run(port2port, arguments))


if __name__ == "__main__":
    main()
