"""Opens a node's data folder for a command; loads the node's code only when a command asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from port2port.core.errors import NotFound

if TYPE_CHECKING:  # a node loads every capability: `--help` must not wait for that
    from port2port.capability import Site
    from port2port.node import Node

S = TypeVar("S")


@dataclass(frozen=True)
class DataFolder:
    """What a command gets as `ctx.obj`."""

    path: Path

    def node(self) -> Node:
        """The node on this folder. Raises `NotFound` when there is none."""
        from port2port.node import Node

        if not self.path.is_dir():
            hint = "Make one: port2port init. Or name its folder: port2port --data FOLDER …"
            raise NotFound(f"There is no node in {self.path}.", hint=hint)
        return Node(self.path)

    @contextmanager
    def open_site(self) -> Iterator[Site]:
        """The node's site, with its store open; also while the node runs in another process."""
        node = self.node()
        site = node.open()
        try:
            yield site
        finally:
            node.close()

    def section(self, name: str, kind: type[S]) -> S:
        """One section of the node's settings."""
        return self.node().settings.section(name, kind)
