"""Taking in signed documents, and what follows from them here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from port2port.sharing import book
from port2port.sharing.book import Book
from port2port.sharing.documents import AgreementText, Document, GroupText, Kind, Member, Revocation, Text, read
from port2port.sharing.facts import MemberJoined, MemberRevoked, NetworkChanged
from port2port.sharing.limits import MAX_DOCUMENTS
from port2port.sharing.roster import Network, agreement_of
from port2port.store import Transaction


def problem_with(document: Document, bearer: str, network: Network) -> str:
    """Why a document that `bearer` hands us is refused; empty when it is not.

    Everybody speaks for himself: a sponsor brings his statements, an owner his groups, a party its signature. So
    one who was revoked can bring nothing any more, whatever date he writes on it.
    """
    text = read(document)
    key = network.key(bearer)
    if key is None or not document.is_signed_by(bearer, key):
        return "wrong-signer"
    if isinstance(text, Member) and text.sponsor != bearer:
        return "wrong-signer"
    if isinstance(text, Member) and text.node_id != bearer and not network.may_invite(bearer):
        return "may-not-invite"
    if isinstance(text, Revocation) and (text.by != bearer or not _may_revoke(bearer, text.node_id, network)):
        return "may-not-revoke"
    if isinstance(text, GroupText) and text.owner != bearer:
        return "wrong-signer"
    if isinstance(text, AgreementText) and text.parties and bearer not in text.parties:
        return "wrong-signer"
    return "same-id-other-text" if _is_taken(text, network) else ""


def _is_taken(text: Text, network: Network) -> bool:
    """Whether the id stands for something else already: a second claim would leave nobody with either."""
    if isinstance(text, GroupText):
        group = network.roster.groups.get(text.id)
        return group is not None and group.owner != text.owner
    if isinstance(text, AgreementText):
        known = network.roster.agreements.get(text.id)
        return known is not None and known != agreement_of(text, known.parties)
    return False


def _may_revoke(by: str, node: str, network: Network) -> bool:
    return by == node or by in network.roots or (network.may_invite(by) and node not in network.roots)


def take(
    tx: Transaction, known: Book, documents: Sequence[Document], by: str, now: datetime
) -> tuple[Network, Network]:
    """Keep documents that were found acceptable, and say what changed. Answers the network before and after."""
    before = known.network(tx)
    room = MAX_DOCUMENTS - book.count_documents(tx)
    new = [each for each in documents[: max(0, room)] if book.add_document(tx, each)]
    after = known.network(tx)
    for node in sorted(after.members):
        was, present = before.is_member(node), after.is_member(node)
        name = after.members[node].name
        if present and not was:
            tx.append(MemberJoined(at=now, node_id=node, name=name, sponsor=after.members[node].sponsor))
        elif was and not present:
            tx.append(MemberRevoked(at=now, node_id=node, name=name, by=by))
    changed = {each.kind for each in new} & {Kind.GROUP, Kind.AGREEMENT, Kind.MEMBER}
    if changed and after != before:
        tx.append(*(NetworkChanged(at=now, document_kind=kind, by=by) for kind in sorted(changed)))
    return before, after
