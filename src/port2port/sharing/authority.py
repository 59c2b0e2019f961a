"""Who decides about membership: the officers that the newest root names, so many of them together. Pure.

A network begins without a root: the founders, those whose own word a node took when it began, decide alone, and
may let others invite. From the first root on, its officers decide, and it takes as many signatures as it says.
Each root is signed by enough officers of the one before, and by enough of its own, which proves that they hold
their keys (as in The Update Framework, section 5.3). A root is never taken back: an older one changes nothing.

Only the newest root matters. What was signed before counts if the root names it among what it `keeps`, or if
enough of the present officers have signed it: so an officer who had to go cannot add anything in hindsight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from port2port.sharing import key_log
from port2port.sharing.documents import RootText
from port2port.sharing.key_log import KeyLog, LeadsTo
from port2port.sharing.papers import Paper, Papers


@dataclass(frozen=True)
class Root:
    """The officers of now."""

    version: int = 0
    """0: no root yet, the founders decide."""
    mark: str = ""
    officers: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Node id -> the keys whose signature counts."""
    threshold: int = 1
    keeps: frozenset[str] = frozenset()
    expires: datetime | None = None

    def signers(self, paper: Paper, subject: str = "") -> frozenset[str]:
        """The officers who have signed. Nobody decides about himself: `subject` is left out."""
        named = paper.names() & self.officers.keys() - {subject}
        return frozenset(node for node in named if paper.is_signed_by(node, *self.officers[node]))

    def allows(self, paper: Paper, subject: str = "") -> bool:
        """Whether this statement counts."""
        return paper.mark in self.keeps or len(self.signers(paper, subject)) >= self.threshold

    def is_stale(self, now: datetime) -> bool:
        """Whether a newer root should have come by now: somebody may be keeping it from us."""
        return self.expires is not None and now >= self.expires


def newest(papers: Papers, founders: Iterable[str], keys: KeyLog) -> Root:
    """The last root of the chain that begins with the founders."""
    root = Root(officers={node: keys.ever(node) for node in sorted(founders)})
    leads_to = key_log.follower(papers)
    while True:
        following = [paper for paper, text in papers.of(RootText) if follows(paper, text, root, leads_to)]
        if not following:
            return root
        # Two successors need officers who signed both. All nodes then go on with the same one.
        chosen = min(following, key=lambda each: each.mark)
        assert isinstance(chosen.text, RootText)
        root = of_text(chosen.mark, chosen.text, leads_to)


def of_text(mark: str, text: RootText, leads_to: LeadsTo) -> Root:
    """A root as its text describes it, whether it counts or not."""
    return Root(
        version=text.version,
        mark=mark,
        officers={each.node_id: leads_to(each.node_id, bytes.fromhex(each.public_key)) for each in text.officers},
        threshold=text.threshold,
        keeps=frozenset(text.keeps),
        expires=text.expires,
    )


def comes_next(text: RootText, root: Root) -> bool:
    """Whether the text claims to be the successor of this root."""
    return text.version == root.version + 1 and text.previous == root.mark


def follows(paper: Paper, text: RootText, root: Root, leads_to: LeadsTo) -> bool:
    """Whether enough officers of this root, and enough of its own, have signed the next one."""
    if not comes_next(text, root):
        return False
    own = of_text(paper.mark, text, leads_to)
    return len(root.signers(paper)) >= root.threshold and len(own.signers(paper)) >= own.threshold
