"""The origin's side: objects that were offered become numbered, chained, signed entries; orders become recalls.

One reader of the journal does this, so one thread assigns numbers; the entries, the head of the lane, the
signature and the reader's cursor commit together. Every object version goes into exactly one lane.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from port2port.capability import Site
from port2port.core.errors import BadInput
from port2port.core.exchange import ObjectOffered
from port2port.core.fact import Fact, Recorded
from port2port.core.handling import Handling, Withheld, may_release
from port2port.sharing import book, envelope, tables
from port2port.sharing.batch import Batch, random_salt
from port2port.sharing.book import Book
from port2port.sharing.envelope import Envelope
from port2port.sharing.facts import (
    DocumentSigned,
    MemberRevoked,
    NetworkChanged,
    ObjectPublished,
    ObjectWithheld,
    RecallOrdered,
)
from port2port.sharing.lane import NETWORK, Class, Lane, audience_of, lane_for
from port2port.sharing.roster import Network
from port2port.sharing.tables import ObjectRow
from port2port.sharing.taking_back import TakingBack
from port2port.sharing.verify import KnownObject
from port2port.store import Transaction

FACTS: tuple[type[Fact], ...] = (ObjectOffered, DocumentSigned, RecallOrdered, NetworkChanged, MemberRevoked)


class Sequencer:
    """Handles the facts that put something into a lane. `wait` blocks until our own numbers are sure."""

    def __init__(
        self,
        site: Site,
        network: Book,
        salt: Callable[[], bytes] = random_salt,
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self._site, self._book, self._salt, self._wait = site, network, salt, wait

    def handle(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Take in one page of the journal, inside the reader's transaction."""
        self._wait()
        _Sequencing(self._site, self._book, tx, page, self._salt).run()


class _Sequencing:
    """One page on its way into lanes."""

    def __init__(
        self, site: Site, known: Book, tx: Transaction, page: Sequence[Recorded], salt: Callable[[], bytes]
    ) -> None:
        self._site, self._tx, self._page = site, tx, page
        self._network = known.network(tx)
        self._me, self._now = site.party.node_id, site.clock()
        self._batch = Batch(site, tx, self._network, salt)
        self._objects: dict[str, ObjectRow] = {}
        self._readers: dict[str, tuple[list[str], dict[str, int]]] = {}
        offers = [each.fact for each in page if isinstance(each.fact, ObjectOffered)]
        keys = [(each.object_id, each.version) for each in offers]
        self._bodies = dict(zip(keys, tx.bodies(keys), strict=True))
        self._known = {
            object_id: holders[self._me]
            for object_id, holders in tables.known_objects(tx, (each.object_id for each in offers)).items()
            if self._me in holders
        }

    def run(self) -> None:
        for recorded in self._page:
            match recorded.fact:
                case ObjectOffered() as offered:
                    self._offer(offered)
                case DocumentSigned() as signed:
                    self._announce(signed)
                case RecallOrdered() as order:
                    self._flush()
                    TakingBack(self._site, self._tx, self._network, self._batch).carry_out(order)
                case NetworkChanged() | MemberRevoked():
                    self._flush()
                    self._batch.close_left_groups()
                    TakingBack(self._site, self._tx, self._network, self._batch).reroute()
        self._flush()

    def _flush(self) -> None:
        tables.save_objects(self._tx, list(self._objects.values()))
        self._objects.clear()
        self._batch.flush()

    def _offer(self, offered: ObjectOffered) -> None:
        readers, reasons = self._who_may_read(offered.handling)
        body = self._body(offered, reasons)
        if "older-version" in reasons and self._is_published(offered):
            return  # before a restore, from which we took it back already
        if body is None or not readers:
            self._withhold(offered, reasons)
            return
        digest = hashlib.sha256(body).digest()
        first = lane_for(offered.handling, offered.urgent, offered.bulk)
        if offered.object_id in self._known:
            self._flush()
            TakingBack(self._site, self._tx, self._network, self._batch).move(offered.object_id, first, offered.account)
        self._known[offered.object_id] = KnownObject(offered.version, digest)
        self._objects[offered.object_id] = tables.object_row(
            self._me, offered.object_id, offered.object_kind, offered.version, digest, self._now
        )
        lane, sequence = self._batch.put(
            first,
            body,
            retain_until=offered.handling.retain_until,
            object_id=offered.object_id,
            version=offered.version,
            content=self._bodies[offered.object_id, offered.version] or b"",
        )
        self._tx.append(
            ObjectPublished(
                at=self._now,
                object_kind=offered.object_kind,
                object_id=offered.object_id,
                version=offered.version,
                lane=lane.id.hex(),
                sequence=sequence,
                readers=tuple(readers),
            )
        )

    def _who_may_read(self, handling: Handling) -> tuple[list[str], dict[str, int]]:
        """The answer is the same for all of one audience, but for the retention date."""
        if handling.retain_until.tzinfo is None or handling.retain_until <= self._now:
            return who_may_read(handling, self._network, self._me, self._now)
        audience = audience_of(handling)
        if audience not in self._readers:
            self._readers[audience] = who_may_read(handling, self._network, self._me, self._now)
        readers, reasons = self._readers[audience]
        return readers, dict(reasons)

    def _body(self, offered: ObjectOffered, reasons: dict[str, int]) -> bytes | None:
        """The exact bytes to send, or None with the reason added."""
        known = self._known.get(offered.object_id)
        content = self._bodies[offered.object_id, offered.version]
        problem = ""
        if offered.handling.origin != self._me:
            problem = "not-ours"
        elif known is not None and known.version >= offered.version:
            problem = "older-version"
        elif content is None:
            problem = "no-content"
        if problem:
            reasons[problem] = 1
            return None
        assert content is not None
        try:
            return envelope.encode(self._wrapped(offered, content))
        except BadInput:
            reasons["cannot-travel"] = 1
            return None

    def _is_published(self, offered: ObjectOffered) -> bool:
        """Whether these very bytes stand in a lane of ours."""
        known = self._known[offered.object_id]
        content = self._bodies[offered.object_id, offered.version]
        if known.version != offered.version or content is None:
            return False
        try:
            return hashlib.sha256(envelope.encode(self._wrapped(offered, content))).digest() == known.digest
        except BadInput:
            return False

    def _wrapped(self, offered: ObjectOffered, content: bytes) -> Envelope:
        return Envelope(
            origin=self._me,
            kind=offered.object_kind,
            object_id=offered.object_id,
            version=offered.version,
            handling=offered.handling,
            object=msgspec.Raw(content),
        )

    def _withhold(self, offered: ObjectOffered, reasons: dict[str, int]) -> None:
        tables.save_withheld(self._tx, offered.object_id, offered.version, reasons, self._now)
        self._site.counters.add("sharing.withheld")
        self._tx.append(
            ObjectWithheld(
                at=self._now,
                object_kind=offered.object_kind,
                object_id=offered.object_id,
                version=offered.version,
                reasons=reasons,
            )
        )

    def _announce(self, signed: DocumentSigned) -> None:
        document = book.find_document(self._tx, signed.digest)
        assert document is not None, "a document is stored in the transaction that says it was signed"
        wrapped = Envelope(
            origin=self._me,
            kind=document.kind,
            object_id=f"{document.kind}.{signed.digest}",
            version=1,
            handling=None,
            object=msgspec.Raw(document.encoded()),
        )
        self._batch.put(Lane(self._me, NETWORK, Class.FLASH), envelope.encode(wrapped))


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
