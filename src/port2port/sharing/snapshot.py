"""The live set of a lane: what still counts of it, signed as a whole, for one who begins after its beginning.

    signature = Ed25519("p2p-snapshot-1" | lane 16 | sequence 8 | chain 32 | time 8 | SHA-256(all headers in order))

A new member of a group need not read a million entries of which most were taken back. From the live set's number on,
the log goes on as for everybody.
"""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections.abc import Sequence
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from port2port.core.clock import to_ms
from port2port.core.errors import DecodeError
from port2port.sharing import calls, tables, wire
from port2port.sharing.calls import CallFailed, PeerAnswer, PeerRequest, PeerRoute
from port2port.sharing.documents import Member
from port2port.sharing.entry import MAX_SEQUENCE, Cursor, Entry
from port2port.sharing.intake import Intake
from port2port.sharing.limits import MAX_BODY_BYTES, MAX_SNAPSHOT_BYTES
from port2port.sharing.outlet import may_read
from port2port.sharing.peers import Peers
from port2port.sharing.tables import LaneRow
from port2port.sharing.wire import EntryPart
from port2port.store import Reading

_SIGNED = struct.Struct(">16sQ32sQ32s")
_PREFIX = b"p2p-snapshot-1"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A live set as it travels."""

    lane: str
    seq: int
    chain: bytes
    ts_ms: int
    entries: list[EntryPart]
    signature: bytes


_snapshots = msgspec.json.Decoder(Snapshot)


def make(view: Reading, row: LaneRow, key: Ed25519PrivateKey, now: datetime) -> Snapshot:
    """The entries of a lane of ours that still have their content, up to its head."""
    rows = view.rows(
        "SELECT sequence, op, ts_ms, commitment, object_id, version, salt, body, retain_until FROM sharing_entry"
        " WHERE lane = ? AND op = 1 AND sequence <= ? AND (object_id IS NOT NULL OR retain_until IS NULL)"
        " ORDER BY sequence",
        (row.lane.id, row.cursor.sequence),
    )
    stored = tables.with_bodies(view, row.lane.id, rows)
    live = [
        each.entry
        for each in stored
        if each.entry.body is not None and (each.retain_until is None or each.retain_until > now)
    ]
    ts_ms = to_ms(now)
    signed = _signed_bytes(row.lane.id, row.cursor, ts_ms, live)
    return Snapshot(
        lane=row.lane.id.hex(),
        seq=row.cursor.sequence,
        chain=row.cursor.chain,
        ts_ms=ts_ms,
        entries=wire.parts_of(live),
        signature=key.sign(signed),
    )


def encode(snapshot: Snapshot) -> bytes:
    return msgspec.json.encode(snapshot)


def read(data: bytes, lane: bytes, *public_keys: bytes) -> tuple[Cursor, list[Entry]]:
    """A live set of this lane, signed by its origin: where the log goes on, and the entries. Raises `DecodeError`."""
    try:
        snapshot = _snapshots.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError) as error:
        raise DecodeError(f"A live set cannot be read: {error}.", reason="bad-snapshot") from error
    if snapshot.lane != lane.hex() or not 1 <= snapshot.seq <= MAX_SEQUENCE or len(snapshot.chain) != 32:
        raise DecodeError("A live set is not of this connection.", reason="bad-snapshot")
    entries = wire.entries_in(lane, snapshot.entries)
    cursor = Cursor(snapshot.seq, snapshot.chain)
    numbers = [each.header.sequence for each in entries]
    if numbers != sorted(set(numbers)) or any(number > snapshot.seq for number in numbers):
        raise DecodeError("A live set is not in order.", reason="bad-snapshot")
    if not all(each.body is not None and each.holds() and len(each.body) <= MAX_BODY_BYTES for each in entries):
        raise DecodeError("A live set holds other content than was signed.", reason="bad-snapshot")
    if not 0 <= snapshot.ts_ms < 2**63:
        raise DecodeError("A live set has an impossible time.", reason="bad-snapshot")
    signed = _signed_bytes(lane, cursor, snapshot.ts_ms, entries)
    if not any(_is_signed(snapshot.signature, signed, key) for key in public_keys):
        raise DecodeError("A live set is not signed by its origin.", reason="bad-snapshot")
    return cursor, entries


def route(peers: Peers) -> PeerRoute:
    """Answers members who may read the lane."""

    def handle(peer: str, request: PeerRequest) -> PeerAnswer:
        lane = request.path_values.get("lane", "")
        site = peers.site
        with site.store.reading() as view:
            row = tables.find_lane(view, bytes.fromhex(lane)) if wire.is_lane_id(lane) else None
            network = peers.book.network(view)
            if row is None or not row.own or not row.cursor.sequence:
                return PeerAnswer(404)
            if not may_read(row.lane, peer, network, site.clock()):
                return PeerAnswer(404)
            return PeerAnswer(200, encode(make(view, row, site.identity, site.clock())))

    return PeerRoute("GET", "/p2p/v1/lanes/{lane}/snapshot", handle)


async def fetch(peers: Peers, intake: Intake, member: Member, lane: bytes) -> bool:
    """Begin a lane from its live set; False when its origin has none for us."""
    try:
        path = f"/p2p/v1/lanes/{lane.hex()}/snapshot"
        answer = await calls.call(peers, member, "GET", path, most=MAX_SNAPSHOT_BYTES)
    except CallFailed:
        return False
    if answer.status != 200:
        return False
    return await asyncio.to_thread(_take, peers, intake, member, lane, answer.body)


def _take(peers: Peers, intake: Intake, member: Member, lane: bytes, data: bytes) -> bool:
    cursor, entries = read(data, lane, *peers.network().keys(member.node_id))
    return intake.begin(member.node_id, lane, cursor, entries)


def _signed_bytes(lane: bytes, cursor: Cursor, ts_ms: int, entries: Sequence[Entry]) -> bytes:
    digest = hashlib.sha256(b"".join(each.header.packed() for each in entries)).digest()
    return _PREFIX + _SIGNED.pack(lane, cursor.sequence, cursor.chain, ts_ms, digest)


def _is_signed(signature: bytes, signed: bytes, key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
