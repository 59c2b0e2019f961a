"""Verbs about the end of a membership: by the member's own word, by others', and how who is no longer one learns it."""

from __future__ import annotations

import msgspec

from port2port.capability import Site
from port2port.core.errors import DecodeError, NotAllowed, NotFound
from port2port.sharing import book, documents, membership, roster
from port2port.sharing.announcing import announce
from port2port.sharing.book import Book
from port2port.sharing.documents import Document, Kind, Revocation
from port2port.store import Reading

MAX_FAREWELLS = 20
_documents = msgspec.json.Decoder(list[Document])


def leave(site: Site, known: Book) -> None:
    """End our own membership. Every member is told, for as long as our node goes on running. Raises `NotFound`."""
    me, now = site.party.node_id, site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        if not network.is_member(me):
            raise NotFound("This node is in no network.")
        if network.roots == {me} and network.others(me) and not network.root.version:
            raise NotAllowed(
                "Nobody else decides about members: when this node goes, nobody can be invited or sent away.",
                hint="Name other officers first: port2port network officers",
            )
        at = max(now, network.members[me].valid_from)
        announce(
            site, known, tx, [documents.sign(Kind.REVOCATION, Revocation(node_id=me, at=at, by=me), site.identity)], now
        )


def farewell(site: Site, node: str) -> bytes:
    """What one who is a member no longer is told: the statements by which that came about."""
    with site.store.reading() as view:
        return msgspec.json.encode(_endings_of(view, node)[-MAX_FAREWELLS:])


def _endings_of(view: Reading, node: str) -> list[Document]:
    return [
        each
        for each in book.all_documents(view)
        if isinstance(text := documents.read(each), Revocation) and text.node_id == node
    ]


def hear_farewell(site: Site, known: Book, data: bytes) -> bool:
    """Believe that we are a member no longer, if those who decide have signed it. Raises `DecodeError`."""
    me, now = site.party.node_id, site.clock()
    try:
        said = [documents.decode(each.encoded()) for each in _documents.decode(data)[:MAX_FAREWELLS]]
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError("A farewell cannot be read.", reason="bad-farewell") from error
    said = [each for each in said if isinstance(text := documents.read(each), Revocation) and text.node_id == me]
    with site.store.transaction() as tx:
        network = known.network(tx)
        after = roster.build([*book.all_documents(tx), *said], network.roots)
        if not network.is_member(me) or after.is_member(me):
            return False
        membership.take(tx, known, said, after.ended[me].by, now)
        return True
