"""One peer's reading of one class: what to send next. Catching up and following live are the same steps."""

from __future__ import annotations

from port2port.capability import Site
from port2port.sharing import outlet, wire
from port2port.sharing.book import Book
from port2port.sharing.confirmed import Confirmed
from port2port.sharing.entry import Cursor
from port2port.sharing.lane import Class
from port2port.sharing.limits import MAX_UNCONFIRMED_PAGES
from port2port.sharing.outlet import Fork, TooOld
from port2port.sharing.verify import Broken
from port2port.sharing.wire import PageLine, StopLine, lane_line
from port2port.store import Reading


class Tail:
    """State of one stream: a cursor per lane. Not for two threads at once.

    `origin`: whose lanes are handed on, when not ours. `confirmed`: what the peer has confirmed; without it nobody
    waits for confirmations.
    """

    def __init__(
        self,
        site: Site,
        network: Book,
        peer: str,
        urgency: Class,
        cursors: dict[bytes, Cursor],
        *,
        origin: str = "",
        confirmed: Confirmed | None = None,
    ) -> None:
        self._site, self._book, self._peer, self._urgency = site, network, peer, urgency
        self._cursors = dict(cursors)
        self._origin, self._confirmed = origin, confirmed
        self._known: set[bytes] = set()
        self._stopped: set[bytes] = set()
        self._under_way: list[tuple[bytes, int]] = []

    def next(self) -> list[bytes] | None:
        """Lines to send now; empty when the peer has everything or must confirm first; None when it is no member."""
        with self._site.store.reading() as view:
            return self._next(view)

    def _next(self, view: Reading) -> list[bytes] | None:
        network, now = self._book.network(view), self._site.clock()
        if not network.is_member(self._peer):
            return None
        lines: list[bytes] = []
        room = self._room()
        for row in outlet.readable(view, self._peer, network, now, self._urgency, self._origin):
            lane = row.lane.id
            cursor = self._cursors.setdefault(lane, Cursor())
            is_new = lane not in self._known
            if is_new:
                self._known.add(lane)
                lines.append(wire.encode(lane_line(row.lane, row.cursor.sequence, row.base)))
            if lane in self._stopped or (not is_new and cursor == row.cursor) or room == 0:
                continue
            if cursor.sequence > row.cursor.sequence:  # we may be the ones who went back: see restore.py
                continue
            answer = outlet.page_after(view, row, cursor, self._site.identity, now)
            if isinstance(answer, PageLine):
                self._cursors[lane] = Cursor(answer.entries[-1].seq, answer.chain)
                self._under_way.append((lane, answer.entries[-1].seq))
                lines.append(wire.encode(answer))
                room -= 1
            elif isinstance(answer, Fork | TooOld):
                self._stopped.add(lane)
                reason = Broken.FORK if isinstance(answer, Fork) else Broken.TOO_OLD
                lines.append(wire.encode(StopLine(lane=lane.hex(), reason=reason)))
        return lines

    def _room(self) -> int:
        """Pages that may be sent now."""
        if self._confirmed is None:
            self._under_way.clear()
            return MAX_UNCONFIRMED_PAGES
        confirmed = self._confirmed
        self._under_way = [
            (lane, sequence) for lane, sequence in self._under_way if confirmed.upto(self._peer, lane) < sequence
        ]
        return max(0, MAX_UNCONFIRMED_PAGES - len(self._under_way))
