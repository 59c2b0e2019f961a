"""What tests of backups share: commands, objects in a folder's store, archives made by somebody who means harm."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from port2port.__main__ import port2port
from port2port.backup import archive, limits
from port2port.backup.manifest import DATABASE, KEYS, MANIFEST, FileLine, Header, Manifest, Part
from port2port.cli import run
from port2port.core.exchange import ObjectArrived, ObjectOffered
from port2port.core.handling import (
    Audience,
    Handling,
    LegalBasis,
    PersonalData,
    Purpose,
    Tlp,
    all_members,
    named_nodes,
)
from port2port.core.party import Compartment
from port2port.node import Node
from port2port.store import Store

CONTENT = b'{"type":"bundle","says":"canary-of-the-quay"}'
NODE = "ab" * 32
OTHER = "cd" * 32
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def command(*arguments: object) -> int:
    return run(port2port, [str(each) for each in arguments])


def label(tlp: Tlp = Tlp.AMBER, days: float = 300, origin: str = NODE) -> Handling:
    red = tlp is Tlp.RED
    audience: Audience = named_nodes(OTHER) if red else all_members()
    return Handling(
        origin=origin,
        tlp=tlp,
        audience=audience,
        compartment=Compartment.A,
        legal_basis=LegalBasis.ISPS_CODE,
        purpose=Purpose.PORT_SECURITY,
        personal_data=PersonalData.NONE,
        retain_until=datetime.now(UTC) + timedelta(days=days),
        agreement_id="agreement",
        readers=frozenset({f"anna@{OTHER}"}) if red else frozenset(),
    )


def offer(store: Store, object_id: str, body: bytes, handling: Handling | None = None) -> None:
    """What a person's verb does when he shares something."""
    handling = handling or label()
    with store.transaction() as tx:
        tx.put_body(object_id, 1, body)
        tx.append(
            ObjectOffered(
                at=datetime.now(UTC),
                object_kind="incident",
                object_id=object_id,
                version=1,
                handling=handling,
                urgent=False,
                account="system",
            )
        )


def arrive(store: Store, object_id: str, body: bytes, handling: Handling) -> None:
    """What sharing does when something came."""
    with store.transaction() as tx:
        tx.put_body(object_id, 1, body)
        tx.append(
            ObjectArrived(
                at=datetime.now(UTC),
                object_kind="note",
                object_id=object_id,
                version=1,
                handling=handling,
                origin=handling.origin,
                origin_name="Port of Ghent",
            )
        )


class Opened:
    """A node's store, as long as a test needs it."""

    def __init__(self, folder: Path) -> None:
        self._node = Node(folder)

    def __enter__(self) -> Store:
        return self._node.open().store

    def __exit__(self, *_: object) -> None:
        self._node.close()


def body_of(folder: Path, object_id: str) -> bytes | None:
    with Opened(folder) as store, store.reading() as view:
        return view.body(object_id, 1)


def write_archive(path: Path, listed: Sequence[FileLine], members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> None:
    """An archive whose list says one thing and whose members may be another."""
    parts = [Part.DATABASE, Part.KEYS]
    header = Header(format=limits.FORMAT, node=NODE, created=NOW, parts=parts, salt="")
    manifest = Manifest(
        format=limits.FORMAT, version="1", node=NODE, name="x", created=NOW, parts=parts, files=list(listed)
    )
    said = msgspec.json.encode(manifest)
    with path.open("wb") as file, archive.writing(file, header, "") as out:
        for info, content in [(plain(MANIFEST, said), said), *members]:
            out.write(info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"))
            out.write(content + bytes(-len(content) % 512))
        out.write(bytes(1024))


def plain(name: str, content: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info


def line(name: str, content: bytes) -> FileLine:
    return FileLine(name, len(content), hashlib.sha256(content).hexdigest())


BASIS = ((DATABASE, b"database"), (KEYS, b""))
"""What every archive lists."""


def tar_inside(path: Path) -> dict[str, bytes]:
    """The files of an archive that is not encrypted, read by foreign tools alone."""
    with path.open("rb") as file, archive.zstd.ZstdFile(file, "rb") as packed:
        data = packed.read()
    with tarfile.open(fileobj=io.BytesIO(data)) as found:
        return {each.name: found.extractfile(each).read() for each in found}  # type: ignore[union-attr]
