"""The simulated network: which way is cut, and connections whose lines are late, lost, repeated or out of order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from port2port.sharing.lane import Class
from port2port.sharing.stream import Stream
from port2port.sharing.tail import Tail


@dataclass(frozen=True)
class Route:
    """One node reading one class of one origin's entries, from itself or from another member who hands them on."""

    reader: str
    origin: str
    urgency: Class
    via: str = ""

    @property
    def sender(self) -> str:
        """Who is at the other end."""
        return self.via or self.origin


@dataclass
class Connection:
    """A connection as TCP gives it: lines in order, until it breaks."""

    route: Route
    tail: Tail
    stream: Stream
    lines: deque[tuple[float, bytes]] = field(default_factory=deque)
    """(when it comes out at the other end, line)."""

    def send(self, line: bytes, due_s: float) -> None:
        if self.lines:
            due_s = max(due_s, self.lines[-1][0])
        self.lines.append((due_s, line))

    def due(self, now_s: float) -> bytes | None:
        """The next line that has come through by now."""
        if self.lines and self.lines[0][0] <= now_s:
            return self.lines.popleft()[1]
        return None


class Links:
    """What is cut between whom, and which connections stand."""

    def __init__(self, nodes: Sequence[str], random: Random) -> None:
        self._nodes, self._random = nodes, random
        self._cut: set[tuple[str, str]] = set()
        self.connections: dict[Route, Connection] = {}
        self.late: list[tuple[Route, bytes]] = []
        """Lines that have come once and will come again, from a connection long gone."""

    def passes(self, sender: str, receiver: str) -> bool:
        return (sender, receiver) not in self._cut

    def both_ways(self, one: str, other: str) -> bool:
        return self.passes(one, other) and self.passes(other, one)

    def part(self) -> None:
        """Two halves that do not hear each other."""
        half = set(self._random.sample(self._nodes, self._random.randint(1, len(self._nodes) // 2)))
        for one in self._nodes:
            for other in self._nodes:
                if (one in half) != (other in half):
                    self._cut.add((one, other))

    def cut_one_way(self) -> None:
        """One node is no longer heard by some others; it hears them."""
        sender = self._random.choice(self._nodes)
        others = [each for each in self._nodes if each != sender]
        for receiver in self._random.sample(others, self._random.randint(1, len(others))):
            self._cut.add((sender, receiver))

    def mend(self) -> None:
        """Everybody hears everybody."""
        self._cut.clear()

    def drop(self, node: str) -> None:
        """The node died: nothing of its connections is left."""
        for route in [each for each in self.connections if node in (each.reader, each.sender)]:
            del self.connections[route]
