"""A new key for a node whose old one was lost or stolen."""

from __future__ import annotations

from port2port.capability import Site
from port2port.core.errors import NotFound
from port2port.sharing.book import Book
from port2port.store.identity import begin_anew, public_bytes


def new_key(site: Site, known: Book, name: str) -> bytes:
    """Make a fresh key in this folder for the member `name`; answers its public half. Raises `NotFound`.

    The node must not run meanwhile. Who that member is, the store knows, or a copy of it from the backup.
    """
    with site.store.reading() as view:
        member = known.network(view).find(name)
    if member is None:
        raise NotFound(f"There is no member {name!r}.", hint="Restore the node's backup first.")
    return public_bytes(begin_anew(site.folder, bytes.fromhex(member.public_key)))
