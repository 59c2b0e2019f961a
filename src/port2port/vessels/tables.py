"""What is kept of vessels, and the queries. State is stored as JSON: it is read whole, at start, by us alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec
from sqlalchemy import Column, MetaData, Table, bindparam, delete, insert, select, text

from port2port.store import Reading, Transaction
from port2port.store.types import Integer, Moment, Text
from port2port.vessels.episodes import Episode, Key
from port2port.vessels.model import Vessel
from port2port.vessels.rules import Presence

S = TypeVar("S", bound=msgspec.Struct)
_meta = MetaData()

track = Table(
    "vessels_track", _meta, Column("key", Integer, primary_key=True), Column("at", Moment), Column("data", Text)
)
stay = Table(
    "vessels_stay",
    _meta,
    Column("zone", Text, primary_key=True),
    Column("key", Integer, primary_key=True),
    Column("data", Text),
)
episode = Table(
    "vessels_episode",
    _meta,
    Column("rule", Text, primary_key=True),
    Column("zone", Text, primary_key=True),
    Column("key", Integer, primary_key=True),
    Column("other", Integer, primary_key=True),
    Column("data", Text),
)

_UPSERT_TRACK = text(
    "INSERT INTO vessels_track (key, at, data) VALUES (:key, :at, :data)"
    " ON CONFLICT (key) DO UPDATE SET at = excluded.at, data = excluded.data"
)
"""By hand: thousands of rows a second, and the same words on SQLite and PostgreSQL. `at` as a `Moment` stores it."""


def save_tracks(tx: Transaction, vessels: Mapping[int, Vessel | None]) -> None:
    """Replace the stored state of these keys; None: it is forgotten."""
    rows = [
        {"key": key, "at": round(vessel.at_s * 1e6), "data": _text(vessel)} for key, vessel in vessels.items() if vessel
    ]
    if rows:
        tx.execute(_UPSERT_TRACK, rows)
    _replace(tx, track, ("key",), [(key,) for key, vessel in vessels.items() if vessel is None], [])


def save_stays(tx: Transaction, stays: Mapping[tuple[str, int], Presence | None]) -> None:
    """Replace stays by (zone, vessel); None: it is over."""
    rows = [{"zone": zone, "key": key, "data": _text(each)} for (zone, key), each in stays.items() if each]
    _replace(tx, stay, ("zone", "key"), list(stays), rows)


def save_episodes(tx: Transaction, episodes: Mapping[Key, Episode | None]) -> None:
    """Replace open episodes; None: it has ended."""
    rows = [
        {"rule": rule, "zone": zone, "key": key, "other": other, "data": _text(each)}
        for (rule, zone, key, other), each in episodes.items()
        if each
    ]
    _replace(tx, episode, ("rule", "zone", "key", "other"), list(episodes), rows)


def load_tracks(view: Reading) -> list[tuple[int, Vessel]]:
    """All stored vessels under their keys."""
    rows = view.execute(select(track.c.key, track.c.data)).all()
    return [(row.key, msgspec.json.decode(row.data, type=Vessel)) for row in rows]


def load_stays(view: Reading) -> list[Presence]:
    return _load(view, stay, Presence)


def load_episodes(view: Reading) -> list[Episode]:
    return _load(view, episode, Episode)


def _load(view: Reading, table: Table, kind: type[S]) -> list[S]:
    return [msgspec.json.decode(row.data, type=kind) for row in view.execute(select(table.c.data)).all()]


def _replace(
    tx: Transaction,
    table: Table,
    key: tuple[str, ...],
    keys: Iterable[tuple[object, ...]],
    rows: list[dict[str, object]],
) -> None:
    """Delete and insert: the same on every database, in one transaction."""
    old = [{f"old_{name}": value for name, value in zip(key, each, strict=True)} for each in keys]
    if old:
        tx.execute(delete(table).where(*(table.c[name] == bindparam(f"old_{name}") for name in key)), old)
    if rows:
        tx.execute(insert(table), rows)


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
