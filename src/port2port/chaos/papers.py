"""What the oracle calls statements, as the signed documents that nodes exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.chaos.labels import agreement_of, group_of, moment
from port2port.chaos.oracle import Statement
from port2port.core.party import Party
from port2port.sharing import bootstrap, documents
from port2port.sharing.documents import Document, Kind, Revocation
from port2port.store.identity import public_bytes

Address = Callable[[str], str]
"""Node id -> host:port."""


def signed(
    said: Statement, parties: Mapping[str, Party], keys: Mapping[str, Ed25519PrivateKey], address: Address
) -> Document:
    """The document that says it, with the signatures that it needs."""
    if said.what == "member":
        party, key = parties[said.about], public_bytes(keys[said.about])
        return bootstrap.make_statement(party, key, address(said.about), moment(said.from_s), keys[said.by])
    if said.what == "group":
        return bootstrap.make_group(group_of(said), moment(said.from_s), keys[said.by])
    if said.what == "agreement":
        return bootstrap.make_agreement(agreement_of(said), *(keys[each] for each in sorted(said.among)))
    text = Revocation(node_id=said.about, at=moment(said.from_s), by=said.by)
    return documents.sign(Kind.REVOCATION, text, keys[said.by])
