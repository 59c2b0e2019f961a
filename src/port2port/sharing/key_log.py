"""Which keys a member has, has had, and will have. Pure.

A node's id follows from its first key. Each later key is signed by the one before it, so nobody needs to be asked
whether a change is real. When a key was lost or stolen, officers sign a new beginning in its place: the highest
`recovery` counts. Two different successors of one key mean that somebody else holds it: the node is then heard
with no key at all, until officers name the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from port2port.core.ids import node_id
from port2port.sharing.documents import KeyText, Member
from port2port.sharing.papers import Paper, Papers

OVERLAP = timedelta(days=7)
"""How long a key is accepted after the next one came into use."""
Changes = Sequence[tuple[Paper, KeyText]]
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """One key of a node, and from when on the node uses it."""

    public_key: bytes
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one node, oldest first. Never empty."""

    steps: tuple[Step, ...]
    recovery: int = 0
    recovered_by: str = ""
    """Mark of the paper by which officers began anew."""
    earlier: tuple[bytes, ...] = ()
    """Keys that officers have put out of use. What they signed in their time still counts."""
    contested: bool = False

    @property
    def newest(self) -> bytes:
        return self.steps[-1].public_key

    def ever(self) -> tuple[bytes, ...]:
        """Every key that could have signed a document."""
        return (*(each.public_key for each in self.steps), *self.earlier)

    def at(self, now: datetime | None) -> tuple[bytes, ...]:
        """The keys that are accepted, the one in use first. Without a time: any that could be."""
        if self.contested:
            return ()
        if now is None:
            return tuple(each.public_key for each in reversed(self.steps[-3:]))
        present = max((n for n, each in enumerate(self.steps) if each.valid_from <= now), default=0)
        current, coming = self.steps[present], self.steps[present + 1 :]
        before = self.steps[present - 1 : present] if now < _plus(current.valid_from, OVERLAP) else ()
        return tuple(each.public_key for each in (current, *coming, *before))


@dataclass(frozen=True)
class KeyLog:
    """The keys of all nodes."""

    by_node: Mapping[str, Keys] = field(default_factory=dict)

    def ever(self, node: str) -> tuple[bytes, ...]:
        return self.by_node[node].ever() if node in self.by_node else ()

    def leads_to(self, node: str, public_key: bytes) -> tuple[bytes, ...]:
        """A `LeadsTo` from what is known already."""
        keys = tuple(each.public_key for each in self.by_node[node].steps) if node in self.by_node else ()
        return keys[keys.index(public_key) :] if public_key in keys else (public_key,)


def follow(papers: Papers) -> KeyLog:
    """All keys that follow from first ones by their own signatures alone."""
    first = {text.node_id: bytes.fromhex(text.public_key) for _, text in papers.of(Member)}
    changes = _changes(papers)
    return KeyLog({node: _chain(Step(key, _EVER), 0, changes.get(node, ())) for node, key in first.items()})


def recover(log: KeyLog, papers: Papers, is_authorised: Callable[[Paper, str], bool]) -> KeyLog:
    """The same after officers' new beginnings. `is_authorised(paper, subject)`: whether enough of them signed."""
    found = dict(log.by_node)
    changes = _changes(papers)
    begun = [
        (text, paper) for paper, text in papers.of(KeyText) if begins_anew(text) and is_authorised(paper, text.node_id)
    ]
    for text, paper in sorted(begun, key=lambda each: (each[0].recovery, each[0].valid_from, each[1].mark)):
        known = found.get(text.node_id)
        if known is None:
            continue
        step = Step(bytes.fromhex(text.public_key), text.valid_from)
        chain = _chain(step, text.recovery, changes[text.node_id])
        found[text.node_id] = Keys(chain.steps, text.recovery, paper.mark, known.ever(), chain.contested)
    return KeyLog(found)


def begins_anew(text: KeyText) -> bool:
    """Whether officers say it, not the key before."""
    return text.recovery > 0 and not text.previous


LeadsTo = Callable[[str, bytes], tuple[bytes, ...]]
"""For a node and one of its keys: this key, and all that it leads to by own signatures."""


def follower(papers: Papers) -> LeadsTo:
    """Answers where keys lead, also those that officers named anew."""
    changes = _changes(papers)

    def leads_to(node: str, public_key: bytes) -> tuple[bytes, ...]:
        own = changes.get(node, ())
        chains = [_chain(Step(public_key, _EVER), each, own) for each in {0} | {text.recovery for _, text in own}]
        return max(chains, key=lambda each: len(each.steps)).ever()

    return leads_to


def lead_to(first: bytes, papers: Papers) -> Keys:
    """Where a node's first key has led by its own signatures."""
    return _chain(Step(first, _EVER), 0, _changes(papers).get(node_id(first), ()))


def _changes(papers: Papers) -> Mapping[str, Changes]:
    found: dict[str, list[tuple[Paper, KeyText]]] = {}
    for paper, text in papers.of(KeyText):
        found.setdefault(text.node_id, []).append((paper, text))
    return found


def _chain(first: Step, recovery: int, changes: Changes) -> Keys:
    """The first key, and one after another the key that each has signed, as long as there is one and no more."""
    steps = [first]
    while True:
        last = steps[-1].public_key
        found: dict[bytes, datetime] = {}
        for paper, text in changes:
            if text.previous != last.hex() or text.recovery != recovery or not paper.is_signed_by(text.node_id, last):
                continue
            key = bytes.fromhex(text.public_key)
            if key not in (each.public_key for each in steps):
                found[key] = min(found.get(key, text.valid_from), text.valid_from)
        if len(found) != 1:
            return Keys(tuple(steps), recovery, contested=len(found) > 1)
        key, valid_from = found.popitem()
        steps.append(Step(key, max(valid_from, steps[-1].valid_from)))


def _plus(moment: datetime, span: timedelta) -> datetime:
    return moment + span if moment < datetime.max.replace(tzinfo=UTC) - span else moment
