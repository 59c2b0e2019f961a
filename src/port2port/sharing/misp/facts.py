"""What happened between us and MISP."""

from __future__ import annotations

from dataclasses import dataclass

from port2port.core.fact import Fact


@dataclass(frozen=True, kw_only=True)
class FeedWritten(Fact):
    """A MISP feed directory was brought up to date: what stands in it, its readers have. One for each 1,000 objects."""

    audited = True

    folder: str
    tlp_at_most: str
    for_ourselves: bool
    """Only this organisation's own MISP reads it."""
    written: tuple[str, ...]
    """Ids of objects that are new in it, or there in a new version."""
    taken_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FeedRead(Fact):
    """Events of somebody's MISP feed came into quarantine."""

    feed: str
    fetched: int
    refused: dict[str, int]
    """Reason -> number of events."""
    gone: int


ALL: tuple[type[Fact], ...] = (FeedWritten, FeedRead)
