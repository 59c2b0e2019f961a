"""The signed documents and invitations in the store, and the network they add up to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import Column, Table, func, insert, select, update

from port2port.sharing import documents
from port2port.sharing.documents import Document
from port2port.sharing.roster import Network, build
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
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as the inviter keeps it: its public key, never its secret."""

    key: bytes
    name: str
    expires: datetime
    used_by: str

    def is_open(self, now: datetime) -> bool:
        return not self.used_by and now < self.expires


class Book:
    """Answers the present network. Building it checks every signature, so the last answer is kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._key: Version = (-1, -1, b"")
        self._network = Network()

    def network(self, view: Reading) -> Network:
        """The network as this view's documents make it."""
        key = version(view)
        with self._lock:
            if key == self._key:
                return self._network
        network = build(all_documents(view), roots(view))
        with self._lock:
            self._key, self._network = key, network
        return network


Version = tuple[int, int, bytes]


def version(view: Reading) -> Version:
    """Another one for every other set of documents and roots, also when a transaction was rolled back between."""
    documents = count_documents(view)
    return documents, view.execute(select(func.count()).select_from(root_table)).scalar() or 0, _chain(view)


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
    if tx.execute(select(document_table.c.number).where(document_table.c.digest == digest)).first():
        return False
    chain = hashlib.sha256(_chain(tx) + digest.encode()).digest()
    tx.execute(insert(document_table), {"digest": digest, "data": document.encoded(), "chain": chain})
    return True


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
    tx.execute(insert(invitation_table), values)


def invitations(view: Reading) -> list[Invitation]:
    return [Invitation(row.key, row.name, row.expires, row.used_by) for row in view.execute(select(invitation_table))]


def use_invitation(tx: Transaction, key: bytes, node: str) -> None:
    """It opens no door any more."""
    tx.execute(update(invitation_table).where(invitation_table.c.key == key).values(used_by=node))
