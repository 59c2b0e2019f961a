"""Old archives go: what was erased must not come back out of them later than receipts promise."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from port2port.backup.archive import PLAIN, SEALED, header_of
from port2port.core.errors import BadInput


def horizon_days(wanted: int | None, promised: int) -> int:
    """How many days archives are kept. Raises `BadInput` for longer than our receipts say."""
    if wanted is not None and wanted > promised:
        raise BadInput(
            f"Our receipts say that backups are kept for {promised} days.",
            hint=f"Set sharing.backups_kept_days to {wanted} first; receipts say so from then on.",
        )
    return promised if wanted is None else wanted


def old_archives(folder: Path, node_id: str, now: datetime, days: int) -> list[Path]:
    """Archives of this node in the folder that are older, by what they say themselves and not by a file's date."""
    before = now - timedelta(days=days)
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.endswith((PLAIN, SEALED)) and path.is_file():
            header = header_of(path)
            if header is not None and header.node == node_id and header.created < before:
                found.append(path)
    return found
