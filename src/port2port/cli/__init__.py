"""Toolkit of the command line: tables, exit codes, errors in plain words. Knows no capability."""

from port2port.cli.output import run, show_json, table

__all__ = ["run", "show_json", "table"]
