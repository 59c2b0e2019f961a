"""The signed documents and invitations in the store, and the network they add up to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Column, Table, delete, func, insert, select, update

from port2port.sharing import documents
from port2port.sharing.documents import Document, KeyText, Kind
from port2port.sharing.roster import Network, build
from port2port.sharing.short_code import DOORBELL, MAX_TRIES, ShortCode
from port2port.sharing.tables import metadata
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text

document_table = Table(
    "sharing_document",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("digest", Text),
    Column("data", Blob),
    Column("chain", Blob),
)
root_table = Table("sharing_root", metadata, Column("node_id", Text, primary_key=True))
invitation_table = Table(
    "sharing_invitation",
    metadata,
    Column("key", Blob, primary_key=True),
    Column("name", Text),
    Column("expires", Moment),
    Column("used_by", Text),
    Column("slot", Text),
)
short_code_table = Table(
    "sharing_short_code",
    metadata,
    Column("slot", Text, primary_key=True),
    Column("secret", Text),
    Column("name", Text),
    Column("expires", Moment),
    Column("tries", Integer),
)
early_table = Table(
    "sharing_early_document",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("bearer", Text),
    Column("data", Blob),
)


CLOSED = "-"
ANSWERED_FOR = timedelta(days=7)
"""Who comes with an invitation that was used or is over is told so for this long."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as the inviter keeps it: its public key, never its secret."""

    key: bytes
    name: str
    expires: datetime
    used_by: str
    slot: str = ""
    """The place of the short code that was exchanged for it."""

    def is_open(self, now: datetime) -> bool:
        return not self.used_by and now < self.expires

    def is_answered(self, now: datetime) -> bool:
        """Whether who shows it hears at least what became of it."""
        return now < self.expires + ANSWERED_FOR


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A short code as the inviter keeps it for half an hour: SPAKE2 needs the code itself on both sides."""

    code: ShortCode
    name: str
    expires: datetime
    tries: int

    def is_open(self, now: datetime) -> bool:
        return self.tries < MAX_TRIES and now < self.expires


class Book:
    """Answers the present network. Building it checks every signature, so the last answer is kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._key: Version = (-1, -1, b"", "")
        self._network = Network()

    def network(self, view: Reading) -> Network:
        """The network as this view's documents make it."""
        key = version(view)
        with self._lock:
            if key == self._key:
                return self._network
        network = build(all_documents(view), roots(view))
        network = replace(network, roster=replace(network.roster, exercises=frozenset(key[3].split())))
        with self._lock:
            self._key, self._network = key, network
        return network


Version = tuple[int, int, bytes, str]

_VERSION = (
    "SELECT (SELECT count(*) FROM sharing_document), (SELECT count(*) FROM sharing_root),"
    " (SELECT chain FROM sharing_document ORDER BY number DESC LIMIT 1)"
)
_EXERCISES = "SELECT id FROM sharing_exercise ORDER BY id"
"""Asked at every page: by hand."""


def version(view: Reading) -> Version:
    """Another one for every other set of documents, roots and exercises, also after a transaction was rolled back."""
    documents, roots_, chain = view.rows(_VERSION)[0]
    exercises = " ".join(row[0] for row in view.rows(_EXERCISES))
    return documents, roots_, bytes(chain or b""), exercises


def _chain(view: Reading) -> bytes:
    newest = select(document_table.c.chain).order_by(document_table.c.number.desc()).limit(1)
    return view.execute(newest).scalar() or b""


def all_documents(view: Reading) -> list[Document]:
    rows = view.execute(select(document_table.c.data).order_by(document_table.c.number)).scalars()
    return [documents.decode(data) for data in rows]


def find_document(view: Reading, digest: str) -> Document | None:
    data = view.execute(select(document_table.c.data).where(document_table.c.digest == digest)).scalar()
    return documents.decode(data) if data else None


def add_document(tx: Transaction, document: Document) -> bool:
    """Keep it; False when it was there."""
    digest = document.digest
    if has_document(tx, document):
        return False
    chain = hashlib.sha256(_chain(tx) + digest.encode()).digest()
    tx.execute(insert(document_table), {"digest": digest, "data": document.encoded(), "chain": chain})
    return True


def documents_of(view: Reading, kinds: Iterable[Kind]) -> list[Document]:
    """All documents of these kinds, oldest first."""
    wanted = frozenset(kinds)
    return [each for each in all_documents(view) if each.kind in wanted]


def has_document(view: Reading, document: Document) -> bool:
    known = select(document_table.c.number).where(document_table.c.digest == document.digest)
    return view.execute(known).first() is not None


def key_changes(view: Reading, node: str) -> list[Document]:
    """The documents by which a node has changed its key by itself."""
    return [
        each
        for each in documents_of(view, (Kind.KEY,))
        if isinstance(text := documents.read(each), KeyText) and text.node_id == node and not text.recovery
    ]


def forget_network(tx: Transaction) -> None:
    """Forget a network that we are in no longer, before we enter another."""
    for table in (document_table, root_table, early_table, invitation_table, short_code_table):
        tx.execute(delete(table))


def count_documents(view: Reading) -> int:
    return view.execute(select(func.count()).select_from(document_table)).scalar() or 0


def roots(view: Reading) -> frozenset[str]:
    return frozenset(view.execute(select(root_table.c.node_id)).scalars())


def add_roots(tx: Transaction, nodes: Iterable[str]) -> None:
    known = roots(tx)
    for node in sorted(set(nodes) - known):
        tx.execute(insert(root_table), {"node_id": node})


def add_invitation(tx: Transaction, invitation: Invitation) -> None:
    values = {"key": invitation.key, "name": invitation.name, "expires": invitation.expires, "used_by": ""}
    tx.execute(insert(invitation_table), {**values, "slot": invitation.slot})


def invitations(view: Reading) -> list[Invitation]:
    """All of them, and the doorbell while a short code is open."""
    rows = view.execute(select(invitation_table))
    found = [Invitation(row.key, row.name, row.expires, row.used_by, row.slot) for row in rows]
    if ringing := [each.expires for each in codes(view)]:
        found.append(Invitation(DOORBELL, "", max(ringing), ""))
    return found


def use_invitation(tx: Transaction, found: Invitation, node: str) -> None:
    """It opens no door any more; nor does the short code that it came from, or another made of the same code."""
    table = invitation_table
    tx.execute(update(table).where(table.c.key == found.key).values(used_by=node))
    if found.slot:
        forget_codes(tx, [found.slot])


def add_code(tx: Transaction, code: OpenCode) -> None:
    """Keep it, in place of one that stood at its slot before."""
    forget_codes(tx, [code.code.slot])
    values = {"slot": code.code.slot, "secret": code.code.letters, "name": code.name, "expires": code.expires}
    tx.execute(insert(short_code_table), {**values, "tries": code.tries})


def codes(view: Reading) -> list[OpenCode]:
    rows = view.execute(select(short_code_table))
    return [OpenCode(ShortCode(row.secret), row.name, row.expires, row.tries) for row in rows]


def count_try(tx: Transaction, slot: str) -> None:
    tx.execute(
        update(short_code_table).where(short_code_table.c.slot == slot).values(tries=short_code_table.c.tries + 1)
    )


def forget_codes(tx: Transaction, slots: Iterable[str]) -> None:
    """They open no door any more, nor does an invitation that one of them was exchanged for."""
    table = invitation_table
    for slot in slots:
        tx.execute(delete(short_code_table).where(short_code_table.c.slot == slot))
        tx.execute(update(table).where(table.c.slot == slot, table.c.used_by == "").values(used_by=CLOSED))


def early(view: Reading) -> list[tuple[str, Document]]:
    """Documents that came before what they rest on, with who brought each."""
    rows = view.execute(select(early_table).order_by(early_table.c.digest))
    return [(row.bearer, documents.decode(row.data)) for row in rows]


def add_early(tx: Transaction, bearer: str, document: Document) -> None:
    drop_early(tx, document)
    tx.execute(insert(early_table), {"digest": document.digest, "bearer": bearer, "data": document.encoded()})


def drop_early(tx: Transaction, document: Document) -> None:
    tx.execute(delete(early_table).where(early_table.c.digest == document.digest))
