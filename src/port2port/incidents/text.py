"""Text from people: stored as text, without what could disturb a line or turn it around. Pure."""

from __future__ import annotations

from port2port.core.errors import BadInput
from port2port.core.place import Position

_KEPT = "\n\t"


def one_line(text: str, most: int, what: str) -> str:
    """One line without invisible characters. Raises `BadInput` (word key `incidents.error.<what>`) beyond `most`."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: most * 4]).split())
    if len(line) > most or len(text) > most * 4:
        raise BadInput(f"incidents.error.{what}", hint="incidents.error.shorter")
    return line


def paragraphs(text: str, most: int, what: str) -> str:
    """Lines of text without control characters. Raises `BadInput` beyond `most`."""
    if len(text) > most * 2:
        raise BadInput(f"incidents.error.{what}", hint="incidents.error.shorter")
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in unified if char.isprintable() or char in _KEPT).strip()
    if len(kept) > most:
        raise BadInput(f"incidents.error.{what}", hint="incidents.error.shorter")
    return kept


def is_line(text: str) -> bool:
    return text.isprintable()


def is_paragraphs(text: str) -> bool:
    return all(char.isprintable() or char in _KEPT for char in text)


def first_line(text: str, most: int) -> str:
    """The beginning of a text as a title, cut at a word with an ellipsis."""
    line = text.partition("\n")[0].strip()
    if len(line) <= most:
        return line
    return line[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;.") + "…"


def where(place_name: str, position: Position | None) -> str:
    """A place for people: its name, else degrees with three decimals (about 100 m), else a dash."""
    if place_name or position is None:
        return place_name or "–"
    north, east = position.latitude_deg, position.longitude_deg
    return f"{abs(north):.3f}° {'N' if north >= 0 else 'S'} {abs(east):.3f}° {'E' if east >= 0 else 'W'}"
