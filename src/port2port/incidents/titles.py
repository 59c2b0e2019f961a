"""How people call our incidents, for the pages of those who carry them. Answers the ask `titles`."""

from __future__ import annotations

from collections.abc import Sequence

from port2port.incidents import tables
from port2port.incidents.model import OBJECT_KIND
from port2port.store import Store


class IncidentTitles:
    """Reads what is needed, at the moment it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def titles(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
        """(kind, object id) -> title and path of its page, for those that are incidents here."""
        wanted = [object_id for kind, object_id in keys if kind == OBJECT_KIND]
        with self._store.reading() as view:
            found = [tables.find(view, each) for each in wanted]
        return {
            (OBJECT_KIND, each.id): (f"{each.reference} {each.title}", f"/incidents/{each.id}")
            for each in found
            if each is not None
        }
