"""What a set of signed documents adds up to: members, groups, agreements. Pure.

The result depends on the set alone, never on the order in which it came, so all nodes that hold the same
documents see the same network. The roots are the nodes whose own word this node took when it began: those who
signed for themselves in its network file, or in the roster that its inviter handed over.

A statement about a member counts when its sponsor is a root or holds the role `invites`, and gives no role that
the sponsor does not hold (a root may give any). A member may change its own address, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from port2port.core.errors import DecodeError
from port2port.core.handling import Agreement, Group, Roster
from port2port.core.party import AuthorityRole
from port2port.sharing.documents import AgreementText, Document, GroupText, Member, Revocation, read


@dataclass(frozen=True)
class Network:
    """Who is in the network, with keys and addresses."""

    roster: Roster = field(default_factory=Roster)
    members: Mapping[str, Member] = field(default_factory=dict)
    """By node id, revoked ones too."""
    roots: frozenset[str] = frozenset()

    def is_member(self, node: str) -> bool:
        return node in self.members and node not in self.roster.revoked

    def key(self, node: str) -> bytes | None:
        """The public key of a present member (32 bytes), else None."""
        return bytes.fromhex(self.members[node].public_key) if self.is_member(node) else None

    def others(self, me: str) -> list[Member]:
        """All present members but me, by name."""
        found = (each for node, each in self.members.items() if node != me and self.is_member(node))
        return sorted(found, key=lambda each: each.name)

    def may_invite(self, node: str) -> bool:
        return self.is_member(node) and AuthorityRole.INVITES in self.members[node].roles

    def name(self, node: str) -> str:
        """The short name of a present or former member; the beginning of its id for a stranger."""
        return self.members[node].short_name if node in self.members else node[:8]

    def find(self, name: str) -> Member | None:
        """A member by short name, name or id, in any case of letters."""
        wanted = name.casefold()
        for each in self.members.values():
            if wanted in (each.short_name.casefold(), each.name.casefold(), each.node_id):
                return each
        return None


def roots_of(documents: Iterable[Document]) -> frozenset[str]:
    """The nodes that sign for themselves and hold a role: whoever accepts the set takes their word."""
    return frozenset(text.node_id for document, text in _texts(documents) if isinstance(text, Member) and _is_own(text))


def build(documents: Iterable[Document], roots: frozenset[str]) -> Network:
    """Add up the documents. What does not count is passed over."""
    texts = list(_texts(documents))
    members = _members([(d, t) for d, t in texts if isinstance(t, Member)], roots)
    revoked = _revoked([(d, t) for d, t in texts if isinstance(t, Revocation)], members, roots)
    roster = Roster(
        parties={node: each.party() for node, each in members.items()},
        groups=_groups([(d, t) for d, t in texts if isinstance(t, GroupText)], members, revoked),
        agreements=_agreements([(d, t) for d, t in texts if isinstance(t, AgreementText)], members),
        revoked=revoked,
    )
    return Network(roster, members, roots)


def _texts(documents: Iterable[Document]) -> Iterable[tuple[Document, object]]:
    for document in documents:
        try:
            yield document, read(document)
        except DecodeError:
            continue


def _is_own(member: Member) -> bool:
    return member.sponsor == member.node_id and bool(member.roles)


def _members(statements: list[tuple[Document, Member]], roots: frozenset[str]) -> dict[str, Member]:
    """Passes over the statements until nothing new counts: each pass may bring in new sponsors."""
    statements.sort(key=lambda each: (each[1].valid_from, each[0].text))
    accepted: dict[str, Member] = {}
    for _ in range(len(statements) + 1):
        before = dict(accepted)
        for document, member in statements:
            known = accepted.get(member.node_id)
            if (known is None or _is_newer(member, known)) and _counts(document, member, accepted, roots):
                accepted[member.node_id] = member
        if accepted == before:
            break
    return accepted


def _is_newer(member: Member, known: Member) -> bool:
    return member.valid_from > known.valid_from


def _counts(document: Document, member: Member, accepted: Mapping[str, Member], roots: frozenset[str]) -> bool:
    signer = member.sponsor
    if signer in roots and signer == member.node_id:
        return document.is_signed_by(signer, bytes.fromhex(member.public_key))
    sponsor = accepted.get(signer)
    if sponsor is None or not document.is_signed_by(signer, bytes.fromhex(sponsor.public_key)):
        return False
    if signer == member.node_id:
        return _same_but_address(member, sponsor)
    may_sponsor = AuthorityRole.INVITES in sponsor.roles
    return may_sponsor and (signer in roots or set(member.roles) <= set(sponsor.roles))


def _same_but_address(new: Member, old: Member) -> bool:
    return new == msgspec.structs.replace(old, address=new.address, valid_from=new.valid_from, sponsor=new.sponsor)


def _revoked(
    statements: list[tuple[Document, Revocation]], members: Mapping[str, Member], roots: frozenset[str]
) -> frozenset[str]:
    """A root, or an inviter who is not speaking of a root, ends a membership; a later statement renews it."""
    out = set()
    for document, each in statements:
        member, by = members.get(each.node_id), members.get(each.by)
        if member is None or by is None or not document.is_signed_by(each.by, bytes.fromhex(by.public_key)):
            continue
        allowed = each.by in roots or each.by == each.node_id
        allowed = allowed or (AuthorityRole.INVITES in by.roles and each.node_id not in roots)
        if allowed and each.at >= member.valid_from:
            out.add(each.node_id)
    return frozenset(out)


def _groups(
    statements: list[tuple[Document, GroupText]], members: Mapping[str, Member], revoked: frozenset[str]
) -> dict[str, Group]:
    """The newest word of the owner. An id that two owners claim is nobody's: else one could take over a group."""
    newest: dict[str, GroupText] = {}
    claims: dict[str, set[str]] = {}
    for document, each in sorted(statements, key=lambda pair: (pair[1].valid_from, pair[0].text)):
        owner = members.get(each.owner)
        if owner is not None and document.is_signed_by(each.owner, bytes.fromhex(owner.public_key)):
            newest[each.id] = each
            claims.setdefault(each.id, set()).add(each.owner)
    present = frozenset(members) - revoked
    return {
        each.id: Group(id=each.id, name=each.name, owner=each.owner, members=frozenset(each.members) & present)
        for each in newest.values()
        if claims[each.id] == {each.owner} and each.owner in present
    }


def _agreements(
    statements: list[tuple[Document, AgreementText]], members: Mapping[str, Member]
) -> dict[str, Agreement]:
    """Signatures under the same text add up. Two texts under one id are none: nobody may choose between them."""
    signed: dict[str, set[str]] = {}
    texts: dict[str, AgreementText] = {}
    for document, each in statements:
        valid = {
            node
            for node in document.signatures
            if node in members and document.is_signed_by(node, bytes.fromhex(members[node].public_key))
        }
        if valid:
            signed.setdefault(document.text, set()).update(valid & set(each.parties) if each.parties else valid)
            texts[document.text] = each
    by_id: dict[str, list[str]] = {}
    for text, each in texts.items():
        if signed[text]:
            by_id.setdefault(each.id, []).append(text)
    return {
        id: agreement_of(texts[found[0]], frozenset(signed[found[0]])) for id, found in by_id.items() if len(found) == 1
    }


def agreement_of(text: AgreementText, parties: frozenset[str]) -> Agreement:
    """The agreement as the release rule reads it, with those who have signed."""
    return Agreement(
        id=text.id,
        title=text.title,
        parties=parties,
        purposes=frozenset(text.purposes),
        legal_basis=frozenset(text.legal_basis),
        personal_data=frozenset(text.personal_data),
        starts=text.starts,
        ends=text.ends,
    )
