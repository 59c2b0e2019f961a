"""Who is a member and with which roles, and what still waits for signatures. Pure: a part of `roster.build`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from port2port.core.party import AuthorityRole
from port2port.sharing import authority, key_log
from port2port.sharing.authority import Root
from port2port.sharing.documents import Document, Grant, KeyText, Member, Revocation, RootText
from port2port.sharing.key_log import KeyLog
from port2port.sharing.papers import Paper, Papers

Statement = Member | Grant | Revocation | KeyText
S = TypeVar("S", Member, Grant)


@dataclass(frozen=True)
class Proposal:
    """A statement that waits for signatures."""

    mark: str
    text: RootText | Statement
    signed_by: frozenset[str]
    missing: int
    """How many officers must still sign."""
    document: Document
    """With the signatures that count so far."""


class Standing:
    """Who is a member, and with which roles."""

    def __init__(self, papers: Papers, founders: frozenset[str], root: Root, log: KeyLog) -> None:
        self._papers, self._founders, self._root, self._log = papers, founders, root, log
        self._base: dict[str, Member] = {}
        """The newest statement about each member that others stand for."""
        self.marks: set[str] = set()
        self._own = _by_node([each for each in papers.of(Member) if each[1].sponsor == each[1].node_id])
        self._grants = _by_node(papers.of(Grant))

    def members(self) -> dict[str, Member]:
        """Passes over the statements until nothing new counts: each pass may bring in new sponsors."""
        statements = sorted(self._papers.of(Member), key=lambda each: (each[1].valid_from, each[0].mark))
        chosen: dict[str, str] = {}
        for _ in range(len(statements) + 1):
            before = dict(chosen)
            for paper, member in statements:
                known = self._base.get(member.node_id)
                if (known is None or member.valid_from > known.valid_from) and self._counts(paper, member):
                    self._base[member.node_id], chosen[member.node_id] = member, paper.mark
            if chosen == before:
                break
        self.marks |= set(chosen.values())
        return {node: self._with_changes(base) for node, base in sorted(self._base.items())}

    def ended(self, members: Mapping[str, Member]) -> dict[str, Revocation]:
        """A membership ends by the member's own word or its officers'; a later statement renews it."""
        found: dict[str, Revocation] = {}
        statements = sorted(self._papers.of(Revocation), key=lambda each: (each[1].at, each[0].mark))
        for paper, each in statements:
            base = self._base.get(each.node_id)
            if base is not None and each.at >= base.valid_from and self._may_end(paper, each, members):
                found[each.node_id] = each
                self.marks.add(paper.mark)
        return found

    def is_past(self, statement: Statement) -> bool:
        """Whether a statement would change nothing any more if it counted."""
        base = self._base.get(statement.node_id)
        if isinstance(statement, Member):
            own = statement.sponsor == statement.node_id
            return own or (base is not None and base.valid_from >= statement.valid_from)
        if base is None:
            return True
        if isinstance(statement, KeyText):
            return statement.recovery <= self._log.by_node[base.node_id].recovery
        return (statement.at if isinstance(statement, Revocation) else statement.valid_from) < base.valid_from

    def _counts(self, paper: Paper, member: Member) -> bool:
        signer, keys = member.sponsor, self._log.ever(member.sponsor)
        if self._root.version:
            return self._root.allows(paper, member.node_id)
        if not paper.is_signed_by(signer, *keys):
            return False
        if signer == member.node_id:
            return signer in self._founders
        sponsor = self._base.get(signer)
        roles = self._roles(sponsor) if sponsor else ()
        return AuthorityRole.INVITES in roles and (signer in self._founders or set(member.roles) <= set(roles))

    def _with_changes(self, base: Member) -> Member:
        """The member with the address it gives itself, and the roles it was granted."""
        own = [
            text
            for paper, text in self._own.get(base.node_id, ())
            if _is_address_of(text, base) and paper.is_signed_by(base.node_id, *self._log.ever(base.node_id))
        ]
        newest = max(own, key=lambda each: (each.valid_from, each.address), default=base)
        return msgspec.structs.replace(
            base, address=newest.address, valid_from=newest.valid_from, roles=self._roles(base)
        )

    def _roles(self, base: Member) -> tuple[AuthorityRole, ...]:
        granted = [
            (text.valid_from, paper.mark, text.roles)
            for paper, text in self._grants.get(base.node_id, ())
            if text.valid_from >= base.valid_from and self._root.allows(paper, text.node_id)
        ]
        if not granted:
            return tuple(sorted(base.roles))
        _, mark, roles = max(granted)
        self.marks.add(mark)
        return tuple(sorted(set(roles)))

    def _may_end(self, paper: Paper, each: Revocation, members: Mapping[str, Member]) -> bool:
        if each.by == each.node_id:
            return paper.is_signed_by(each.node_id, *self._log.ever(each.node_id))
        if self._root.allows(paper, each.node_id):
            return True
        by = members.get(each.by)
        delegated = not self._root.version and by is not None and AuthorityRole.INVITES in by.roles
        delegated = delegated and each.node_id not in self._founders
        return delegated and paper.is_signed_by(each.by, *self._log.ever(each.by))


def _by_node(papers: Iterable[tuple[Paper, S]]) -> Mapping[str, Sequence[tuple[Paper, S]]]:
    found: dict[str, list[tuple[Paper, S]]] = {}
    for paper, text in papers:
        found.setdefault(text.node_id, []).append((paper, text))
    return found


def _is_address_of(text: Member, base: Member) -> bool:
    """Whether a member says of itself what others say of it, with another address."""
    if text.sponsor != base.node_id or text.valid_from <= base.valid_from:
        return False
    return base == msgspec.structs.replace(
        text, address=base.address, valid_from=base.valid_from, sponsor=base.sponsor, roles=base.roles
    )


def proposals(papers: Papers, root: Root, standing: Standing) -> Iterable[Proposal]:
    """What officers have begun to sign and does not count yet."""
    leads_to = key_log.follower(papers)
    for paper, text in papers.of(RootText):
        if authority.comes_next(text, root) and root.signers(paper):
            own = authority.of_text(paper.mark, text, leads_to)
            signed = root.signers(paper) | own.signers(paper)
            missing = max(root.threshold - len(root.signers(paper)), own.threshold - len(own.signers(paper)))
            yield Proposal(paper.mark, text, signed, missing, paper.document(signed))
    if not root.version:
        return
    statements: list[tuple[Paper, Statement]] = [
        *papers.of(Member),
        *papers.of(Grant),
        *papers.of(Revocation),
        *papers.of(KeyText),
    ]
    for paper, statement in statements:
        signed = root.signers(paper, statement.node_id)
        if signed and not root.allows(paper, statement.node_id) and not standing.is_past(statement):
            yield Proposal(paper.mark, statement, signed, root.threshold - len(signed), paper.document(signed))
