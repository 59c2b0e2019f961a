"""Verbs of officers: name officers, sign what others proposed, grant roles, vouch for a new key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from port2port.capability import Site
from port2port.core.errors import BadInput, NotAllowed, NotFound
from port2port.core.party import AuthorityRole
from port2port.sharing import documents
from port2port.sharing.announcing import missing, sign_and_announce
from port2port.sharing.book import Book
from port2port.sharing.documents import Document, Grant, KeyText, Kind, Member, Officer, RootText
from port2port.sharing.limits import MAX_DOCUMENT_BYTES
from port2port.sharing.roster import Network
from port2port.sharing.standing import Proposal
from port2port.store import Transaction

ROOT_LIFE = timedelta(days=365)
LEAST_ID = 6
"""Letters of a proposal's id that name it well enough."""


def name_officers(site: Site, known: Book, names: Sequence[str], threshold: int, life: timedelta = ROOT_LIFE) -> int:
    """Propose who decides from now on, and how many of them together; answers how many must still sign.

    It counts when enough officers of now and enough of the new ones have signed. Raises `NotAllowed`, `NotFound`.
    """
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        _require_officer(site, network)
        officers = [_officer(network, each) for each in names]
        if not 1 <= threshold <= len({each.node_id for each in officers}) == len(officers):
            raise BadInput("The number that must sign is between 1 and the number of officers, each named once.")
        text = RootText(
            version=network.root.version + 1,
            previous=network.root.mark,
            officers=tuple(officers),
            threshold=threshold,
            keeps=tuple(sorted(network.marks)),
            valid_from=now,
            expires=now + life,
        )
        return _propose(site, known, tx, documents.sign(Kind.ROOT, text, site.identity), now)


def grant(site: Site, known: Book, name: str, roles: Sequence[AuthorityRole]) -> int:
    """What a member may decide for others, in place of before; answers how many officers must still sign."""
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        _require_officer(site, network)
        member = _member(network, name)
        if member.node_id == site.party.node_id:
            raise NotAllowed("Nobody gives himself a role.", hint="Ask another officer.")
        text = Grant(
            node_id=member.node_id,
            roles=tuple(sorted(set(roles))),
            valid_from=max(now, member.valid_from),
            by=site.party.node_id,
        )
        return _propose(site, known, tx, documents.sign(Kind.GRANT, text, site.identity), now)


def recover(site: Site, known: Book, name: str, public_key: bytes) -> int:
    """Vouch for the new key of a member whose old one was lost or stolen; answers how many officers must still sign."""
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        _require_officer(site, network)
        member = _member(network, name)
        keys = network.log.by_node[member.node_id]
        if public_key in keys.ever():
            raise BadInput("This is a key that the member had before.", hint="It makes a new one: network new-key")
        text = KeyText(
            node_id=member.node_id,
            public_key=public_key.hex(),
            previous="",
            recovery=keys.recovery + 1,
            valid_from=now,
            by=site.party.node_id,
        )
        return _propose(site, known, tx, documents.sign(Kind.KEY, text, site.identity), now)


def find_proposal(network: Network, id: str) -> Proposal:
    """What waits for signatures under this id, or its beginning. Raises `NotFound`."""
    found = [each for each in network.pending if len(id) >= LEAST_ID and each.mark.startswith(id.casefold())]
    if len(found) != 1:
        raise NotFound(f"Nothing waits under {id!r}.", hint="See: port2port network show --pending")
    return found[0]


def sign_proposal(site: Site, known: Book, id: str) -> int:
    """Add this officer's signature; answers how many must still sign. Raises `NotFound`, `NotAllowed`."""
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        proposal = find_proposal(network, id)
        if site.party.node_id in proposal.signed_by:
            return proposal.missing
        return _propose(site, known, tx, documents.cosign(proposal.document, site.identity), now)


def _propose(site: Site, known: Book, tx: Transaction, document: Document, now: datetime) -> int:
    if len(document.encoded()) > MAX_DOCUMENT_BYTES:
        raise BadInput("A root that keeps so many statements is too large.", hint="Revoke who is no longer there.")
    sign_and_announce(site, known, tx, document, now)
    return missing(known.network(tx), document)


def _require_officer(site: Site, network: Network) -> None:
    if not network.is_officer(site.party.node_id):
        raise NotAllowed("This node decides nothing about members.", hint="See who does: port2port network officers")


def _officer(network: Network, name: str) -> Officer:
    member = _member(network, name)
    return Officer(node_id=member.node_id, public_key=network.log.by_node[member.node_id].newest.hex())


def _member(network: Network, name: str) -> Member:
    member = network.find(name)
    if member is None or not network.is_member(member.node_id):
        raise NotFound(f"There is no member {name!r}.", hint="See: port2port network show")
    return member
