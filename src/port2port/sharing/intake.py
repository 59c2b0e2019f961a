"""The receiver's side: a page is verified, judged and applied in one transaction with its cursor.

An entry that is refused is counted and passed, so that it cannot block the lane. A page that contradicts
itself stops the lane where it was right last, with a fact that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from port2port.capability import Site
from port2port.core.errors import DecodeError
from port2port.sharing import arriving, heads, tables, verify
from port2port.sharing.arriving import Arriving
from port2port.sharing.book import Book
from port2port.sharing.entry import Cursor, Entry
from port2port.sharing.facts import LaneStopped
from port2port.sharing.lane import member_of
from port2port.sharing.limits import MAX_LANES
from port2port.sharing.roster import Network
from port2port.sharing.tables import LaneRow
from port2port.sharing.verify import Broken
from port2port.sharing.wire import LaneLine, PageLine, entries_of, lane_of
from port2port.store import Transaction


@dataclass
class Applied:
    """What became of one page."""

    lane: bytes
    cursor: Cursor
    stopped: str = ""
    arrived: int = 0
    refused: dict[str, int] = field(default_factory=dict)


class Intake:
    """Applies what one node receives. Each verb is one transaction."""

    def __init__(self, site: Site, network: Book) -> None:
        self._site, self._book = site, network

    def meet(self, peer: str, line: LaneLine, origin: str = "") -> LaneRow | None:
        """Take note of a lane that a peer offers; None when it is not to be followed. Raises `DecodeError`.

        `origin`: whose lanes the peer hands on, when not its own.
        """
        lane = lane_of(line)
        if lane.origin != (origin or peer) or member_of(lane.audience) not in ("", self._site.party.node_id):
            raise DecodeError("A connection of another origin was offered.", reason="not-its-origin")
        with self._site.store.reading() as view:
            known = tables.find_lane(view, lane.id)
        if known is not None:
            return None if known.own else known
        with self._site.store.transaction() as tx:
            known = tables.find_lane(tx, lane.id)
            if known is not None:
                return known
            if len(tables.lanes_of(tx, lane.origin, lane.urgency)) >= MAX_LANES:
                self._site.counters.add("sharing.refused.too-many-lanes")
                return None
            return tables.add_lane(tx, lane, own=False)

    def apply(self, peer: str, page: PageLine, origin: str = "") -> Applied:
        """Verify and apply one page of a lane of this peer, or of `origin`. A repeated page changes nothing."""
        return self.apply_all(peer, [page], origin)[0]

    def apply_all(self, peer: str, pages: Sequence[PageLine], origin: str = "") -> list[Applied]:
        """The same for pages that came one after the other, in one transaction."""
        with self._site.store.transaction() as tx:
            return [self._apply(tx, page, origin or peer) for page in pages]

    def _apply(self, tx: Transaction, page: PageLine, origin: str) -> Applied:
        entries, checkpoint = entries_of(page)
        row = tables.find_lane(tx, checkpoint.lane)
        network = self._book.network(tx)
        keys = network.keys(origin)
        if row is None or row.own or row.lane.origin != origin or not keys:
            raise DecodeError("A page of a connection that was not offered.", reason="unknown-lane")
        if row.stopped:
            return Applied(row.lane.id, row.cursor, row.stopped)
        followed = verify.follow_page(
            row.cursor, entries, checkpoint, keys, lambda at: tables.chain_at(tx, checkpoint.lane, at), row.base
        )
        if isinstance(followed, Broken):
            return self._stop(tx, row, followed, network)
        if not followed.entries:
            return Applied(row.lane.id, row.cursor)
        if heads.contradicted(tx, row, followed, keys):
            heads.report(tx, self._site, row, followed.checkpoint, network, "")
            return self._stop(tx, row, Broken.FORK, network)
        arriving = Arriving(self._site, self._book, tx, row, network)
        arriving.take(followed)
        cursor = Cursor(followed.checkpoint.sequence, followed.checkpoint.chain)
        return Applied(row.lane.id, cursor, "", arriving.arrived, dict(arriving.refused))

    def begin(self, peer: str, lane: bytes, cursor: Cursor, entries: Sequence[Entry]) -> bool:
        """Begin a lane from its verified live set; False when we are further already."""
        with self._site.store.transaction() as tx:
            row = tables.find_lane(tx, lane)
            if row is None or row.own or row.lane.origin != peer or row.cursor.sequence >= cursor.sequence:
                return False
            Arriving(self._site, self._book, tx, row, self._book.network(tx)).begin(cursor, entries)
            tables.set_lane(tx, lane, sequence=cursor.sequence, chain=cursor.chain, base=cursor.sequence, stopped="")
            return True

    def stop(self, peer: str, lane: bytes, reason: Broken) -> None:
        """The peer says that it cannot go on from our cursor."""
        with self._site.store.transaction() as tx:
            row = tables.find_lane(tx, lane)
            if row is not None and not row.own and row.lane.origin == peer and not row.stopped:
                self._stop(tx, row, reason, self._book.network(tx))

    def settle_waiting(self, tx: Transaction) -> int:
        """Judge again what waited for a group or agreement; answers how many objects arrived."""
        return arriving.settle_waiting(self._site, self._book, tx)

    def _stop(self, tx: Transaction, row: LaneRow, reason: Broken, network: Network) -> Applied:
        self._site.counters.add(f"sharing.refused.{reason}")
        tables.stop_lane(tx, row.lane.id, reason)
        tx.append(
            LaneStopped(
                at=self._site.clock(),
                origin=row.lane.origin,
                origin_name=network.name(row.lane.origin),
                lane=row.lane.id.hex(),
                sequence=row.cursor.sequence,
                reason=reason,
            )
        )
        return Applied(row.lane.id, row.cursor, reason)
