"""The origin's side: objects that were offered become numbered, chained, signed entries.

One reader of the journal does this, so one thread assigns numbers; the entries, the head of the lane, the
signature and the reader's cursor commit together. Every object version goes into exactly one lane.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from port2port.capability import Site
from port2port.core.clock import to_ms
from port2port.core.errors import BadInput
from port2port.core.exchange import ObjectOffered
from port2port.core.fact import Recorded
from port2port.core.handling import Handling, Withheld, may_release
from port2port.sharing import book, entry, envelope, tables
from port2port.sharing.book import Book
from port2port.sharing.entry import Cursor, Entry, Header, Op
from port2port.sharing.envelope import Envelope
from port2port.sharing.facts import DocumentSigned, ObjectPublished, ObjectWithheld
from port2port.sharing.lane import NETWORK, Class, Lane, lane_for
from port2port.sharing.roster import Network
from port2port.store import Transaction


def random_salt() -> bytes:
    """Sixteen bytes that nobody can guess."""
    return secrets.token_bytes(entry.SALT_BYTES)


@dataclass
class _Open:
    """A lane while a batch is added to it."""

    cursor: Cursor
    rows: list[dict[str, object]] = field(default_factory=list)


class _Batch:
    """The lanes that one page of the journal touches."""

    def __init__(self, site: Site, tx: Transaction, salt: Callable[[], bytes]) -> None:
        self._site, self._tx, self._salt = site, tx, salt
        self._open: dict[bytes, _Open] = {}
        self._ts_ms = to_ms(site.clock())

    def put(self, lane: Lane, body: bytes, retain_until: datetime | None) -> int:
        """Add one entry; answers its number."""
        open_lane = self._lane(lane)
        salt = self._salt()
        commitment = entry.commitment(salt, body)
        header = Header(lane.id, open_lane.cursor.sequence + 1, Op.PUT, self._ts_ms, commitment)
        open_lane.cursor = entry.follow(open_lane.cursor, header)
        made = Entry(header, salt, body)
        open_lane.rows.append(tables.entry_row(made, open_lane.cursor.chain, "own", retain_until))
        return header.sequence

    def finish(self) -> None:
        """Store the entries, and vouch once for each lane."""
        for lane, added in self._open.items():
            tables.add_entries(self._tx, added.rows)
            tables.move_lane(self._tx, entry.sign(self._site.identity, lane, added.cursor, self._ts_ms))

    def _lane(self, lane: Lane) -> _Open:
        known = self._open.get(lane.id)
        if known is None:
            row = tables.find_lane(self._tx, lane.id) or tables.add_lane(self._tx, lane, own=True)
            known = self._open[lane.id] = _Open(row.cursor)
        return known


class Sequencer:
    """Handles the facts that put something into a lane."""

    def __init__(self, site: Site, network: Book, salt: Callable[[], bytes] = random_salt) -> None:
        self._site, self._book, self._salt = site, network, salt

    def handle(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Take in one page of the journal, inside the reader's transaction."""
        batch = _Batch(self._site, tx, self._salt)
        network = self._book.network(tx)
        for recorded in page:
            if isinstance(recorded.fact, ObjectOffered):
                self._offer(tx, batch, network, recorded.fact)
            elif isinstance(recorded.fact, DocumentSigned):
                self._announce(tx, batch, recorded.fact)
        batch.finish()

    def _offer(self, tx: Transaction, batch: _Batch, network: Network, offered: ObjectOffered) -> None:
        now = self._site.clock()
        readers, reasons = who_may_read(offered.handling, network, self._site.party.node_id, now)
        body = self._body(tx, offered, reasons)
        if body is None or not readers:
            self._withhold(tx, offered, reasons, now)
            return
        digest = hashlib.sha256(body).digest()
        me = self._site.party.node_id
        tables.save_object(tx, me, offered.object_id, offered.object_kind, offered.version, digest, now)
        lane = lane_for(offered.handling, offered.urgent)
        sequence = batch.put(lane, body, offered.handling.retain_until)
        tx.append(
            ObjectPublished(
                at=now,
                object_kind=offered.object_kind,
                object_id=offered.object_id,
                version=offered.version,
                lane=lane.id.hex(),
                sequence=sequence,
                readers=tuple(readers),
            )
        )

    def _body(self, tx: Transaction, offered: ObjectOffered, reasons: dict[str, int]) -> bytes | None:
        """The exact bytes to send, or None with the reason added."""
        me = self._site.party.node_id
        known = tables.holders(tx, offered.object_id).get(me)
        content = tx.body(offered.object_id, offered.version)
        problem = ""
        if offered.handling.origin != me:
            problem = "not-ours"
        elif known is not None and known.version >= offered.version:
            problem = "older-version"
        elif content is None:
            problem = "no-content"
        if problem:
            reasons[problem] = 1
            return None
        assert content is not None
        wrapped = Envelope(
            origin=me,
            kind=offered.object_kind,
            object_id=offered.object_id,
            version=offered.version,
            handling=offered.handling,
            object=msgspec.Raw(content),
        )
        try:
            return envelope.encode(wrapped)
        except BadInput:
            reasons["cannot-travel"] = 1
            return None

    def _withhold(self, tx: Transaction, offered: ObjectOffered, reasons: dict[str, int], now: datetime) -> None:
        tables.save_withheld(tx, offered.object_id, offered.version, reasons, now)
        self._site.counters.add("sharing.withheld")
        tx.append(
            ObjectWithheld(
                at=now,
                object_kind=offered.object_kind,
                object_id=offered.object_id,
                version=offered.version,
                reasons=reasons,
            )
        )

    def _announce(self, tx: Transaction, batch: _Batch, signed: DocumentSigned) -> None:
        document = book.find_document(tx, signed.digest)
        assert document is not None, "a document is stored in the transaction that says it was signed"
        me = self._site.party.node_id
        wrapped = Envelope(
            origin=me,
            kind=document.kind,
            object_id=f"{document.kind}.{signed.digest}",
            version=1,
            handling=None,
            object=msgspec.Raw(document.encoded()),
        )
        batch.put(Lane(me, NETWORK, Class.FLASH), envelope.encode(wrapped), None)


def who_may_read(handling: Handling, network: Network, me: str, now: datetime) -> tuple[list[str], dict[str, int]]:
    """The other members who may have an object so labelled, and for the rest: reason -> how many."""
    readers: list[str] = []
    reasons: Counter[str] = Counter()
    for member in network.others(me):
        answer = may_release(handling, member.node_id, handling.purpose, now, network.roster)
        if isinstance(answer, Withheld):
            reasons[answer.reason.value] += 1
        else:
            readers.append(member.node_id)
    if not network.others(me):
        reasons["no-partners"] = 1
    return readers, dict(reasons)
