"""Verbs behind the TAXII routes: read a page, hand in objects. They know no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from port2port.core.errors import BadInput, DecodeError, NotAllowed, NotFound, Unavailable
from port2port.sharing.peers import Peers
from port2port.sharing.roster import Network
from port2port.sharing.taxii import access, check, filters, merged, page, resources, shelf, tables, taking_out
from port2port.sharing.taxii.access import Offer
from port2port.sharing.taxii.check import Failure
from port2port.sharing.taxii.facts import TaxiiHandedIn
from port2port.sharing.taxii.filters import Filters
from port2port.sharing.taxii.limits import MAX_POST_OBJECTS, MAX_STATUSES
from port2port.sharing.taxii.model import Account
from port2port.sharing.taxii.page import Page
from port2port.sharing.taxii.rows import Item
from port2port.sharing.taxii.shelf import Outcome
from port2port.sharing.taxii.tables import Kind
from port2port.store import Reading
from port2port.store.types import to_us

Query = Mapping[str, Sequence[str]]
MATCHES = frozenset({"match[id]", "match[type]", "match[version]", "match[spec_version]"})
OF_OBJECT = frozenset({"match[version]", "match[spec_version]"})
OF_VERSIONS = frozenset({"match[spec_version]"})
_CONTRADICTION = "The same version of this object is here already, with other content."
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Read:
    """A page with its content."""

    page: Page
    pieces: list[bytes]
    next: str


class Service:
    """One node's TAXII server."""

    def __init__(self, peers: Peers, quarantine: timedelta) -> None:
        self._peers, self._site, self._quarantine = peers, peers.site, quarantine

    def offers(self, account: Account) -> list[Offer]:
        self._keep_dates()
        with self._site.store.reading() as view:
            return access.offers(view, account, *self._here(view))

    def offer(self, account: Account, name: str) -> Offer:
        """Raises `NotFound`, alike for what is not there and what is hidden."""
        self._keep_dates()
        for each in access.own_offers(account, self._site.party.node_id):
            if name in (each.id, each.alias):
                return each
        for each in self.offers(account):
            if name == each.id:
                return each
        raise NotFound("There is no such collection.", hint="See /collections/ for those of this account.")

    def read(
        self,
        account: Account,
        name: str,
        query: Query,
        *,
        object_id: str = "",
        contents: bool = True,
        versions: bool = False,
    ) -> Read:
        """A page of a collection; with `object_id`, of one object there.

        Raises `NotFound` without collection or object, `NotAllowed` when it cannot be read, `BadInput`.
        """
        offer = self.offer(account, name)
        if not offer.can_read:
            raise NotAllowed("This account cannot read this collection.")
        if offer.kind is Kind.MERGED:
            self._merge(account)
        for _ in range(_TRIES):
            with self._site.store.reading() as view:
                found = tables.find(view, offer.kind, offer.owner)
                number = found.number if found else 0
                asked = _asked(query, number, object_id, versions=versions)
                if object_id and not page.exists(view, number, object_id):
                    raise NotFound("There is no such object in this collection.")
                rows = page.read(view, number, asked)
                pieces = page.contents(view, rows.rows) if contents else []
                if pieces is not None:
                    next_page = filters.next_of(asked, number, rows.rows[-1].added_ms) if rows.more else ""
                    return Read(rows, pieces, next_page)
                gone = page.gone(view, rows.rows)
            self._drop(gone)
        raise Unavailable("Objects of this page are being erased.", hint="Ask again.")

    def hand_in(self, account: Account, name: str, body: bytes) -> bytes:
        """Take in an envelope; answers the status resource. Raises `NotFound`, `NotAllowed`, `DecodeError`."""
        if not self.offer(account, name).can_write:
            raise NotAllowed("Nothing can be handed in at this collection.")
        items, failures = _sorted_out(body)
        now = self._site.clock()
        with self._site.store.transaction() as tx:
            inbox = tables.find_or_add(tx, Kind.INBOX, account.name)
            outcomes = shelf.put(tx, inbox, items, now, now + self._quarantine)
            taken = []
            for item, outcome in zip(items, outcomes, strict=True):
                if outcome is Outcome.CONTRADICTS:
                    failures.append(Failure(item.id, item.version_us, _CONTRADICTION))
                else:
                    taken.append((item.id, item.version_us))
            status_id = self._site.new_id()
            document = resources.status(status_id, to_us(now), taken, failures)
            tables.save_status(tx, status_id, account.name, now, document, MAX_STATUSES)
            tx.append(TaxiiHandedIn(at=now, name=account.name, taken=len(taken), refused=len(failures)))
        if failures:
            self._site.counters.add("sharing.refused.taxii-object", len(failures))
        return document

    def status(self, account: Account, status_id: str) -> bytes:
        """What became of an envelope that this account handed in. Raises `NotFound`."""
        with self._site.store.reading() as view:
            document = tables.find_status(view, status_id, account.name)
        if document is None:
            raise NotFound("There is no such status.")
        return bytes(document)

    def _here(self, view: Reading) -> tuple[Network, str, datetime]:
        return self._peers.book.network(view), self._site.party.node_id, self._site.clock()

    def _merge(self, account: Account) -> None:
        with self._site.store.reading() as view:
            lanes = [each for each, _ in access.readable_lanes(view, account, *self._here(view))]
            current = merged.is_current(view, account.name, lanes)
        if not current:
            merged.bring_up_to_date(self._site.store, account.name, lanes, self._site.clock())

    def _keep_dates(self) -> None:
        """What may no longer be kept is gone before anybody reads."""
        while True:
            with self._site.store.reading() as view:
                due = tables.due_packs(view, self._site.clock())
            if not due:
                return
            self._drop(due)

    def _drop(self, packs: Sequence[int]) -> None:
        with self._site.store.transaction() as tx:
            taking_out.remove_packs(tx, packs, self._site.clock())


def _asked(query: Query, collection: int, object_id: str, *, versions: bool) -> Filters:
    if not object_id:
        return filters.read(query, MATCHES, collection)
    allowed = OF_VERSIONS if versions else OF_OBJECT
    return filters.of_object(filters.read(query, allowed, collection), object_id, every_version=versions)


def _sorted_out(body: bytes) -> tuple[list[Item], list[Failure]]:
    items: list[Item] = []
    failures: list[Failure] = []
    try:
        for each in check.objects_of(body):
            (items if isinstance(each, Item) else failures).append(each)  # type: ignore[arg-type]
    except DecodeError as error:
        raise BadInput(error.message, hint="Send an envelope: an object with a list `objects`.") from error
    if len(items) + len(failures) > MAX_POST_OBJECTS:
        raise BadInput(f"At most {MAX_POST_OBJECTS} objects at once.")
    return items, failures
