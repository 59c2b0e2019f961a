"""What this node says to the network: signs a document, keeps it, and lets it travel to every member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from port2port.capability import Site
from port2port.core.errors import BadInput, NotAllowed
from port2port.core.party import AuthorityRole
from port2port.sharing import book, documents, membership
from port2port.sharing.book import Book
from port2port.sharing.documents import Document, Kind, Member
from port2port.sharing.facts import DocumentSigned
from port2port.sharing.intake import Intake
from port2port.sharing.roster import Network
from port2port.sharing.settings import SharingSettings, host_and_port
from port2port.store import Transaction
from port2port.store.identity import first_public


def announced_address(settings: SharingSettings) -> str:
    """Where others reach us. Raises `BadInput` when the settings do not say."""
    address = settings.announce or settings.listen
    host, port = host_and_port(address)
    if port == 0 or host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        raise BadInput(
            "Other ports cannot know where to reach us.",
            hint='Set announce = "host:port" in the section [sharing] of port2port.toml.',
        )
    return address


def require_inviter(site: Site, known: Book, tx: Transaction, address: str, now: datetime) -> None:
    """Whoever invites holds the role; the first one of a network begins it with his own word. Else `NotAllowed`."""
    me = site.party.node_id
    network = known.network(tx)
    if network.may_invite(me):
        return
    if network.members or AuthorityRole.INVITES not in site.party.roles:
        raise NotAllowed(
            "This node may not invite others into the network.",
            hint="Ask a member with the role `invites`; to begin a network of your own, set roles in [node].",
        )
    statement = Member(
        node_id=me,
        name=site.party.name,
        short_name=site.party.short_name,
        public_key=first_public(site.identity).hex(),
        address=address,
        compartment=site.party.compartment,
        locode=site.party.locode,
        roles=tuple(sorted(site.party.roles)),
        valid_from=now,
        sponsor=me,
    )
    book.add_roots(tx, [me])
    announce(site, known, tx, [documents.sign(Kind.MEMBER, statement, site.identity)], now)


def announce(site: Site, known: Book, tx: Transaction, signed: Sequence[Document], now: datetime) -> None:
    """Keep our own documents, and let the sequencer send them to all members."""
    membership.take(tx, known, signed, site.party.node_id, now)
    for each in signed:
        tx.append(DocumentSigned(at=now, document_kind=each.kind, digest=each.digest))


def sign_and_announce(site: Site, known: Book, tx: Transaction, document: Document, now: datetime) -> None:
    signed = documents.cosign(document, site.identity)
    if problem := membership.problem_with(signed, site.party.node_id, known.network(tx)):
        raise NotAllowed(f"The network would refuse this {document.kind}: {problem}.")
    announce(site, known, tx, [signed], now)
    Intake(site, known).settle_waiting(tx)


def missing(network: Network, document: Document) -> int:
    """How many officers must still sign this statement; 0 when it counts."""
    return next((each.missing for each in network.pending if each.mark == document.mark), 0)
