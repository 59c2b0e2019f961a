"""We confirm the logs of others, and notice when one contradicts itself (C2SP tlog-witness).

For each log the largest checkpoint that we confirmed is kept. A newer one is confirmed only with a proof that the
old tree is its beginning. What contradicts is kept as evidence, becomes a fact and an alert, once, and that log is
confirmed no more until a person decides otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from port2port.capability import Site
from port2port.core.errors import DecodeError
from port2port.sharing.audit import checkpoint, note, tables
from port2port.sharing.audit.alarm import alert_for
from port2port.sharing.audit.checkpoint import Checkpoint
from port2port.sharing.audit.limits import MAX_PROOF_HASHES, MAX_SEEN
from port2port.sharing.audit.merkle import EMPTY_ROOT, is_consistent
from port2port.sharing.audit.note import Note
from port2port.sharing.audit.tables import Seen
from port2port.sharing.calls import PeerAnswer
from port2port.sharing.facts import AuditForked
from port2port.store import Reading, Transaction

TEXT = "text/plain"
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Request:
    """A checkpoint to confirm, with the proof from the size that we confirmed last."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def encode(self) -> bytes:
        return f"old {self.old}\n{proof_text(self.proof)}\n".encode() + self.note.encode()


def read_request(data: bytes) -> Request:
    """C2SP tlog-witness, add-checkpoint. Raises `DecodeError`."""
    head, blank, rest = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _bad("its first lines are not ASCII") from error
    if not blank or not first.startswith("old ") or len(lines) > MAX_PROOF_HASHES:
        raise _bad("it has no old size, or too many hashes")
    return Request(checkpoint.number(first[4:]), tuple(map(checkpoint.hash_of, lines)), note.decode(rest))


def proof_text(proof: Sequence[bytes]) -> str:
    """A proof, one hash a line in base64."""
    return "".join(base64.b64encode(each).decode() + "\n" for each in proof)


def read_proof(data: bytes) -> tuple[bytes, ...]:
    """A proof from its lines. Raises `DecodeError`."""
    lines = data.decode("ascii", "replace").split("\n")
    if lines.pop() or len(lines) > MAX_PROOF_HASHES:
        raise _bad("a proof is not whole, or too long")
    return tuple(map(checkpoint.hash_of, lines))


KeysOf = Callable[[Reading, str], tuple[bytes, ...]]
"""The public keys of a node; empty for a stranger."""

NameOf = Callable[[Reading, str], str]


@dataclass(frozen=True)
class Witness:
    """This node as a witness of others' logs."""

    site: Site
    keys_of: KeysOf
    """Those that a present member may use now."""
    any_keys_of: KeysOf
    """Those that it ever had: for what was signed earlier."""
    name_of: NameOf

    def cosign(self, peer: str, data: bytes) -> PeerAnswer:
        """Confirm the newest checkpoint of the caller's own log, or say why not."""
        try:
            asked = read_request(data)
            with self.site.store.transaction() as tx:
                return self._cosign(tx, peer, asked)
        except DecodeError as error:
            self._count(error.reason)
            return PeerAnswer(403 if error.reason == "wrong-signature" else 400, content_type=TEXT)

    def _cosign(self, tx: Transaction, peer: str, asked: Request) -> PeerAnswer:
        if checkpoint.read(asked.note.text).origin != checkpoint.origin_of(peer):
            return self._refused("not-its-log", PeerAnswer(404, content_type=TEXT))
        said = checkpoint.of_log(asked.note, peer, self.keys_of(tx, peer))
        if said is None:
            return self._refused("unsigned", PeerAnswer(403, content_type=TEXT))
        known = tables.find_seen(tx, peer) or Seen(peer, 0, EMPTY_ROOT, self.site.clock(), b"", "", b"")
        if said.size == known.size and said.root != known.root:
            return self._unproven(tx, known, said, asked.note)
        if asked.old > said.size:
            return self._refused("backwards", PeerAnswer(400, content_type=TEXT))
        if asked.old != known.size or known.witness:
            return self._refused("not-where-we-are", PeerAnswer(409, f"{known.size}\n".encode(), SIZE_TYPE))
        if said.size == 0 or not is_consistent(known.size, known.root, said.size, said.root, asked.proof):
            return self._unproven(tx, known, said, asked.note)
        return self._confirm(tx, peer, said, asked.note)

    def _unproven(self, tx: Transaction, known: Seen, said: Checkpoint, given: Note) -> PeerAnswer:
        """It signed this, and cannot show that what we confirmed is its beginning."""
        if known.size:
            self.contradiction(tx, known, given.encode(), self.site.party.node_id)
        return self._refused("inconsistent", PeerAnswer(422, content_type=TEXT))

    def _confirm(self, tx: Transaction, peer: str, said: Checkpoint, given: Note) -> PeerAnswer:
        now = self.site.clock()
        own = checkpoint.origin_of(self.site.party.node_id)
        line = checkpoint.cosign(given.text, own, self.site.identity, now)
        tables.save_seen(tx, Seen(peer, said.size, said.root, now, given.encode(), "", b""))
        return PeerAnswer(200, line.line().encode(), TEXT)

    def contradiction(self, tx: Transaction, known: Seen, other: bytes, witness: str) -> None:
        """Keep both words, and say it once."""
        if known.witness:
            return
        tables.save_seen(tx, replace(known, witness=witness, contradiction=other))
        now, name = self.site.clock(), self.name_of(tx, known.node)
        forked = AuditForked(at=now, node_id=known.node, name=name, witness=witness, size=known.size)
        tx.append(forked, alert_for(forked, self.site.new_id(), now, self.name_of(tx, witness)))
        self._count("contradiction")

    def seen(self) -> PeerAnswer:
        """What we confirmed of others: each as length and note, for partners to compare."""
        with self.site.store.reading() as view:
            notes = [each.note for each in tables.all_seen(view) if each.note and each.node != self.site.party.node_id]
        return PeerAnswer(200, b"".join(b"%d\n%b" % (len(each), each) for each in notes[:MAX_SEEN]), TEXT)

    def _refused(self, reason: str, answer: PeerAnswer) -> PeerAnswer:
        self._count(reason)
        return answer

    def _count(self, reason: str) -> None:
        self.site.counters.add(f"sharing.refused.audit-{reason}")


def read_seen(data: bytes) -> list[Note]:
    """The notes of a partner's answer. Raises `DecodeError`."""
    found: list[Note] = []
    while data:
        length, newline, data = data.partition(b"\n")
        size = checkpoint.number(length[:20].decode("ascii", "replace"))
        if not newline or size > len(data) or len(found) >= MAX_SEEN:
            raise _bad("a list of checkpoints is not whole, or too long")
        found.append(note.decode(data[:size]))
        data = data[size:]
    return found


def _bad(why: str) -> DecodeError:
    return DecodeError(f"A request about an audit log was refused: {why}.", reason="audit-request")
