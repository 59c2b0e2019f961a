"""Verbs about the network: invite, admit, enter, revoke, resume. One transaction each."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from port2port.capability import Site
from port2port.core.errors import BadInput, Conflict, DecodeError, NotAllowed, NotFound
from port2port.core.handling import Agreement, Group, LegalBasis, PersonalData, Purpose
from port2port.core.ids import node_id
from port2port.core.party import AuthorityRole, Compartment
from port2port.sharing import book, documents, invitation, membership, roster, tables
from port2port.sharing.book import Book, Invitation
from port2port.sharing.bootstrap import make_agreement, make_group
from port2port.sharing.documents import AgreementText, Document, Kind, Member, Revocation
from port2port.sharing.facts import DocumentSigned, MemberInvited, NetworkChanged
from port2port.sharing.intake import Intake
from port2port.sharing.invitation import Code
from port2port.sharing.limits import MAX_BOOTSTRAP_BYTES, MAX_POST_BYTES
from port2port.sharing.roster import Network
from port2port.sharing.settings import SharingSettings, host_and_port
from port2port.store import Transaction
from port2port.store.identity import public_bytes

_PROOF = b"p2p-join-1\0"


class JoinText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a joiner says of itself."""

    name: str
    short_name: str
    public_key: str
    address: str
    compartment: Compartment
    locode: str = ""


class JoinRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The joiner's words, signed by the key it will be known by."""

    text: str
    signature: str


class JoinAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network as the inviter knows it, with the new member's statement."""

    documents: list[Document]


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


def invite(site: Site, settings: SharingSettings, known: Book, name: str = "", *, address: str = "") -> Code:
    """Make a code with which one organisation can join within 48 hours. Raises `NotAllowed`."""
    host, port = host_and_port(address or announced_address(settings))
    code = Code(host, port, secrets.token_bytes(invitation.SECRET_BYTES), public_bytes(site.identity))
    now = site.clock()
    with site.store.transaction() as tx:
        _require_inviter(site, known, tx, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", now)
        expires = now + invitation.LIFE
        book.add_invitation(tx, Invitation(public_bytes(code.key()), name, expires, ""))
        tx.append(MemberInvited(at=now, invitation=code.subject(), name=name, expires=expires))
    return code


def _require_inviter(site: Site, known: Book, tx: Transaction, address: str, now: datetime) -> None:
    """Whoever invites holds the role; the first one of a network begins it with his own word."""
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
        public_key=public_bytes(site.identity).hex(),
        address=address,
        compartment=site.party.compartment,
        locode=site.party.locode,
        roles=tuple(sorted(site.party.roles)),
        valid_from=now,
        sponsor=me,
    )
    book.add_roots(tx, [me])
    _announce(site, known, tx, [documents.sign(Kind.MEMBER, statement, site.identity)], now)


def _announce(site: Site, known: Book, tx: Transaction, signed: Sequence[Document], now: datetime) -> None:
    """Keep our own documents, and let the sequencer send them to all members."""
    membership.take(tx, known, signed, site.party.node_id, now)
    for each in signed:
        tx.append(DocumentSigned(at=now, document_kind=each.kind, digest=each.digest))


def request_to_join(site: Site, settings: SharingSettings, code: Code) -> bytes:
    """What the joiner posts."""
    text = JoinText(
        name=site.party.name,
        short_name=site.party.short_name,
        public_key=public_bytes(site.identity).hex(),
        address=announced_address(settings),
        compartment=site.party.compartment,
        locode=site.party.locode,
    )
    said = msgspec.json.encode(text).decode()
    signature = site.identity.sign(_proof(public_bytes(code.key()), said))
    return msgspec.json.encode(JoinRequest(text=said, signature=base64.b64encode(signature).decode()))


def admit(site: Site, known: Book, invitation_key: bytes, data: bytes) -> bytes:
    """Take in the one who holds an open invitation; answers the network. Raises `BadInput`, `Conflict`."""
    text = _read_request(data, invitation_key)
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        if not network.may_invite(site.party.node_id):
            raise NotAllowed("This node may no longer invite.")
        statement = _statement_for(text, site.party.node_id, network, now)
        _use(tx, invitation_key, statement.node_id, now)
        _announce(site, known, tx, [documents.sign(Kind.MEMBER, statement, site.identity)], now)
        return msgspec.json.encode(JoinAnswer(documents=book.all_documents(tx)))


def _read_request(data: bytes, invitation_key: bytes) -> JoinText:
    try:
        assert len(data) <= MAX_POST_BYTES
        request = msgspec.json.decode(data, type=JoinRequest)
        text = msgspec.json.decode(request.text, type=JoinText)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.public_key))
        signature = base64.b64decode(request.signature, validate=True)
        key.verify(signature, _proof(invitation_key, request.text))
    except (msgspec.DecodeError, UnicodeError, ValueError, binascii.Error, InvalidSignature) as error:
        raise BadInput("The request to join cannot be read.") from error
    return text


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
    taken = network.find(text.short_name) or network.find(text.name)
    if network.is_member(statement.node_id):
        raise Conflict("This node is a member already.")
    if taken is not None and taken.node_id != statement.node_id:
        raise Conflict("Another member has this name.", hint="Choose another short_name in [node].")
    return statement


def _require_readable(statement: Member) -> None:
    text = msgspec.json.encode(statement).decode()
    try:
        documents.read(Document(kind=Kind.MEMBER, text=text, signatures={}))
    except DecodeError as error:
        raise BadInput("The request to join has an impossible name or address.") from error


def _use(tx: Transaction, key: bytes, node: str, now: datetime) -> None:
    found = next((each for each in book.invitations(tx) if each.key == key), None)
    if found is None or not found.is_open(now):
        raise Conflict("This invitation was used, or is over.")
    book.use_invitation(tx, key, node)


def read_answer(site: Site, code: Code, data: bytes) -> tuple[list[Document], Network]:
    """The inviter's answer, checked: its own roster must name the inviter and us. Raises `BadInput`."""
    try:
        answer = msgspec.json.decode(data, type=JoinAnswer)
        checked = [documents.decode(each.encoded()) for each in answer.documents]
    except (msgspec.DecodeError, UnicodeError, RecursionError, DecodeError) as error:
        raise BadInput("The inviter's answer cannot be read.", hint="Ask for a new invitation.") from error
    network = roster.build(checked, roster.roots_of(checked))
    if not network.may_invite(node_id(code.inviter_key)) or not network.is_member(site.party.node_id):
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
        if known.network(tx).is_member(site.party.node_id):
            raise Conflict("This node is a member of a network already.")
        book.add_roots(tx, roster.roots_of(received))
        membership.take(tx, known, received, site.party.node_id, now)
        signed = {
            document.text: documents.cosign(
                Document(kind=document.kind, text=document.text, signatures={}), site.identity
            )
            for document in received
            if isinstance(text := documents.read(document), AgreementText) and text.id in wanted
        }
        _announce(site, known, tx, list(signed.values()), now)
        return known.network(tx)


def accede(site: Site, known: Book, agreement_id: str) -> None:
    """Sign an agreement of the network in the name of this organisation, and tell every member. Raises `NotFound`."""
    now = site.clock()
    with site.store.transaction() as tx:
        if agreement_id not in known.network(tx).roster.agreements:
            raise NotFound(f"There is no agreement {agreement_id!r}.", hint="Ask who made it for its name.")
        paper = next(
            each
            for each in book.all_documents(tx)
            if isinstance(text := documents.read(each), AgreementText) and text.id == agreement_id
        )
        _sign_and_announce(site, known, tx, Document(kind=paper.kind, text=paper.text, signatures={}), now)


def agree(site: Site, settings: SharingSettings, known: Book, title: str, days: int) -> str:
    """Open a cooperation agreement about things and places, never persons, to every member; answers its id.

    The one who invites begins a network with it; who joins is asked to sign. Raises `NotAllowed`.
    """
    now = site.clock()
    agreement = Agreement(
        id=site.new_id(),
        title=title,
        parties=frozenset({site.party.node_id}),
        purposes=frozenset(Purpose),
        legal_basis=frozenset(LegalBasis),
        personal_data=frozenset({PersonalData.NONE}),
        starts=now,
        ends=now + timedelta(days=days),
    )
    with site.store.transaction() as tx:
        if not known.network(tx).is_member(site.party.node_id):
            _require_inviter(site, known, tx, announced_address(settings), now)
        document = make_agreement(agreement, site.identity, open_to_all=True)
        _sign_and_announce(site, known, tx, document, now)
    return agreement.id


def make_up_group(site: Site, known: Book, name: str, members: Sequence[str]) -> str:
    """A sharing group of ours with these members, by name; answers its id. Raises `NotFound`."""
    now = site.clock()
    with site.store.transaction() as tx:
        network = known.network(tx)
        found = {each: network.find(each) for each in members}
        if unknown := [each for each, member in found.items() if member is None]:
            raise NotFound(f"There is no member {unknown[0]!r}.", hint="See: port2port network show")
        ids = {member.node_id for member in found.values() if member is not None}
        group = Group(
            id=site.new_id(), name=name, owner=site.party.node_id, members=frozenset(ids | {site.party.node_id})
        )
        _sign_and_announce(site, known, tx, make_group(group, now, site.identity), now)
    return group.id


def _sign_and_announce(site: Site, known: Book, tx: Transaction, document: Document, now: datetime) -> None:
    signed = documents.cosign(document, site.identity)
    if problem := membership.problem_with(signed, site.party.node_id, known.network(tx)):
        raise NotAllowed(f"The network would refuse this {document.kind}: {problem}.")
    _announce(site, known, tx, [signed], now)
    Intake(site, known).settle_waiting(tx)


def revoke(site: Site, known: Book, name: str) -> Member:
    """End a membership; every member is told, and the one who left reads nothing more. Raises `NotAllowed`."""
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
        _announce(site, known, tx, [signed], now)
    return member


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
