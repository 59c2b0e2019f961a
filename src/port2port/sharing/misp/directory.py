"""A feed directory on the disk: `manifest.json`, `hashes.csv`, one `<uuid>.json` per event.

Every file is replaced as a whole, the manifest last, so a reader never sees half of anything. Only files that are
named by a uuid are ever removed. One writer at a time.

Source: MISP feed format as PyMISP's feed generator and MISP's own feed reader have it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from port2port.core.errors import Conflict, Unavailable
from port2port.sharing.misp.core_format import Event

_NEW = ".new-"
MANIFEST, HASHES = "manifest.json", "hashes.csv"
_EVENT_FILE = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.json")


class Directory:
    """One directory, while it is ours alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out. Raises `Conflict` when there is one, `Unavailable` when the disk says no."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
            os.fsync(handle)
        except BlockingIOError as error:
            raise Conflict(f"{self.path} is being written by another command.") from error
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be written: {error.strerror}.") from error
        finally:
            os.close(handle)

    def is_empty(self) -> bool:
        """Whether no event stands here, and nothing of anybody else."""
        return not self.manifest() and {each.name for each in self.path.iterdir()} <= {MANIFEST, HASHES}

    def tidy(self) -> None:
        """Remove what a run that broke off left behind."""
        for each in self.path.glob(f"{_NEW}*"):
            each.unlink(missing_ok=True)

    def events(self) -> set[str]:
        """The uuids of the event files that are there."""
        names = (_EVENT_FILE.fullmatch(each.name) for each in os.scandir(self.path))
        return {found[1] for found in names if found}

    def manifest(self) -> dict[str, Any]:
        """What the manifest says now; nothing when there is none, or none that can be read."""
        try:
            found = msgspec.json.decode((self.path / MANIFEST).read_bytes())
        except (OSError, msgspec.DecodeError, UnicodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def hash_lines(self) -> dict[str, list[str]]:
        """Event uuid -> MD5 digests of its values, as `hashes.csv` has them now."""
        lines: dict[str, list[str]] = {}
        try:
            text = (self.path / HASHES).read_text("ascii")
        except (OSError, UnicodeError):
            return lines
        for line in text.splitlines():
            digest, _, event = line.partition(",")
            lines.setdefault(event, []).append(digest)
        return lines

    def read_event(self, event: str) -> bytes:
        """The bytes of one event file; empty when it is not there."""
        try:
            return (self.path / f"{event}.json").read_bytes()
        except OSError:
            return b""

    def write_event(self, event: str, data: bytes) -> None:
        self._replace(f"{event}.json", data)

    def remove_event(self, event: str) -> None:
        (self.path / f"{event}.json").unlink(missing_ok=True)

    def has_index(self) -> bool:
        return (self.path / MANIFEST).is_file() and (self.path / HASHES).is_file()

    def write_index(self, manifest: Mapping[str, Any], lines: Mapping[str, list[str]]) -> None:
        """The two files that name all events."""
        text = "".join(f"{digest},{event}\n" for event in sorted(lines) for digest in lines[event])
        self._replace(HASHES, text.encode())
        self._replace(MANIFEST, msgspec.json.encode(manifest, order="deterministic"))

    def _replace(self, name: str, data: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=_NEW)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o644)
            os.replace(temporary, self.path / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def manifest_entry(event: Event) -> dict[str, Any]:
    """What the manifest says of one event."""
    return {
        "Orgc": {"name": event.orgc.name, "uuid": str(event.orgc.uuid)},
        "Tag": [{"name": tag.name} for tag in event.tags if not tag.deleted],
        "info": event.info,
        "date": event.date,
        "analysis": event.analysis,
        "threat_level_id": event.threat_level_id,
        "timestamp": str(event.timestamp),
    }


def digests(event: Event) -> list[str]:
    """MD5 of each value and of each half of a double value: how MISP looks values up in a feed."""
    values: Iterable[str] = (
        part
        for attribute in event.all_attributes()
        if not attribute.deleted
        for part in ([attribute.value, *attribute.value.split("|")] if "|" in attribute.type else [attribute.value])
    )
    return sorted({hashlib.md5(value.encode(), usedforsecurity=False).hexdigest() for value in values})
