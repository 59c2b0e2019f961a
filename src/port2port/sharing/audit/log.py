"""The log grows, proves, speaks for itself, and forgets what must be forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from port2port.capability import Reader, Site
from port2port.core.errors import BadInput
from port2port.core.fact import Recorded, audited_facts
from port2port.sharing.audit import checkpoint, merkle, note, tables
from port2port.sharing.audit.alarm import alert_for
from port2port.sharing.audit.checkpoint import Checkpoint
from port2port.sharing.audit.limits import CHECKPOINT_EVERY, MAX_ERASED_AT_ONCE, SALT_BYTES
from port2port.sharing.audit.note import Note
from port2port.sharing.audit.record import entry_of, record_of
from port2port.sharing.audit.tables import Leaf, Seen, StoredCheckpoint
from port2port.sharing.audit.tiles import WIDTH, Tree, tile_of
from port2port.sharing.facts import AuditErased, AuditForked
from port2port.store import Reading, Transaction

READER = "sharing.audit"


def tree(view: Reading, size: int | None = None) -> Tree:
    """The stored tree, or its beginning of `size` leaves. Level 0 is hashed from the entries as it is needed."""

    def load(level: int, number: int) -> bytes:
        if level:
            return tables.tile(view, level, number)
        return tile_of(tables.entries(view, number * WIDTH, (number + 1) * WIDTH))

    return Tree(tables.size(view) if size is None else size, load)


def inclusion(view: Reading, place: int, size: int) -> list[bytes]:
    """The proof that the leaf at `place` stands in the tree of `size` leaves."""
    return merkle.inclusion_proof(tree(view, size).node, place, size)


def consistency(view: Reading, old: int, size: int) -> list[bytes]:
    """The proof that the tree of `old` leaves is a beginning of that of `size`."""
    return merkle.consistency_proof(tree(view, size).node, old, size)


def root_at(view: Reading, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return merkle.root(tree(view, size).node, size)


@dataclass(frozen=True)
class AuditLog:
    """One node's audit log: a reader of its journal."""

    site: Site
    new_salt: Callable[[int], bytes] = secrets.token_bytes

    def reader(self) -> Reader:
        return Reader(name=READER, facts=audited_facts(), handle=self.handle)

    def handle(self, tx: Transaction, page: Sequence[Recorded]) -> None:
        """Take in a page of the journal; the leaves commit with the reader's cursor."""
        grown = tree(tx)
        leaves = [self._leaf(place, entry) for place, entry in enumerate(page, grown.size)]
        grown.append(each.entry for each in leaves)
        tables.add_leaves(tx, leaves)
        for level, number in sorted(grown.changed):
            if level:
                tables.save_tile(tx, level, number, bytes(grown.tile(level, number)))
        self.make_checkpoint(tx, not_before=CHECKPOINT_EVERY.total_seconds())

    def _leaf(self, place: int, entry: Recorded) -> Leaf:
        salt, record = self.new_salt(SALT_BYTES), record_of(entry)
        return Leaf(place, entry.number, entry.at, entry.kind, entry_of(salt, record), salt, record)

    def make_checkpoint(self, tx: Transaction, not_before: float = 0.0) -> StoredCheckpoint | None:
        """Sign the tree as it is now, when it grew since, and not sooner than so many seconds after the last time.

        Answers the newest checkpoint. A tree that contradicts the last one is not signed, and that is said.
        """
        last, now, size = tables.newest_checkpoint(tx), self.site.clock(), tables.size(tx)
        if size == (last.size if last else 0) or (last and abs((now - last.at).total_seconds()) < not_before):
            return last
        if last and not continues(tx, last):
            self.contradicted(tx, self.site.party.node_id, last.size, last.note)
            return last
        return self._sign(tx, size, now)

    def _sign(self, tx: Transaction, size: int, now: datetime) -> StoredCheckpoint:
        origin = checkpoint.origin_of(self.site.party.node_id)
        said = Checkpoint(origin, size, root_at(tx, size))
        made = StoredCheckpoint(size, said.root, now, note.sign(said.text(), origin, self.site.identity).encode())
        tables.save_checkpoint(tx, made)
        return made

    def contradicted(self, tx: Transaction, witness: str, size: int, theirs: bytes) -> None:
        """What somebody holds of our log, signed by us, is not in it: said once."""
        me, now = self.site.party, self.site.clock()
        known = tables.find_seen(tx, me.node_id)
        if known is None:
            tables.save_seen(tx, Seen(me.node_id, size, b"", now, b"", witness, theirs))
            forked = AuditForked(at=now, node_id=me.node_id, name=me.short_name, witness=witness, size=size)
            tx.append(forked, alert_for(forked, self.site.new_id(), now))

    def erase(self, tx: Transaction, places: Sequence[int], reason: str, account: str) -> int:
        """Erase the content of entries; answers how many had one. The tree stays, and the act is an entry itself."""
        if not reason or not 0 < len(places) <= MAX_ERASED_AT_ONCE:
            raise BadInput("Erasing needs a reason, and some entries but not too many.")
        erased = tables.erase(tx, places)
        if erased:
            tx.append(AuditErased(at=self.site.clock(), entries=erased, reason=reason, account=account))
        return len(erased)


def continues(view: Reading, last: StoredCheckpoint) -> bool:
    """Whether the stored tree still begins with the tree of a checkpoint."""
    return last.size <= tables.size(view) and root_at(view, last.size) == last.root


def newest_note(view: Reading) -> Note | None:
    """The newest checkpoint with all confirmations that it has."""
    last = tables.newest_checkpoint(view)
    return None if last is None else with_cosignatures(view, last)


def with_cosignatures(view: Reading, made: StoredCheckpoint) -> Note:
    signed = note.decode(made.note)
    lines = "".join(each.line for each in tables.cosignatures_at(view, made.size))
    return Note(signed.text, signed.signatures + (note.read_signatures(lines) if lines else ()))
