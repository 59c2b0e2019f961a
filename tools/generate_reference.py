"""Writes the generated reference pages: commands, settings, entries. `--check` says whether they are up to date."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click

from port2port.__main__ import port2port
from port2port.capability import core_facts
from port2port.config import load
from port2port.core.fact import Fact
from port2port.node import CAPABILITIES, sections
from port2port.web import FACTS

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Made by `make docs` from the code; do not edit. -->\n"


def commands() -> str:
    """Every command with its help."""
    return "\n".join(["# Commands", NOTE, *_command(port2port, click.Context(port2port, info_name="port2port"))])


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## `{context.command_path}`\n\n```text\n{_help(command, context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, name
            yield from _command(inner, click.Context(inner, parent=context, info_name=name))


def _help(command: click.Command, context: click.Context) -> str:
    context.terminal_width = context.max_content_width = 100
    return command.get_help(context).strip()


def settings() -> str:
    """Every setting with its meaning and default."""
    known = load(Path("/nonexistent"), sections(), {})
    lines = ["# Settings", NOTE, "In `port2port.toml`; `PORT2PORT_SECTION__KEY` in the environment overrides.\n"]
    for section in sections():
        lines += [f"## [{section}]\n", "| key | kind | meaning | default |", "|---|---|---|---|"]
        for key in known.all_keys():
            if key.startswith(f"{section}."):
                each = known.explain(key)
                kind = each.kind.replace("|", "\\|")
                lines.append(f"| `{key.partition('.')[2]}` | {kind} | {each.description} | `{each.default!r}` |")
        lines.append("")
    return "\n".join(lines)


def entries() -> str:
    """Every kind of entry in a node's journal."""
    lines = ["# Entries of the journal", NOTE, "What a node records, by who records it. `at` is when it happened.\n"]
    owners = {"shared language": core_facts(), "web": FACTS, **{each.name: each.facts for each in CAPABILITIES}}
    for owner, facts in owners.items():
        lines += [f"## {owner}\n", "| entry | meaning | fields |", "|---|---|---|"]
        lines += [_entry(fact) for fact in facts]
        lines.append("")
    return "\n".join(lines)


def _entry(fact: type[Fact]) -> str:
    meaning = (inspect.getdoc(fact) or "").partition("\n")[0]
    names = ", ".join(f"`{each.name}`" for each in fields(fact) if each.name != "at")
    return f"| `{fact.kind()}` | {meaning} | {names} |"


PAGES = {"commands.md": commands, "settings.md": settings, "entries.md": entries}


def stale() -> list[str]:
    """Pages that no longer say what the code says."""
    return [name for name, page in PAGES.items() if not _is(FOLDER / name, page())]


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def main() -> None:
    if "--check" in sys.argv:
        old = stale()
        sys.exit(f"Out of date: {', '.join(old)}. Run: make docs" if old else 0)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
