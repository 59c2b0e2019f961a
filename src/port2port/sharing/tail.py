"""One peer's reading of one class: what to send next. Catching up and following live are the same steps."""

from __future__ import annotations

from port2port.capability import Site
from port2port.sharing import outlet, wire
from port2port.sharing.book import Book
from port2port.sharing.entry import Cursor, follow
from port2port.sharing.lane import Class
from port2port.sharing.outlet import Fork, TooOld
from port2port.sharing.verify import Broken
from port2port.sharing.wire import PageLine, StopLine, entries_of, lane_line
from port2port.store import Reading

PAGES_AT_ONCE = 4
"""Pages made before the peer's connection has taken them."""


class Tail:
    """State of one stream: a cursor per lane. Not for two threads at once."""

    def __init__(self, site: Site, network: Book, peer: str, urgency: Class, cursors: dict[bytes, Cursor]) -> None:
        self._site, self._book, self._peer, self._urgency = site, network, peer, urgency
        self._cursors = dict(cursors)
        self._known: set[bytes] = set()
        self._stopped: set[bytes] = set()

    def next(self) -> list[bytes] | None:
        """Lines to send now; empty when the peer has everything; None when it is no member any more."""
        with self._site.store.reading() as view:
            return self._next(view)

    def _next(self, view: Reading) -> list[bytes] | None:
        network, now = self._book.network(view), self._site.clock()
        if not network.is_member(self._peer):
            return None
        lines: list[bytes] = []
        pages = 0
        for row in outlet.readable(view, self._peer, network, now, self._urgency):
            lane = row.lane.id
            cursor = self._cursors.setdefault(lane, Cursor())
            is_new = lane not in self._known
            if is_new:
                self._known.add(lane)
                lines.append(wire.encode(lane_line(row.lane, row.cursor.sequence)))
            if lane in self._stopped or (not is_new and cursor == row.cursor) or pages == PAGES_AT_ONCE:
                continue
            answer = outlet.page_after(view, row, cursor, self._site.identity, now)
            if isinstance(answer, PageLine):
                self._cursors[lane] = _after(cursor, answer)
                lines.append(wire.encode(answer))
                pages += 1
            elif isinstance(answer, Fork | TooOld):
                self._stopped.add(lane)
                reason = Broken.FORK if isinstance(answer, Fork) else Broken.TOO_OLD
                lines.append(wire.encode(StopLine(lane=lane.hex(), reason=reason)))
        return lines


def _after(cursor: Cursor, page: PageLine) -> Cursor:
    for each in entries_of(page)[0]:
        cursor = follow(cursor, each.header)
    return cursor
