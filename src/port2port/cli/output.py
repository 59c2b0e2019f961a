"""What a command says, and the number it ends with."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec

from port2port.core.errors import BadInput, Conflict, NotAllowed, NotFound, Port2PortError, Unavailable

EXIT_CODES: dict[type[Port2PortError], int] = {
    BadInput: 2,
    NotAllowed: 3,
    NotFound: 4,
    Conflict: 5,
    Unavailable: 6,
}


def run(group: click.Group, arguments: Sequence[str] | None = None) -> int:
    """Run the command line; answers the exit code. Our errors become one line each, never a traceback."""
    try:
        group.main(args=arguments, prog_name="port2port", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except Port2PortError as error:
        click.echo(f"Error: {error.message}", err=True)
        if error.hint:
            click.echo(f"  {error.hint}", err=True)
        return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
    except BrokenPipeError:  # the reader of a pipe went away (`| head`): not our problem
        sys.stderr.close()
        return 0
    return 0


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], empty: str = "Nothing yet.") -> str:
    """Rows as aligned text; numbers to the right. `empty` is said when there are none."""
    cells = [[_text(cell) for cell in row] for row in rows]
    if not cells:
        return empty
    right = [all(_is_number(row[i]) for row in cells) for i in range(len(headers))]
    widths = [max(len(headers[i]), *(len(row[i]) for row in cells)) for i in range(len(headers))]
    lines = [[*headers], ["─" * width for width in widths], *cells]
    return "\n".join(_line(line, widths, right) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(aligned).rstrip()


def show_json(value: Any) -> None:
    """Print one value as JSON on one line: for programs, and always the last line."""
    click.echo(msgspec.json.encode(value).decode())


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
    return "" if cell is None else str(cell)


def _is_number(text: str) -> bool:
    return not text or text.replace(",", "").replace(".", "").lstrip("-").isdigit()
