"""Checks the whole log of a node: against its journal, its checkpoints, and what partners confirmed.

Everything is computed anew from the records; nothing that is stored is believed. What is found is said in sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from port2port.core.errors import DecodeError
from port2port.core.fact import Recorded, audited_facts
from port2port.sharing.audit import checkpoint, log, note, tables
from port2port.sharing.audit.merkle import Frontier, leaf_hash
from port2port.sharing.audit.record import Record, entry_of, read_record, tells_of
from port2port.sharing.audit.tables import Check, Cosignature, Leaf, StoredCheckpoint
from port2port.sharing.audit.tiles import Tree
from port2port.sharing.facts import AuditErased
from port2port.store import Reading, Store

MAX_SENTENCES = 20
"""Problems that are told one by one; the rest are counted."""

JOURNAL_PAGE = 5_000
Keys = Callable[[str], tuple[bytes, ...]]
"""The public keys of a node; empty for one that we do not know."""


@dataclass
class Report:
    """What a check found."""

    size: int = 0
    erased: int = 0
    confirmed_size: int = 0
    witnesses: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    count: int = 0

    def wrong(self, sentence: str) -> None:
        self.count += 1
        if len(self.problems) < MAX_SENTENCES:
            self.problems.append(sentence)


def verify(store: Store, node: str, keys: Keys, now: datetime) -> Report:
    """Check the log of `node` in its store, and keep when and how that went."""
    report = Report()
    with store.reading() as view:
        _check(view, store, node, keys, report)
    with store.transaction() as tx:
        tables.save_check(tx, Check(now, report.size, report.count))
    return report


def _check(view: Reading, store: Store, node: str, keys: Keys, report: Report) -> None:
    grown, roots = Tree(0, lambda level, number: b""), {each.size: each for each in tables.all_checkpoints(view)}
    frontier = Frontier()
    told = _Told(report)
    journal = _journal(store, view.cursor(log.READER))
    for leaf in tables.all_leaves(view):
        if leaf.place != frontier.size:
            report.wrong(f"Entry {frontier.size} is missing.")
            break
        told.leaf(leaf, journal)
        grown.append([leaf.entry])
        frontier.append(leaf_hash(leaf.entry))
        if (made := roots.pop(frontier.size, None)) is not None:
            _check_root(made, frontier.root(), node, keys, report)
    report.size = frontier.size
    told.rest(journal)
    for size in sorted(roots):
        report.wrong(f"The log has {frontier.size} entries, and once had {size}: entries were taken away.")
    _check_tiles(view, grown, report)
    _check_cosignatures(view, keys, report)


class _Told:
    """Compares leaves with the journal, both in order."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._ahead: Recorded | None = None
        self._last = 0
        self._kinds: set[str] = set()
        self._erased: set[int] = set()
        self._allowed: set[int] = set()

    def leaf(self, leaf: Leaf, journal: Iterator[Recorded]) -> None:
        if leaf.number <= self._last:
            self.report.wrong(f"Entry {leaf.place} stands in the wrong order.")
        self._last = max(self._last, leaf.number)
        record = self._record(leaf)
        entry = self._entry(leaf.number, journal)
        self._kinds.add(leaf.kind)
        if entry is None:
            self.report.wrong(f"Entry {leaf.place} is about record {leaf.number}, which the node does not have.")
        elif record is not None and not tells_of(record, entry):
            self.report.wrong(f"Entry {leaf.place} and the node's own record {leaf.number} differ.")
        if record is not None and record.kind == AuditErased.kind():
            self._allowed.update(each for each in record.values().get("entries", ()) if each < leaf.place)

    def _record(self, leaf: Leaf) -> Record | None:
        """What the leaf stands for, when it was not erased and is whole."""
        if leaf.salt is None or leaf.record is None:
            self._erased.add(leaf.place)
            self.report.erased += 1
            return None
        record = read_record(leaf.record)
        same = record is not None and (record.number, record.at, record.kind) == (leaf.number, leaf.at, leaf.kind)
        if entry_of(leaf.salt, leaf.record) != leaf.entry or not same:
            self.report.wrong(f"Entry {leaf.place} was changed.")
            return None
        return record

    def _entry(self, number: int, journal: Iterator[Recorded]) -> Recorded | None:
        """The journal's entry of this number; those before it should have been in the log."""
        for entry in chain([self._ahead] if self._ahead else [], journal):
            self._ahead = None
            if entry.number >= number:
                self._ahead = entry if entry.number > number else None
                return entry if entry.number == number else None
            self._missing(entry)
        return None

    def _missing(self, entry: Recorded) -> None:
        """Kinds that became audited later than the log began are expected from their first entry on."""
        if entry.kind in self._kinds:
            self.report.wrong(f"The node's record {entry.number} ({entry.kind}) is not in the log.")

    def rest(self, journal: Iterator[Recorded]) -> None:
        for entry in chain([self._ahead] if self._ahead else [], journal):
            self._missing(entry)
        for place in sorted(self._erased - self._allowed):
            self.report.wrong(f"The content of entry {place} is gone, and no entry says who erased it.")


def _journal(store: Store, until: int) -> Iterator[Recorded]:
    """Audited entries of the journal, as far as the log's reader has come."""
    kinds, after = frozenset(each.kind() for each in audited_facts()), 0
    while page := store.read(after, JOURNAL_PAGE, kinds):
        for entry in page:
            if entry.number > until:
                return
            yield entry
        after = page[-1].number


def _check_root(made: StoredCheckpoint, root: bytes, node: str, keys: Keys, report: Report) -> None:
    try:
        said = checkpoint.of_log(note.decode(made.note), node, keys(node))
    except DecodeError:
        said = None
    if said is None or (said.size, said.root) != (made.size, made.root):
        report.wrong(f"The checkpoint of entry {made.size} is not signed by this node.")
    elif said.root != root:
        report.wrong(f"The first {made.size} entries are not those that were signed: the log was rewritten.")


def _check_tiles(view: Reading, grown: Tree, report: Report) -> None:
    stored = tables.all_tiles(view)
    wanted = {key: bytes(grown.tile(*key)) for key in grown.changed if key[0]}
    if stored != wanted:
        report.wrong("The stored hashes are not those of the entries.")


def _check_cosignatures(view: Reading, keys: Keys, report: Report) -> None:
    by_size: dict[int, set[str]] = {}
    for each in tables.all_cosignatures(view):
        if not keys(each.witness):
            continue
        if _is_confirmation(view, each, keys):
            by_size.setdefault(each.size, set()).add(each.witness)
        else:
            report.wrong(f"A partner's confirmation of entry {each.size} is not genuine.")
    if by_size:
        report.confirmed_size = max(by_size, key=lambda size: (min(len(by_size[size]), 3), size))
        report.witnesses = tuple(sorted(by_size[report.confirmed_size]))


def witnesses(view: Reading) -> list[str]:
    """Node ids of all who confirmed something."""
    return sorted({each.witness for each in tables.all_cosignatures(view)})


def _is_confirmation(view: Reading, given: Cosignature, keys: Keys) -> bool:
    made = tables.checkpoint_at(view, given.size)
    if made is None:
        return False
    try:
        text, lines = note.decode(made.note).text, note.read_signatures(given.line)
    except DecodeError:
        return False
    witnesses = [checkpoint.witness_key(given.witness, key) for key in keys(given.witness)]
    return _any(checkpoint.cosigned_at(text, line, key) for line in lines for key in witnesses)


def _any(answers: Iterable[object]) -> bool:
    return any(each is not None for each in answers)


def sentences(report: Report, name_of: Callable[[str], str]) -> list[str]:
    """What to tell a person, the answer first."""
    if report.count:
        first = f"The log is NOT as it was: {report.count} {'problem' if report.count == 1 else 'problems'}."
        more = [f"… and {report.count - len(report.problems)} more."] if report.count > len(report.problems) else []
        return [first, *report.problems, *more]
    said = [f"The log is whole: {report.size} entries, each as it was recorded."]
    if report.erased:
        said.append(f"The content of {report.erased} was erased, and the log says by whom.")
    if report.witnesses:
        names = ", ".join(map(name_of, report.witnesses))
        said.append(f"Confirmed to entry {report.confirmed_size} by {len(report.witnesses)}: {names}.")
    else:
        said.append("No partner has confirmed it yet.")
    return said
