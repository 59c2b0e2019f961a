"""Taking in signed documents, and what follows from them here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from port2port.sharing import authority, book, tables
from port2port.sharing.book import Book
from port2port.sharing.circles import agreement_of
from port2port.sharing.documents import (
    AgreementText,
    Document,
    EndingText,
    Grant,
    GroupText,
    KeyText,
    Kind,
    LeavingText,
    Member,
    Revocation,
    RootText,
    Text,
    read,
)
from port2port.sharing.facts import KeyChanged, MemberJoined, MemberRevoked, NetworkChanged, OfficersChanged
from port2port.sharing.key_log import begins_anew
from port2port.sharing.limits import MAX_DOCUMENTS
from port2port.sharing.papers import Paper
from port2port.sharing.roster import Network
from port2port.sharing.verify import Broken
from port2port.store import Transaction

EARLY = frozenset({"may-not-invite", "may-not-revoke", "not-an-officer", "later-root", "unknown-member"})
"""Refusals that something still on its way may overturn: such a document is kept aside, and looked at again."""
MAX_EARLY = 200
"""Documents of one bearer that are kept aside."""


def problem_with(document: Document, bearer: str, network: Network) -> str:
    """Why a document that `bearer` hands us is refused; empty when it is not.

    Everybody speaks for himself: a sponsor brings his statements, an owner his groups, an officer or a party its
    signature. So one who was revoked can bring nothing any more, whatever date he writes on it.
    """
    text = read(document)
    if isinstance(text, KeyText) and not begins_anew(text):
        return _key_problem(document, text, network)
    if proves_itself(document, network):
        return ""
    if not document.is_signed_by(bearer, *network.keys(bearer)) or not _may_say(text, bearer):
        return "wrong-signer"
    return _standing_problem(text, bearer, network) or ("same-id-other-text" if _is_taken(text, network) else "")


def _may_say(text: Text, bearer: str) -> bool:
    """Whether this is for the bearer to say at all. What officers sign together, each of them brings."""
    if isinstance(text, GroupText):
        return text.owner == bearer
    if isinstance(text, LeavingText | EndingText):
        return text.node_id == bearer
    if isinstance(text, AgreementText):
        return not text.parties or bearer in text.parties
    return True


def _standing_problem(text: Text, bearer: str, network: Network) -> str:
    decides = network.is_officer(bearer)
    if isinstance(text, RootText):
        return _root_problem(text, bearer, network)
    if isinstance(text, KeyText | Grant):
        return "" if decides else "not-an-officer"
    if isinstance(text, Member) and text.node_id != bearer:
        alone = not network.root.version
        may = text.sponsor == bearer and network.may_invite(bearer) if alone else decides or network.may_invite(bearer)
        return "" if may else "may-not-invite"
    if isinstance(text, Member) and text.sponsor != bearer:
        return "wrong-signer"
    if isinstance(text, Revocation):
        return "" if _may_revoke(bearer, text, network) else "may-not-revoke"
    return ""


def _key_problem(document: Document, text: KeyText, network: Network) -> str:
    """A member's own change of key. The key before has signed it, so it does not matter who brings it."""
    keys = network.log.by_node.get(text.node_id)
    if keys is None:
        return "unknown-member"
    if bytes.fromhex(text.public_key) == keys.newest:
        return ""
    fits = text.previous == keys.newest.hex() and text.recovery == keys.recovery
    return "" if fits and document.is_signed_by(text.node_id, keys.newest) else "older-key"


def proves_itself(document: Document, network: Network) -> bool:
    """Whether enough have signed this very document for it to count, so that anybody may bring it.

    For what everybody must hear of, also from others than those who said it: new officers, the end of a membership.
    """
    text = read(document)
    paper = Paper(document.mark, text, [document])
    if isinstance(text, RootText):
        return authority.follows(paper, text, network.root, network.log.leads_to)
    if isinstance(text, Revocation):
        by_itself = text.by == text.node_id and document.is_signed_by(text.node_id, *network.keys(text.node_id))
        return by_itself or (bool(network.root.version) and network.root.allows(paper, text.node_id))
    return isinstance(text, KeyText) and bool(network.root.version) and network.root.allows(paper, text.node_id)


def _root_problem(text: RootText, bearer: str, network: Network) -> str:
    """An older root changes nothing any more; one far ahead waits for those between."""
    if text.version <= network.root.version:
        return "older-root"
    if not authority.comes_next(text, network.root):
        return "later-root"
    named = bearer in (each.node_id for each in text.officers)
    return "" if named or network.is_officer(bearer) else "not-an-officer"


def _may_revoke(bearer: str, text: Revocation, network: Network) -> bool:
    if text.node_id == bearer:
        return text.by == bearer
    if network.root.version:
        return network.is_officer(bearer)
    return text.by == bearer and (
        network.is_officer(bearer) or (network.may_invite(bearer) and text.node_id not in network.roots)
    )


def _is_taken(text: Text, network: Network) -> bool:
    """Whether the id stands for something else already: a second claim would leave nobody with either."""
    if isinstance(text, GroupText):
        group = network.roster.groups.get(text.id)
        return group is not None and group.owner != text.owner
    if isinstance(text, AgreementText):
        known = network.roster.agreements.get(text.id)
        return known is not None and known != agreement_of(text, known.parties)
    return False


def take(
    tx: Transaction, known: Book, documents: Sequence[Document], by: str, now: datetime
) -> tuple[Network, Network]:
    """Keep documents that were found acceptable, and say what changed. Answers the network before and after."""
    before = known.network(tx)
    room = MAX_DOCUMENTS - book.count_documents(tx)
    new = [each for each in documents[: max(0, room)] if book.add_document(tx, each)]
    new += _take_early(tx, known) if new else []
    after = known.network(tx)
    _tell_of_members(tx, before, after, by, now)
    changed = {each.kind for each in new} & _TOLD
    if changed and after != before:
        tx.append(*(NetworkChanged(at=now, document_kind=kind, by=by) for kind in sorted(changed)))
    if after.root.version != before.root.version:
        tx.append(OfficersChanged(at=now, version=after.root.version, threshold=after.root.threshold))
    return before, after


_TOLD = frozenset({Kind.GROUP, Kind.LEAVING, Kind.AGREEMENT, Kind.ENDING, Kind.MEMBER, Kind.GRANT})


def receive(tx: Transaction, known: Book, document: Document, bearer: str, now: datetime) -> tuple[str, Network]:
    """Take in one document from a member; answers why it was refused, and the network after it.

    The reason is empty when it was taken, and when it was set aside because it may count once others have come.
    """
    network = known.network(tx)
    problem = problem_with(document, bearer, network)
    if not problem:
        return "", take(tx, known, [document], bearer, now)[1]
    return ("" if problem in EARLY and set_aside(tx, document, bearer) else problem), network


def set_aside(tx: Transaction, document: Document, bearer: str) -> bool:
    """Keep a document that may count later; False when its bearer has too many of them."""
    if sum(each == bearer for each, _ in book.early(tx)) >= MAX_EARLY:
        return False
    book.add_early(tx, bearer, document)
    return True


def _take_early(tx: Transaction, known: Book) -> list[Document]:
    """Documents that were set aside, and are acceptable now. Each one taken may open the way for others."""
    taken: list[Document] = []
    while True:
        network = known.network(tx)
        ready = []
        for bearer, document in book.early(tx):
            problem = problem_with(document, bearer, network)
            if problem not in EARLY:
                book.drop_early(tx, document)
            if not problem and book.add_document(tx, document):
                ready.append(document)
        if not ready:
            return taken
        taken += ready


def _tell_of_members(tx: Transaction, before: Network, after: Network, by: str, now: datetime) -> None:
    for node in sorted(after.members):
        was, present = before.is_member(node), after.is_member(node)
        name = after.members[node].name
        if present and not was:
            tx.append(MemberJoined(at=now, node_id=node, name=name, sponsor=after.members[node].sponsor))
        elif was and not present:
            tx.append(MemberRevoked(at=now, node_id=node, name=name, by=by))
        elif present and before.log.by_node[node] != after.log.by_node[node]:
            tx.append(KeyChanged(at=now, node_id=node, name=name, recovered=_is_recovered(before, after, node)))
            tables.resume_lanes(tx, node, Broken.WRONG_SIGNATURE)


def _is_recovered(before: Network, after: Network, node: str) -> bool:
    return before.log.by_node[node].recovery != after.log.by_node[node].recovery
