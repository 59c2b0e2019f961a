"""Deletes a node's folder for good: what keys open is unreadable before the first file is gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from port2port.backup.folder import data_of, not_running
from port2port.backup.limits import STEP_BYTES
from port2port.core.errors import BadInput, Conflict, Unavailable
from port2port.store.folder import sync_folder

SECRET_NAMES = ("*.keys", "*.key", "*.key.*", "*-key.pem", "*.netrc")


def destroy(folder: Path, name: str) -> None:
    """Overwrite keys and identity, then delete the folder of the organisation with this full name.

    Raises `BadInput` when the name is another's, `Conflict` while the node runs.
    """
    data = data_of(folder)
    if folder.is_symlink():
        raise Conflict(f"{folder} is a link.", hint="Name the folder itself.")
    if data.name != name:
        raise BadInput(
            f"The node in {folder} is not that of {name!r}.", hint="Its name stands in [node] of its settings."
        )
    try:
        with not_running(folder):
            for pattern in SECRET_NAMES:
                for path in sorted(folder.rglob(pattern)):
                    if path.is_file() and not path.is_symlink():
                        _overwrite(path)
            shutil.rmtree(folder)
            sync_folder(folder.absolute().parent)
    except OSError as error:
        raise Unavailable(f"Not all was deleted: {error.strerror or error}.", hint="Try again.") from error


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(bytes(min(left, STEP_BYTES)))
        file.flush()
        os.fsync(file.fileno())
