"""The verb `export`: bring a feed directory to what may stand in it now.

Reads the body of an object only when its version is new; a run with nothing new reads tables and writes nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from port2port.capability import Site
from port2port.core.errors import Conflict, DecodeError
from port2port.core.handling import Roster
from port2port.sharing.book import Book
from port2port.sharing.misp import limits, revisions, tables
from port2port.sharing.misp.catching_up import catch_up
from port2port.sharing.misp.choice import Choice, is_about_a_person, is_marked_stricter
from port2port.sharing.misp.core_format import Event, decode_event, encode_event
from port2port.sharing.misp.directory import Directory, digests, manifest_entry
from port2port.sharing.misp.facts import FeedWritten
from port2port.sharing.misp.headings import Heading
from port2port.sharing.misp.ids import derived, event_uuid
from port2port.sharing.misp.tables import Shared, Written
from port2port.sharing.misp.to_misp import event_of
from port2port.store import Reading

THERE, WITHDRAWN = "there", "withdrawn"
BODIES_AT_ONCE = 200
OBJECTS_A_FACT = 1_000
_NOT_STIX = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What translating a body can raise that is no STIX; another port may have written it."""


@dataclass
class Exported:
    """What one run did."""

    written: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    """Taken out in this run."""
    held_back: Counter[str] = field(default_factory=Counter)
    """Reason -> number of objects that may not stand there."""
    left_out: int = 0
    """Objects and properties inside written events that MISP has no place for."""


def export(site: Site, book: Book, folder: Path, choice: Choice) -> Exported:
    """Write what `choice` allows into `folder`, take out what it does not. Raises `Conflict`, `Unavailable`."""
    catch_up(site)
    directory = Directory(folder.absolute())
    with directory.locked():
        return _Run(site, book, directory, choice).run()


class _Run:
    def __init__(self, site: Site, book: Book, directory: Directory, choice: Choice) -> None:
        self._site, self._book, self._directory, self._choice = site, book, directory, choice
        self._feed = str(directory.path)
        self._now = site.clock()
        self._done = Exported()
        self._rows: list[Written] = []
        self._gone: list[str] = []
        self._changed: dict[str, Event | None] = {}
        """What the index has to say anew; None: nothing more."""

    def run(self) -> Exported:
        with self._site.store.reading() as view:
            known = tables.written_in(view, self._feed)
            allowed = self._allowed(view)
        if not tables.is_folder(known):
            self._make_ours()
        self._directory.tidy()
        here = self._directory.events()
        news = [row for row in allowed if not self._stands(row, known, here)]
        for at in range(0, len(news), BODIES_AT_ONCE):
            self._put_all(news[at : at + BODIES_AT_ONCE])
        for event in sorted((known.keys() | here) - self._kept - {tables.FOLDER}):
            self._take_out(event, known.get(event))
        self._write_index()
        self._record()
        return self._done

    def _make_ours(self) -> None:
        """From now on this directory is ours, also when this run breaks off."""
        if not self._directory.is_empty():
            hint = "Name an empty folder, or empty this one: whatever is in it would be replaced."
            raise Conflict(f"{self._directory.path} holds files that this node did not write.", hint=hint)
        with self._site.store.transaction() as tx:
            tables.save_written(tx, self._feed, [tables.folder(self._now)])

    def _record(self) -> None:
        """What stands there now, and the fact that it does, in one transaction."""
        if not self._rows and not self._gone:
            return
        with self._site.store.transaction() as tx:
            tables.save_written(tx, self._feed, self._rows, self._gone)
            for at in range(0, len(self._rows), OBJECTS_A_FACT):
                tx.append(self._fact(self._rows[at : at + OBJECTS_A_FACT]))

    def _fact(self, rows: Sequence[Written]) -> FeedWritten:
        return FeedWritten(
            at=self._now,
            folder=self._feed,
            tlp_at_most=self._choice.tlp_at_most.value,
            for_ourselves=self._choice.for_ourselves,
            written=tuple(row.body_id for row in rows if row.state == THERE),
            taken_out=tuple(row.body_id for row in rows if row.state == WITHDRAWN),
        )

    def _allowed(self, view: Reading) -> list[Shared]:
        """The objects that may stand here; the others are counted by reason."""
        self._kept: set[str] = set()
        roster: Roster = self._book.network(view).roster
        us = self._site.party.node_id
        allowed = []
        for row in tables.all_shared(view):
            problem = self._choice.problem(row.handling, us, self._now, roster)
            if problem:
                self._done.held_back[problem] += 1
            else:
                allowed.append(row)
        return allowed

    def _stands(self, row: Shared, known: dict[str, Written], here: set[str]) -> bool:
        """Whether this version of an object is there already."""
        event = event_uuid(row.origin, row.object_id)
        stands = event in here and event in known and (known[event].state, known[event].version) == (THERE, row.version)
        self._done.unchanged += stands
        self._kept |= {event} if stands else set()
        return stands

    def _put_all(self, rows: Sequence[Shared]) -> None:
        with self._site.store.reading() as view:
            bodies = view.bodies([(row.body_id, row.version) for row in rows])
        for row, body in zip(rows, bodies, strict=True):
            self._put(row, body)

    def _put(self, row: Shared, body: bytes | None) -> None:
        event = event_uuid(row.origin, row.object_id)
        made = "no-content" if body is None else self._made(row, body, event)
        if isinstance(made, str):
            self._done.held_back[made] += 1
            return
        self._kept.add(event)
        self._write(event, revisions.follow(self._before(event), made))
        self._rows.append(Written(event, row.body_id, row.version, THERE, self._now))

    def _made(self, row: Shared, body: bytes, event: str) -> Event | str:
        """The event of an object, or why there is none."""
        try:
            objects = msgspec.json.decode(body, type=_Bundle).objects
            if is_about_a_person(objects):
                return "about-a-person"
            written = event_of(objects, self._heading(row, objects, event))
            decode_event(encode_event(written.event))
        except (DecodeError, msgspec.DecodeError, *_NOT_STIX):
            self._site.counters.add("sharing.misp.refused.not-stix")
            return "not-stix"
        if is_marked_stricter(written.event, row.handling):
            return "marked-stricter"
        self._done.left_out += len(written.left_out)
        return written.event

    def _heading(self, row: Shared, objects: list[dict[str, Any]], event: str) -> Heading:
        """Ours is said by the identity in our own bundle; of others only what the network vouches for."""
        author, name = derived("organisation", row.origin), row.origin_name
        if row.origin == self._site.party.node_id:
            names = {each["id"]: each["name"] for each in objects if each["type"] == "identity" and "name" in each}
            authors = Counter(each["created_by_ref"] for each in objects if each.get("created_by_ref") in names)
            for stix_id, _ in authors.most_common(1):
                author, name = stix_id.removeprefix("identity--"), names[stix_id]
        return Heading(
            uuid=event, organisation=name, organisation_uuid=str(uuid.UUID(author)), at=row.at, tlp=row.handling.tlp
        )

    def _before(self, event: str) -> Event | None:
        """What stands there now, if it can be read."""
        try:
            return decode_event(self._directory.read_event(event))
        except DecodeError:
            return None

    def _write(self, event: str, made: Event) -> None:
        data = encode_event(made)
        if data != self._directory.read_event(event):
            self._directory.write_event(event, data)
        self._changed[event] = made
        self._done.written += 1

    def _take_out(self, event: str, known: Written | None) -> None:
        """Leave only the news that it was taken back, and after a while not even that."""
        if known is not None and known.state == WITHDRAWN:
            if known.at + timedelta(days=limits.TOMBSTONE_DAYS) > self._now and event in self._directory.events():
                return
            return self._drop(event)
        before = self._before(event)
        if before is None or known is None:
            return self._drop(event)
        self._write(event, revisions.withdrawn(before, _seconds(self._now)))
        self._done.written -= 1
        self._done.withdrawn += 1
        self._rows.append(Written(event, known.body_id, known.version, WITHDRAWN, self._now))

    def _drop(self, event: str) -> None:
        self._directory.remove_event(event)
        self._changed[event] = None
        self._gone.append(event)

    def _write_index(self) -> None:
        manifest, lines = self._directory.manifest(), self._directory.hash_lines()
        wanted = {event for event, made in self._changed.items() if made is not None}
        wanted |= self._kept | (manifest.keys() & self._directory.events())
        before = (dict(manifest), dict(lines))
        for event in wanted - manifest.keys() - self._changed.keys():
            self._changed[event] = self._before(event)  # the index was lost: the event itself knows
        for event, made in self._changed.items():
            if made is not None:
                manifest[event], lines[event] = manifest_entry(made), digests(made)
        manifest = {event: entry for event, entry in manifest.items() if event in wanted}
        lines = {event: found for event, found in lines.items() if event in wanted and found}
        if (manifest, lines) != before or not self._directory.has_index():
            self._directory.write_index(manifest, lines)


class _Bundle(msgspec.Struct):
    objects: list[dict[str, Any]]


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
