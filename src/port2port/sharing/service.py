"""Verbs about the network: invite, admit, enter, revoke, resume. One transaction each."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from port2port.capability import Site
from port2port.core.errors import BadInput, Conflict, DecodeError, NotAllowed, NotFound
from port2port.core.ids import node_id
from port2port.core.party import Compartment
from port2port.sharing import (
    book,
    documents,
    invitation,
    key_log,
    knocking,
    membership,
    roster,
    short_code,
    tables,
)
from port2port.sharing.announcing import (
    announce,
    announced_address,
    missing,
    require_inviter,
    sign_and_announce,
)
from port2port.sharing.book import Book, Invitation
from port2port.sharing.documents import AgreementText, Document, Kind, Member, Revocation
from port2port.sharing.facts import MemberInvited, NetworkChanged
from port2port.sharing.intake import Intake
from port2port.sharing.invitation import Code
from port2port.sharing.limits import MAX_BOOTSTRAP_BYTES, MAX_POST_BYTES
from port2port.sharing.papers import Papers
from port2port.sharing.roster import Network
from port2port.sharing.settings import SharingSettings, host_and_port
from port2port.store import Transaction
from port2port.store.identity import first_public, public_bytes

_PROOF = b"p2p-join-1\0"
MAX_CHANGES = 50
"""Changes of key that a joiner may bring along."""


class JoinText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a joiner says of itself."""

    name: str
    short_name: str
    public_key: str
    address: str
    compartment: Compartment
    locode: str = ""
    changes: tuple[Document, ...] = ()
    """How it came from its first key, `public_key`, to the one it signs with."""


class JoinRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The joiner's words, signed by the key it will be known by."""

    text: str
    signature: str


class JoinAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network as the inviter knows it, with the new member's statement."""

    documents: list[Document]


def invite(site: Site, settings: SharingSettings, known: Book, name: str = "", *, address: str = "") -> Code:
    """Make a code with which one organisation can join within 48 hours. Raises `NotAllowed`."""
    host, port = host_and_port(address or announced_address(settings))
    secret = secrets.token_bytes(invitation.SECRET_BYTES)
    code = Code(host, port, secret, public_bytes(site.identity), site.party.node_id)
    now = site.clock()
    with site.store.transaction() as tx:
        require_inviter(site, known, tx, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", now)
        expires = now + invitation.LIFE
        book.add_invitation(tx, Invitation(public_bytes(code.key()), name, expires, ""))
        tx.append(MemberInvited(at=now, invitation=code.subject(), name=name, expires=expires))
    return code


def request_to_join(site: Site, settings: SharingSettings, code: Code) -> bytes:
    """What the joiner posts."""
    with site.store.reading() as view:
        changes = book.key_changes(view, site.party.node_id)
    text = JoinText(
        name=site.party.name,
        short_name=site.party.short_name,
        public_key=first_public(site.identity).hex(),
        address=announced_address(settings),
        compartment=site.party.compartment,
        locode=site.party.locode,
        changes=tuple(changes),
    )
    said = msgspec.json.encode(text).decode()
    signature = site.identity.sign(_proof(public_bytes(code.key()), said))
    return msgspec.json.encode(JoinRequest(text=said, signature=base64.b64encode(signature).decode()))


def admit(site: Site, known: Book, invitation_key: bytes, data: bytes) -> bytes:
    """Take in the one who holds an open invitation; answers the network. Raises `BadInput`, `Conflict`.

    Who holds nothing but a short code gets an invitation for it first.

    Where officers decide together, the newcomer is proposed, and asks again until enough of them have signed: the
    same invitation answers the same node as long as it is not over. So does an answer that was lost on the way.
    """
    if invitation_key == short_code.DOORBELL:
        return knocking.answer_knock(site, known, data)
    text = _read_request(data, invitation_key)
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        if not network.may_invite(site.party.node_id):
            raise NotAllowed("This node may no longer invite.")
        found = _find_invitation(tx, invitation_key, node_id(bytes.fromhex(text.public_key)), now)
        if not found.used_by:
            statement = _statement_for(text, site.party.node_id, network, now)
            book.use_invitation(tx, found, statement.node_id)
            signed = documents.sign(Kind.MEMBER, statement, site.identity)
            announce(site, known, tx, [signed, *text.changes[:MAX_CHANGES]], now)
        return msgspec.json.encode(JoinAnswer(documents=book.all_documents(tx)))


def _read_request(data: bytes, invitation_key: bytes) -> JoinText:
    try:
        assert len(data) <= MAX_POST_BYTES
        request = msgspec.json.decode(data, type=JoinRequest)
        text = msgspec.json.decode(request.text, type=JoinText)
        key = Ed25519PublicKey.from_public_bytes(_present_key(text))
        signature = base64.b64decode(request.signature, validate=True)
        key.verify(signature, _proof(invitation_key, request.text))
    except (AssertionError, RecursionError, ValueError, DecodeError, InvalidSignature) as error:
        raise BadInput("The request to join cannot be read.") from error
    return text


def _present_key(text: JoinText) -> bytes:
    """The key that the joiner's first one leads to."""
    first = bytes.fromhex(text.public_key)
    keys = key_log.lead_to(first, Papers(text.changes[:MAX_CHANGES]))
    if keys.contested:
        raise DecodeError("Somebody else holds this key too.", reason="contested-key")
    return keys.newest


def _statement_for(text: JoinText, sponsor: str, network: Network, now: datetime) -> Member:
    """A member without any role: what a node may decide for others is never asked for."""
    statement = Member(
        node_id=node_id(bytes.fromhex(text.public_key)),
        name=text.name,
        short_name=text.short_name,
        public_key=text.public_key,
        address=text.address,
        compartment=text.compartment,
        locode=text.locode,
        valid_from=now,
        sponsor=sponsor,
    )
    _require_readable(statement)
    if network.is_member(statement.node_id):
        raise Conflict("This node is a member already.")
    taken = network.mistaken_for(statement)
    if taken is not None:
        raise Conflict(
            f"The member {taken.name} has this name, or one that looks like it.",
            hint="Choose another name and short_name in [node].",
        )
    return statement


def _require_readable(statement: Member) -> None:
    text = msgspec.json.encode(statement).decode()
    try:
        documents.read(Document(kind=Kind.MEMBER, text=text, signatures={}))
    except DecodeError as error:
        raise BadInput("The request to join has an impossible name or address.") from error


def _find_invitation(tx: Transaction, key: bytes, node: str, now: datetime) -> Invitation:
    found = next((each for each in book.invitations(tx) if each.key == key), None)
    if found is None or now >= found.expires or found.used_by not in ("", node):
        raise Conflict("This code was used or has expired.", hint="Ask for a new one.")
    return found


def read_answer(site: Site, code: Code, data: bytes) -> tuple[list[Document], Network]:
    """The inviter's answer, checked: its own roster must name the inviter. Raises `BadInput`.

    Whether we are a member already, `Network.is_member` says: where officers decide together it may take a while.
    """
    try:
        answer = msgspec.json.decode(data, type=JoinAnswer)
        checked = [documents.decode(each.encoded()) for each in answer.documents]
    except (msgspec.DecodeError, UnicodeError, RecursionError, DecodeError) as error:
        raise BadInput("The inviter's answer cannot be read.", hint="Ask for a new invitation.") from error
    network = roster.build(checked, roster.roots_of(checked))
    me = site.party.node_id
    waits = any(isinstance(each.text, Member) and each.text.node_id == me for each in network.pending)
    inviter_is_known = code.inviter_key in network.keys(code.inviter_id) and network.may_invite(code.inviter_id)
    if not inviter_is_known or not (waits or network.is_member(me)):
        raise BadInput("The inviter's answer does not make us a member.", hint="Ask for a new invitation.")
    return checked, network


def open_agreements(received: Sequence[Document], network: Network) -> list[AgreementText]:
    """The agreements in force that any member may sign."""
    found = {}
    for document in received:
        text = documents.read(document)
        if isinstance(text, AgreementText) and not text.parties and text.id in network.roster.agreements:
            found[text.id] = text
    return sorted(found.values(), key=lambda each: each.title)


def enter(site: Site, known: Book, received: Sequence[Document], accede_to: Iterable[str] = ()) -> Network:
    """Take over the network from the inviter, and sign the agreements with these ids."""
    wanted, now = set(accede_to), site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        if network.is_member(site.party.node_id):
            raise Conflict("This node is a member of a network already.")
        if site.party.node_id in network.members:
            book.forget_network(tx)
        book.add_roots(tx, roster.roots_of(received))
        membership.take(tx, known, received, site.party.node_id, now)
        signed = {
            document.text: documents.cosign(document.bare(), site.identity)
            for document in received
            if isinstance(text := documents.read(document), AgreementText) and text.id in wanted
        }
        announce(site, known, tx, list(signed.values()), now)
        return known.network(tx)


def revoke(site: Site, known: Book, name: str) -> tuple[Member, int]:
    """End a membership; every member is told, and the one who left reads nothing more. Raises `NotAllowed`.

    Answers the member, and how many officers must still sign before it counts.
    """
    me, now = site.party.node_id, site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        member = network.find(name)
        if member is None or not network.is_member(member.node_id):
            raise NotFound(f"There is no member {name!r}.", hint="See: port2port network show")
        statement = Revocation(node_id=member.node_id, at=max(now, member.valid_from), by=me)
        signed = documents.sign(Kind.REVOCATION, statement, site.identity)
        if membership.problem_with(signed, me, network):
            raise NotAllowed("This node may not end that membership.", hint="Ask a member with the role `invites`.")
        announce(site, known, tx, [signed], now)
        return member, missing(known.network(tx), signed)


def move(site: Site, known: Book, address: str) -> None:
    """Tell every member that we are reached elsewhere (host:port) from now on. Raises `NotFound`, `BadInput`."""
    host_and_port(address)
    me = site.party.node_id
    with site.store.transaction() as tx:
        network = known.network(tx)
        if not network.is_member(me):
            raise NotFound("This node is in no network.")
        now = max(site.clock(), network.members[me].valid_from + timedelta(microseconds=1))
        said = msgspec.structs.replace(network.members[me], address=address, valid_from=now, sponsor=me)
        sign_and_announce(site, known, tx, documents.sign(Kind.MEMBER, said, site.identity), now)


def resume(site: Site, known: Book, name: str) -> int:
    """Try connections again that were stopped because what came contradicted itself; answers how many."""
    with site.store.transaction() as tx:
        member = known.network(tx).find(name)
        if member is None:
            raise NotFound(f"There is no member {name!r}.", hint="See: port2port network show")
        count = tables.resume_lanes(tx, member.node_id)
        tx.append(NetworkChanged(at=site.clock(), document_kind="resumed", by=site.party.node_id))
        return count


def load_documents(site: Site, known: Book, received: Sequence[Document]) -> None:
    """Take in the documents of a network file: whoever named that file takes its word. Repeating changes nothing."""
    with site.store.transaction() as tx:
        book.add_roots(tx, roster.roots_of(received))
        membership.take(tx, known, received, site.party.node_id, site.clock())
        Intake(site, known).settle_waiting(tx)


def _proof(invitation_key: bytes, text: str) -> bytes:
    return _PROOF + invitation_key + text.encode()


MAX_ANSWER_BYTES = MAX_BOOTSTRAP_BYTES
