"""What a set of signed documents adds up to: members, keys, officers, groups, agreements. Pure.

The result depends on the set alone, never on the order in which it came, so all nodes that hold the same
documents see the same network. The founders are the nodes whose own word this node took when it began: those who
signed for themselves in its network file, or in the roster that its inviter handed over.

Until there is a root, a statement about a member counts when its sponsor is a founder or holds the role `invites`,
and gives no role that the sponsor does not hold (a founder may give any). From the first root on, it takes as many
officers as the root says, see `authority.py`. A member may change its own address and key, and leave; nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from port2port.core.errors import Conflict
from port2port.core.handling import Roster
from port2port.core.party import AuthorityRole
from port2port.sharing import authority, circles, key_log
from port2port.sharing.authority import Root
from port2port.sharing.documents import Document, Member, Revocation
from port2port.sharing.key_log import KeyLog
from port2port.sharing.likeness import look_alike
from port2port.sharing.papers import Papers
from port2port.sharing.standing import Proposal, Standing, proposals


@dataclass(frozen=True)
class Network:
    """Who is in the network, with keys and addresses."""

    roster: Roster = field(default_factory=Roster)
    members: Mapping[str, Member] = field(default_factory=dict)
    """By node id, former ones too; each with the address and roles it has now."""
    roots: frozenset[str] = frozenset()
    """The founders."""
    root: Root = field(default_factory=Root)
    log: KeyLog = field(default_factory=KeyLog)
    ended: Mapping[str, Revocation] = field(default_factory=dict)
    """How the membership of each former member ended."""
    endings: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    """Agreement id -> node id of a party that ended it early -> when."""
    pending: tuple[Proposal, ...] = ()
    marks: frozenset[str] = frozenset()
    """The statements that count, for the next root to keep."""

    def is_member(self, node: str) -> bool:
        return node in self.members and node not in self.roster.revoked

    def key(self, node: str, now: datetime | None = None) -> bytes | None:
        """The public key that a present member uses (32 bytes), else None. Without a time: its newest."""
        return next(iter(self.keys(node, now)), None)

    def keys(self, node: str, now: datetime | None = None) -> tuple[bytes, ...]:
        """The public keys accepted of a present member, the one in use first: several while it changes its key.

        Without a time, those that could be in use at any: for pages and statements that were signed a while ago.
        """
        return self.log.by_node[node].at(now) if self.is_member(node) else ()

    def last_keys(self, node: str) -> tuple[bytes, ...]:
        """The keys of a present or former member."""
        return self.log.by_node[node].at(None) if node in self.members else ()

    def others(self, me: str) -> list[Member]:
        """All present members but me, by name."""
        found = (each for node, each in self.members.items() if node != me and self.is_member(node))
        return sorted(found, key=lambda each: each.name)

    def may_invite(self, node: str) -> bool:
        return self.is_member(node) and AuthorityRole.INVITES in self.members[node].roles

    def is_officer(self, node: str) -> bool:
        """Whether its signature counts towards decisions about members."""
        return node in self.root.officers

    def name(self, node: str) -> str:
        """The short name of a present or former member; the beginning of its id for a stranger."""
        return self.members[node].short_name if node in self.members else node[:8]

    def find(self, name: str) -> Member | None:
        """A member by short name, name or id, in any case of letters. Present ones come first.

        Raises `Conflict` when it could be either of two members: nobody is chosen for the one who asks.
        """
        wanted = name.casefold()
        found = [
            each
            for each in self.members.values()
            if wanted in (each.short_name.casefold(), each.name.casefold(), each.node_id)
        ]
        present = [each for each in found if self.is_member(each.node_id)]
        if len(present) > 1:
            ids = ", ".join(sorted(each.node_id for each in present))
            raise Conflict(f"{len(present)} members are called {name!r}.", hint=f"Say which, by its id: {ids}")
        return next(iter(present or found), None)

    def mistaken_for(self, newcomer: Member) -> Member | None:
        """Another member, present or former, whom a person could take the newcomer for by name."""
        others = (each for node, each in self.members.items() if node != newcomer.node_id)
        return next((each for each in others if _may_be_confused(each, newcomer)), None)


def _may_be_confused(one: Member, other: Member) -> bool:
    names = ((mine, its) for mine in (one.name, one.short_name) for its in (other.name, other.short_name))
    return any(look_alike(*pair) for pair in names)


def roots_of(documents: Iterable[Document]) -> frozenset[str]:
    """The nodes that sign for themselves and hold a role: whoever accepts the set takes their word."""
    own = (text for _, text in Papers(documents).of(Member) if text.sponsor == text.node_id and text.roles)
    return frozenset(text.node_id for text in own)


def build(documents: Iterable[Document], roots: frozenset[str]) -> Network:
    """Add up the documents. What does not count is passed over."""
    papers = Papers(documents)
    log = key_log.follow(papers)
    root = authority.newest(papers, roots, log)
    log = key_log.recover(log, papers, root.allows)
    standing = Standing(papers, roots, root, log)
    members = standing.members()
    ended = standing.ended(members)
    present = members.keys() - ended.keys()
    groups = circles.groups(papers, log, present)
    agreements, endings = circles.agreements(papers, log, members.keys())
    roster = Roster(
        parties={node: each.party() for node, each in members.items()},
        groups=groups,
        agreements=agreements,
        revoked=frozenset(ended),
    )
    marks = frozenset(standing.marks) | {each.recovered_by for each in log.by_node.values() if each.recovered_by}
    pending = tuple(proposals(papers, root, standing))
    return Network(roster, members, roots, root, log, ended, endings, pending, marks)
