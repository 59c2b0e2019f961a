"""A network as data: a file of signed statements, groups and agreements, one JSON document a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.core.errors import BadInput, DecodeError
from port2port.core.handling import Agreement, Group
from port2port.core.party import Party
from port2port.sharing import documents
from port2port.sharing.documents import AgreementText, Document, GroupText, Kind, Member
from port2port.sharing.limits import MAX_BOOTSTRAP_BYTES, MAX_DOCUMENTS
from port2port.store.identity import owner_of


def make_statement(
    party: Party, public_key: bytes, address: str, valid_from: datetime, sponsor: Ed25519PrivateKey
) -> Document:
    """That `party` is a member, reached at `address` (host:port), signed by its sponsor.

    A network begins with at least one statement that the node signed for itself, with the role `invites`.
    """
    statement = Member(
        node_id=party.node_id,
        name=party.name,
        short_name=party.short_name,
        public_key=public_key.hex(),
        address=address,
        compartment=party.compartment,
        locode=party.locode,
        roles=tuple(sorted(party.roles)),
        valid_from=valid_from,
        sponsor=owner_of(sponsor),
    )
    return _checked(documents.sign(Kind.MEMBER, statement, sponsor))


def make_group(group: Group, valid_from: datetime, owner: Ed25519PrivateKey, answers: Iterable[str] = ()) -> Document:
    """A sharing group, signed by its owner, who knows of these leavings."""
    text = GroupText(
        id=group.id,
        name=group.name,
        owner=group.owner,
        members=tuple(sorted(group.members)),
        valid_from=valid_from,
        epoch=group.epoch,
        answers=tuple(sorted(answers)),
    )
    assert group.owner == owner_of(owner), "a group is signed by its owner"
    return _checked(documents.sign(Kind.GROUP, text, owner))


def make_agreement(agreement: Agreement, *parties: Ed25519PrivateKey, open_to_all: bool = False) -> Document:
    """A cooperation agreement with the signatures of `parties`.

    `agreement.parties` are those who may sign; with `open_to_all`, every member may, also one who joins later.
    """
    text = AgreementText(
        id=agreement.id,
        title=agreement.title,
        parties=() if open_to_all else tuple(sorted(agreement.parties)),
        purposes=tuple(sorted(agreement.purposes)),
        legal_basis=tuple(sorted(agreement.legal_basis)),
        personal_data=tuple(sorted(agreement.personal_data)),
        starts=agreement.starts,
        ends=agreement.ends,
    )
    return _checked(documents.sign(Kind.AGREEMENT, text, *parties))


def write_bootstrap(path: Path, signed: Iterable[Document]) -> None:
    """Write the file that the setting `sharing.bootstrap` names."""
    path.write_bytes(b"".join(each.encoded() + b"\n" for each in signed))


def load_bootstrap(path: Path) -> Sequence[Document]:
    """Read such a file. Raises `BadInput` with the line that is wrong."""
    try:
        if path.stat().st_size > MAX_BOOTSTRAP_BYTES:
            raise BadInput(f"{path} is larger than {MAX_BOOTSTRAP_BYTES // 1024 // 1024} MiB.")
        lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", hint="Check `bootstrap` in [sharing].") from error
    if len(lines) > MAX_DOCUMENTS:
        raise BadInput(f"{path} has more than {MAX_DOCUMENTS} documents.")
    return [_decode(path, number, line) for number, line in enumerate(lines, 1)]


def _decode(path: Path, number: int, line: bytes) -> Document:
    try:
        return documents.decode(line)
    except DecodeError as error:
        raise BadInput(f"{path}, line {number}: {error.message}") from error


def _checked(document: Document) -> Document:
    documents.decode(document.encoded())
    return document
