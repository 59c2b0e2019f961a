"""Polls the configured servers: what comes is stored in quarantine together with how far we have read."""

from __future__ import annotations

import asyncio
import logging
import netrc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
from sqlalchemy import Column, Table, insert, select, update
from yarl import URL

from port2port.capability import Site
from port2port.core.errors import BadInput, DecodeError
from port2port.sharing.tables import metadata
from port2port.sharing.taxii import check, client, shelf, tables
from port2port.sharing.taxii.check import Failure
from port2port.sharing.taxii.client import Cursor, Ended, Poll, PollFailed
from port2port.sharing.taxii.facts import TaxiiPolled
from port2port.sharing.taxii.rows import Item
from port2port.sharing.taxii.shelf import Outcome
from port2port.sharing.taxii.tables import Kind
from port2port.store import Reading, Transaction
from port2port.store.types import Integer, Moment, Text

sources = Table(
    "sharing_taxii_source",
    metadata,
    Column("url", Text, primary_key=True),
    Column("added_after_us", Integer),
    Column("exact", Integer),
    Column("polled", Moment),
    Column("problem", Text),
)
MAX_READ_AGAIN = 5_000
"""When a poll read more than this again and nothing new, the next one asks from the very stamp."""

_log = logging.getLogger(__name__)


@dataclass
class Result:
    """What one poll brought."""

    taken: int = 0
    known: int = 0
    refused: int = 0
    problem: str = ""


def cursor_of(view: Reading, url: str) -> Cursor:
    row = view.execute(select(sources).where(sources.c.url == url)).first()
    return Cursor(row.added_after_us, bool(row.exact)) if row else Cursor()


def save_cursor(tx: Transaction, url: str, cursor: Cursor, at: datetime, problem: str) -> None:
    values = {"added_after_us": cursor.added_after_us, "exact": int(cursor.exact), "polled": at, "problem": problem}
    if not tx.execute(update(sources).where(sources.c.url == url).values(**values)).rowcount:
        tx.execute(insert(sources), {"url": url, **values})


class Poller:
    """Polls one node's sources."""

    def __init__(self, site: Site, passwords: Path, quarantine: timedelta) -> None:
        self._site, self._passwords, self._quarantine = site, passwords, quarantine

    async def poll(self, text: str) -> Result:
        """Read what is new at one collection. Never raises for what the other side does. Raises `BadInput`."""
        url = client.check_url(text)
        authorization = authorization_for(self._passwords, url)
        plain = str(url.with_user(None))
        result = Result()
        cursor = await asyncio.to_thread(self._cursor, plain)
        try:
            async with client.new_session(authorization) as session:
                async for page in Poll(session, url.with_user(None), cursor, self._site.clock).pages():
                    cursor = page.cursor
                    if page.body:
                        await asyncio.to_thread(self._store, plain, page.body, cursor, result)
                    result.problem = (page.ended or Ended.DONE).value
        except PollFailed as failed:
            result.problem = str(failed)
        await asyncio.to_thread(self._finish, plain, cursor, result)
        return result

    def _cursor(self, url: str) -> Cursor:
        with self._site.store.reading() as view:
            return cursor_of(view, url)

    def _store(self, url: str, body: bytes, cursor: Cursor, result: Result) -> None:
        """One page: objects and cursor, or neither."""
        try:
            found = list(check.objects_of(body))
        except DecodeError as error:
            raise PollFailed("its answer is no TAXII envelope") from error
        items = [each for each in found if isinstance(each, Item)]
        now = self._site.clock()
        with self._site.store.transaction() as tx:
            collection = tables.find_or_add(tx, Kind.POLLED, url)
            outcomes = shelf.put(tx, collection, items, now, now + self._quarantine)
            save_cursor(tx, url, cursor, now, "")
        result.taken += outcomes.count(Outcome.NEW)
        result.known += outcomes.count(Outcome.KNOWN)
        result.refused += outcomes.count(Outcome.CONTRADICTS) + sum(isinstance(each, Failure) for each in found)

    def _finish(self, url: str, cursor: Cursor, result: Result) -> None:
        now = self._site.clock()
        if result.known > MAX_READ_AGAIN and not result.taken and not result.problem:
            cursor = replace(cursor, exact=True)
        with self._site.store.transaction() as tx:
            save_cursor(tx, url, cursor, now, result.problem)
            if result.taken or result.refused:
                tx.append(TaxiiPolled(at=now, source=url, taken=result.taken, refused=result.refused))
        if result.refused:
            self._site.counters.add("sharing.refused.taxii-object", result.refused)
        if result.problem:
            self._site.counters.add("sharing.failed.taxii-poll")
            _log.warning("%s was not read to its end: %s", url, result.problem)

    async def run(self, urls: Sequence[str], each: timedelta) -> None:
        """Poll all, again and again. One that fails keeps no other waiting."""
        while True:
            for url in urls:
                await self.poll(url)
            await asyncio.sleep(each.total_seconds())


def authorization_for(passwords: Path, url: URL) -> str:
    """The `Authorization` header for a host, from a netrc file; empty when the host is not in it. Raises `BadInput`."""
    if not passwords.is_file():
        return ""
    try:
        found = netrc.netrc(passwords).authenticators(url.host or "")
    except (netrc.NetrcParseError, OSError, UnicodeError) as error:
        raise BadInput(f"{passwords.name} cannot be read: {error}.") from error
    return aiohttp.encode_basic_auth(found[0], found[2] or "") if found else ""
