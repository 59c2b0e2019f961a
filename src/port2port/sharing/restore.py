"""When partners hold more of our own word than we do: a backup was restored. No number is ever used twice.

They are ahead on our own history: we fetch our signed entries back and go on. They hold another history than ours: we
wrote again before we knew. That connection is closed, and we go on in a new one; the partners stop reading the old.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence

from port2port.core.clock import from_ms
from port2port.core.errors import DecodeError
from port2port.sharing import calls, envelope, recall, recall_tables, tables, verify, wire
from port2port.sharing.batch import Batch, members_text
from port2port.sharing.calls import CallFailed
from port2port.sharing.documents import Member
from port2port.sharing.entry import Checkpoint, Entry, Op
from port2port.sharing.facts import LaneRestored
from port2port.sharing.lane import NETWORK, Lane
from port2port.sharing.peers import Peers
from port2port.sharing.tables import EntryRow, LaneRow
from port2port.sharing.taking_back import TakingBack
from port2port.sharing.wire import LaneLine, PageLine
from port2port.store import Reading, Transaction

MAX_PAGES = 100_000
log = logging.getLogger("port2port.sharing")


def is_ahead(view: Reading, row: LaneRow, head: Checkpoint, keys: Sequence[bytes]) -> bool:
    """Whether this head, signed by us, is not in what we have of a lane of ours."""
    if row.closed or not verify.signed_by_any(head, keys):
        return False
    if head.sequence > row.cursor.sequence:
        return True
    ours = tables.chain_at(view, row.lane.id, head.sequence)
    return ours is not None and ours != head.chain


async def learn_lanes(peers: Peers, member: Member, wanted: set[bytes]) -> None:
    """What these lanes of ours are, from a member who reads them: an id alone does not say it."""
    path = f"/p2p/v1/lanes?of={peers.site.party.node_id}"
    try:
        answer = await calls.call(peers, member, "GET", path)
        lines = [wire.decode(line) for line in answer.body.splitlines()] if answer.status == 200 else []
        lanes = [wire.lane_of(line) for line in lines if isinstance(line, LaneLine)]
    except (CallFailed, DecodeError):
        return
    await asyncio.to_thread(_add_lanes, peers, [lane for lane in lanes if lane.id in wanted])


def _add_lanes(peers: Peers, lanes: Sequence[Lane]) -> None:
    site = peers.site
    with site.store.transaction() as tx:
        network = peers.book.network(tx)
        for lane in lanes:
            if lane.origin == site.party.node_id and tables.find_lane(tx, lane.id) is None:
                tables.add_lane(tx, lane, own=True, members=members_text(lane, network))


async def catch_up(peers: Peers, member: Member, head: Checkpoint, with_gaps: bool = False) -> None:
    """Fetch our entries back from a member who has them, or go on in a new epoch.

    `with_gaps`: also without content that this member has not kept: a number that we gave out must be known to us.
    """
    fetched = 0
    for _ in range(MAX_PAGES):
        row = await asyncio.to_thread(_lane, peers, head.lane)
        if row is None or row.closed or row.cursor.sequence >= head.sequence:
            break
        after = f"{row.cursor.sequence}:{row.cursor.chain.hex()}"
        try:
            path = f"/p2p/v1/lanes/{head.lane.hex()}/entries?after={after}&gaps={int(with_gaps)}"
            answer = await calls.call(peers, member, "GET", path)
        except CallFailed:
            return
        if answer.status == 409:
            await asyncio.to_thread(_new_epoch, peers, head.lane)
            return
        if answer.status != 200 or not answer.body.strip():
            return
        try:
            line = wire.decode(answer.body.strip())
        except DecodeError:
            return
        if not isinstance(line, PageLine):
            return
        new = await asyncio.to_thread(_take, peers, line)
        if not new:
            return
        fetched += new
    if fetched:
        await asyncio.to_thread(_say, peers, member, head.lane, fetched)
    else:
        await asyncio.to_thread(_check_same, peers, head)


def _lane(peers: Peers, lane: bytes) -> LaneRow | None:
    with peers.site.store.reading() as view:
        return tables.find_lane(view, lane)


def _take(peers: Peers, page: PageLine) -> int:
    """Put a page of our own entries back where it was; answers how many were missing."""
    entries, checkpoint = wire.entries_of(page)
    site = peers.site
    with site.store.transaction() as tx:
        row = tables.find_lane(tx, checkpoint.lane)
        keys = peers.book.network(tx).keys(site.party.node_id)
        if row is None or not row.own:
            return 0
        followed = verify.follow_page(
            row.cursor, entries, checkpoint, keys, lambda at: tables.chain_at(tx, checkpoint.lane, at), row.base
        )
        if isinstance(followed, verify.Broken):
            return 0
        for each, chain in followed.entries:
            _put_back(tx, site.party.node_id, row, each, chain)
        tables.move_lane(tx, followed.checkpoint)
        for each, _ in followed.entries:
            _take_back_again(tx, peers, each)
        return len(followed.entries)


def _put_back(tx: Transaction, me: str, row: LaneRow, each: Entry, chain: bytes) -> None:
    if each.body is None:
        tables.add_entries(tx, [tables.entry_row(each.header, chain, tables.GONE)])
        return
    tx.put_bodies([tables.entry_body(each)])
    tables.add_entries(tx, [_row(tx, me, row, each, chain)])


def _take_back_again(tx: Transaction, peers: Peers, each: Entry) -> None:
    """What we took back after the backup was made is in it again: it goes once more."""
    if each.header.op not in recall.OPS or each.body is None:
        return
    site, op, said = peers.site, Op(each.header.op), recall.decode(each.body)
    target = recall.target_of(said)
    row = tables.find_lane(tx, target.lane)
    if row is None or not row.own:
        return
    batch = Batch(site, tx, peers.book.network(tx))
    held = recall_tables.held_in(tx, target.lane, target.entries, row.cursor.sequence)
    TakingBack(site, tx, peers.book.network(tx), batch).drop(target.lane, held, op, said.reason)


def _row(tx: Transaction, me: str, row: LaneRow, each: Entry, chain: bytes) -> EntryRow:
    """What it holds counts again: a version that we sent is not given out a second time."""
    if each.header.op != Op.PUT or row.lane.audience == NETWORK:
        return tables.entry_row(each.header, chain, tables.OWN)
    assert each.body is not None
    wrapped = envelope.decode(each.body)
    known = tables.known_objects(tx, [wrapped.object_id])[wrapped.object_id].get(me)
    if known is None or known.version < wrapped.version:
        at = from_ms(each.header.ts_ms)
        digest = hashlib.sha256(each.body).digest()
        tables.save_objects(tx, [tables.object_row(me, wrapped.object_id, wrapped.kind, wrapped.version, digest, at)])
    until = wrapped.handling.retain_until if wrapped.handling else None
    return tables.entry_row(each.header, chain, tables.OWN, until, wrapped.object_id, wrapped.version)


def _check_same(peers: Peers, head: Checkpoint) -> None:
    """Nothing was missing, and yet they differ: two histories."""
    with peers.site.store.reading() as view:
        row = tables.find_lane(view, head.lane)
        ours = tables.chain_at(view, head.lane, head.sequence)
    if row is not None and not row.closed and ours is not None and ours != head.chain:
        _new_epoch(peers, head.lane)


def _new_epoch(peers: Peers, lane: bytes) -> None:
    site = peers.site
    with site.store.transaction() as tx:
        row = tables.find_lane(tx, lane)
        if row is None or not row.own or row.closed:
            return
        Batch(site, tx, peers.book.network(tx)).close(row, "two-histories")
    log.warning("One of our connections has two histories after a restore: it goes on as a new one")


def _say(peers: Peers, member: Member, lane: bytes, fetched: int) -> None:
    site = peers.site
    with site.store.transaction() as tx:
        row = tables.find_lane(tx, lane)
        assert row is not None
        tx.append(
            LaneRestored(
                at=site.clock(),
                lane=lane.hex(),
                sequence=row.cursor.sequence,
                fetched=fetched,
                told_by=member.node_id,
            )
        )
