"""What sharing must know now from the rest of the node. May be answered by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Titles(Protocol):
    """The ask `titles`: how people call the objects that we share."""

    def titles(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[str, str]]:
        """(kind, object id) -> title and path of its page, for those of `keys` that are known here."""
        ...
