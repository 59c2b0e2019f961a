"""What really happened in one history, and what must follow from it. Imports nothing of port2port's own deciding.

The driver tells the ledger of every statement, offer, line on a link and arrival, each with the clock and the
statements that the deciding node had at that moment; so every permission is recomputed at the instant it was used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from port2port.chaos import canary
from port2port.chaos.oracle import Knowledge, Label, Statement, known_from, may_have, objection, readers_of

Version = tuple[str, str, int]
"""Origin, object id, version."""


@dataclass(frozen=True)
class Offer:
    """One version of one object, as somebody decided to share it."""

    version: Version
    label: Label
    canary: str
    digest: str


@dataclass(frozen=True)
class Recalled:
    """One recall, as its origin issued it."""

    op: str
    versions: tuple[Version, ...]
    holders: tuple[str, ...]


@dataclass(frozen=True)
class Violation:
    """A promise that was broken: `I1` convergence … `I15` monotone handling, as the design numbers them."""

    promise: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


@dataclass(frozen=True)
class View:
    """A node at one moment: who, its own clock, and what it knows of the network."""

    node: str
    at_s: float
    known: Knowledge


class Enough(BaseException):
    """One violation was asked for, and found."""


@dataclass
class Ledger:
    """The truth of one history."""

    stops_at_first: bool = False
    """For planted bugs: one violation is enough."""
    statements: dict[str, Statement] = field(default_factory=dict)
    """By digest of the signed document."""
    offers: dict[Version, Offer] = field(default_factory=dict)
    acknowledged: set[Version] = field(default_factory=set)
    """The node has answered whoever shared it."""
    published: set[Version] = field(default_factory=set)
    kept_back: set[Version] = field(default_factory=set)
    """Nobody might have it when it was offered."""
    sent: set[tuple[str, Version]] = field(default_factory=set)
    """(reader, version): it was put on the link to this reader, and at that moment it was allowed to."""
    placed: dict[tuple[str, int], Version] = field(default_factory=dict)
    """(connection, number): which version stands there."""
    recalls: dict[str, Recalled] = field(default_factory=dict)
    taken_back: dict[Version, str] = field(default_factory=dict)
    """Version -> `withdraw`, `erase` or `supersede`."""
    forgotten: set[str] = field(default_factory=set)
    """Recalls that their origin does not remember: it went back to an older copy of its files."""
    unsure: set[Version] = field(default_factory=set)
    """Their origin went back to an older copy of its files, and nobody can say any more what became of these."""
    permitted: set[tuple[str, Version]] = field(default_factory=set)
    """(reader, version): it arrived, and at that moment it was allowed to."""
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    _by_canary: dict[str, Offer] = field(default_factory=dict)
    _folded: dict[frozenset[str], Knowledge] = field(default_factory=dict)

    def knowledge(self, digests: Iterable[str]) -> Knowledge:
        """What the statements with these digests add up to."""
        key = frozenset(digests)
        if key not in self._folded:
            self._folded[key] = known_from(each for digest, each in self.statements.items() if digest in key)
        return self._folded[key]

    def offer(self, offer: Offer) -> None:
        self.offers[offer.version] = offer
        self._by_canary[offer.canary] = offer
        self.counts["offered"] += 1

    def went_back(self, node: str, versions: Iterable[Version], recalls: Iterable[str]) -> None:
        """`node` lost what it did since a copy of its files: these offers, and these recalls."""
        for version in versions:
            self.acknowledged.discard(version)
            self.published.discard(version)
        for recall in recalls:
            self.forgotten.add(recall)
            for version in self.recalls[recall].versions:
                self.taken_back.pop(version, None)
                self.unsure.add(version)

    def broken(self, promise: str, what: str) -> None:
        self.violations.append(Violation(promise, what))
        if self.stops_at_first:
            raise Enough

    def check_published(self, view: View, version: Version, readers: Iterable[str], at: tuple[str, int]) -> None:
        """The origin says that it has published a version for these readers, in a connection under a number."""
        self.placed[at] = version
        expected = readers_of(self.offers[version].label, view.at_s, view.known)
        self.published.add(version)
        self.counts["published"] += 1
        if set(readers) != expected:
            wrong = set(readers) ^ expected
            self.broken("I4", f"{_name(version)} was published for the wrong readers, {len(wrong)} differ")

    def check_withheld(self, view: View, version: Version) -> None:
        """The origin says that nobody may have a version."""
        self.counts["withheld"] += 1
        self.kept_back.add(version)
        if readers_of(self.offers[version].label, view.at_s, view.known):
            self.broken("I1", f"{_name(version)} was withheld, though somebody may have it")

    def check_wire(self, sender: View, reader: str, data: bytes) -> None:
        """Bytes leave `sender` for `reader`: everything in them must be for this reader, now."""
        self.counts["wire_bytes"] += len(data)
        for word in canary.found_in(data):
            offer = self._by_canary.get(word)
            if offer is None:
                self.broken("I5", f"{word} is on a link, and nobody said it")
            elif reader == offer.version[0]:
                continue  # its own, given back
            elif word := objection(offer.label, reader, sender.at_s, sender.known):
                self.broken("I4", f"{_name(offer.version)} was sent to {reader[:8]}: {word}")
            else:
                self.sent.add((reader, offer.version))

    def check_lane(self, sender: View, reader: str, label: Label) -> None:
        """`sender` tells `reader` that there is something so labelled."""
        if reader != label.origin and (word := objection(label, reader, sender.at_s, sender.known)):
            self.broken("I4", f"{reader[:8]} was told of something of {label.origin[:8]}: {word}")

    def recalled(self, recall: str, op: str, lane: str, numbers: Iterable[int], holders: Iterable[str]) -> None:
        """An origin has taken back what stands under these numbers."""
        versions = tuple(self.placed[lane, number] for number in numbers)
        self.recalls[recall] = Recalled(op, versions, tuple(holders))
        self.counts[f"recall.{op}"] += 1
        for version in versions:
            self.taken_back[version] = op

    def check_receipt(self, node: str, recall: str, files: Mapping[str, bytes]) -> None:
        """`node` vouches that what this recall means is gone there; `files`: all that it still can read."""
        self.counts["receipts"] += 1
        for where, data in files.items():
            for version in self.recalls[recall].versions:
                if self.offers[version].canary.encode() in data:
                    self.broken("I7", f"{_name(version)} lies in {where} of {node[:8]}, which has vouched for its end")

    def check_recalls_end(self, views: Mapping[str, View], receipts: Mapping[str, set[str]]) -> None:
        """Every present member who may have read what was taken back has confirmed. `receipts`: recall -> nodes."""
        for recall, said in self.recalls.items():
            version = said.versions[0]
            if version[0] not in views or recall in self.forgotten:
                continue
            for reader in (set(said.holders) & views.keys()) - receipts.get(recall, set()):
                label, origin = self.offers[version].label, views[version[0]]
                still = "" if may_have(label, reader, origin.at_s, origin.known) else ", and may read there no longer"
                self.broken("I7", f"{reader[:8]} never confirmed the {said.op} of {_name(version)}{still}")

    def check_arrived(self, reader: View, version: Version, digest: str, label: Label, again: bool) -> None:
        """`reader` has taken in a version."""
        self.counts["arrived"] += 1
        offer = self.offers.get(version)
        if offer is None:
            self.broken("I5", f"{reader.node[:8]} holds {_name(version)}, which nobody offered")
            return
        if again:
            self.broken("I6", f"{_name(version)} arrived twice at {reader.node[:8]}")
        if word := objection(offer.label, reader.node, reader.at_s, reader.known):
            self.broken("I15", f"{_name(version)} was taken in by {reader.node[:8]}: {word}")
        if label != offer.label:
            self.broken("I15", f"{_name(version)} has another label at {reader.node[:8]}")
        if digest != offer.digest:
            self.broken("I5", f"{_name(version)} has other content at {reader.node[:8]}")
        self.permitted.add((reader.node, version))

    def check_raw(self, node: str, data: bytes, where: str, at_s: float, present: Collection[str]) -> None:
        """Bytes that lie at `node` when all is healed: nothing that it was not allowed to have, or may no longer.

        `present`: members of now. What somebody who was revoked takes back, nobody hears.
        """
        for word in canary.found_in(data):
            offer = self._by_canary.get(word)
            if offer is None:
                self.broken("I4", f"{word} lies in {where} of {node[:8]}")
                continue
            origin, name = offer.version[0], _name(offer.version)
            if node != origin and (node, offer.version) not in self.sent | self.permitted:
                self.broken("I4", f"{name} lies in {where} of {node[:8]}")
            op = self.taken_back.get(offer.version, "") if origin in present else ""
            if op == "erase" or (op and node != origin):
                self.broken("I7", f"{name} lies in {where} of {node[:8]} after its {op}")
            if offer.label.retain_until_s <= at_s and (node != origin or (offer.version in self.published and not op)):
                self.broken("I7", f"{name} lies in {where} of {node[:8]} after its retention")

    def check_end(self, views: Mapping[str, View], held: Mapping[str, Mapping[Version, str]]) -> None:
        """All is healed: each node holds what it may have, and nothing that it never might."""
        for reader in views:
            newest = _newest(held[reader])
            for (origin, name), number in self.due(reader, views).items():
                self.counts["due"] += 1
                if newest.get((origin, name), 0) < number:
                    self.counts["lost"] += 1
                    self.broken("I1", f"{_name((origin, name, number))} never came to {reader[:8]}")
            for version in held[reader]:
                if (reader, version) not in self.permitted:
                    self.counts["extra"] += 1
                    self.broken("I1", f"{_name(version)} is at {reader[:8]}, which never might have it")
        for lost in self.acknowledged - self.published - self.kept_back:
            self.counts["lost"] += 1
            self.broken("I9", f"{_name(lost)} was acknowledged, and is gone")

    def due(self, reader: str, views: Mapping[str, View]) -> dict[tuple[str, str], int]:
        """The newest version of every object that the reader must hold by now. `views`: of the present members."""
        due: dict[tuple[str, str], int] = {}
        for (origin, name), number in _newest(self.published).items():
            if (
                origin == reader
                or origin not in views
                or (origin, name, number) in self.taken_back.keys() | self.unsure
            ):
                continue
            label = self.offers[origin, name, number].label
            if all(may_have(label, reader, each.at_s, each.known) for each in (views[origin], views[reader])):
                due[origin, name] = number
        return due


def _newest(versions: Iterable[Version]) -> dict[tuple[str, str], int]:
    newest: dict[tuple[str, str], int] = {}
    for origin, name, number in versions:
        newest[origin, name] = max(number, newest.get((origin, name), 0))
    return newest


def _name(version: Version) -> str:
    return f"{version[1]} v{version[2]} of {version[0][:8]}"
