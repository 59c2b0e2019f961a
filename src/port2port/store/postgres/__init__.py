"""The store on PostgreSQL: a pool of connections for verbs and questions, and one session that numbers facts.

A verb returns when its own commit is durable; `head` follows a moment later, when its facts have numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, text

from port2port.core.clock import Clock, system_clock
from port2port.core.errors import Unavailable
from port2port.core.fact import Fact, Recorded
from port2port.store import migration
from port2port.store.codec import Codec, page_size
from port2port.store.failed import spoilt
from port2port.store.keys import Keys
from port2port.store.news import News
from port2port.store.postgres import hot
from port2port.store.postgres.sequencer import sequence
from port2port.store.postgres.views import PostgresReading, PostgresTransaction, raw, refusals
from port2port.store.types import to_us

VERBS, QUESTIONS = 8, 4
"""Connections. Two pools: a verb may ask a question, and must not wait for verbs that wait for it."""

POOL_WAIT_S = 10.0
"""How long a caller waits for one of them."""

SESSION = "-c synchronous_commit=on -c timezone=UTC"
"""Durable when acknowledged, whatever the server's default is."""


class PostgresStore:
    """See `api.Store`. `url`: `postgresql://user:password@host:port/database`; a database for this node alone."""

    def __init__(self, url: str, fact_types: Iterable[type[Fact]], keys: Path, clock: Clock = system_clock) -> None:
        self._url = url
        self._codec = Codec(fact_types)
        self._clock = clock
        self._open_in: set[int] = set()
        self._verbs = self._pool(VERBS)
        self._questions = self._pool(QUESTIONS)
        self._news = News(lambda news: sequence(lambda: self._connect(autocommit=True), news))
        self.migrate("store", migration.STORE_MIGRATIONS)
        self._keys = Keys(keys)
        self._sweep()
        self._news.start()

    def migrate(self, owner: str, migrations: Path) -> None:
        with self._connection(self._verbs) as connection:
            if migration.is_newest(connection, owner, migrations):
                return
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": hot.MIGRATING})
            migration.run(connection, owner, migrations)
            connection.commit()

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        me = get_ident()
        assert me not in self._open_in, "transactions do not nest"
        with self._connection(self._verbs) as connection:
            self._open_in.add(me)
            tx = PostgresTransaction(connection, self._keys, self._codec)
            try:
                yield tx
                if tx.failed:
                    raise spoilt()
                with refusals():
                    if tx.facts:
                        hot.leave(raw(connection), to_us(self._clock()), tx.facts)
                    self._keys.sync()
                    connection.commit()
                    raw(connection).commit()
                self._keys.destroy(tx.doomed)
            finally:
                tx.finish()
                self._open_in.discard(me)

    @contextmanager
    def reading(self) -> Iterator[PostgresReading]:
        with self._connection(self._questions) as connection:
            raw(connection).execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            view = PostgresReading(connection, self._keys)
            try:
                yield view
            finally:
                view.finish()

    def read(self, after: int, limit: int = 500, kinds: Collection[str] | None = None) -> Sequence[Recorded]:
        with self._connection(self._questions) as connection, refusals():
            rows = hot.page(raw(connection), after, page_size(limit), kinds)
        return self._codec.record(rows)

    def head(self) -> int:
        with self._connection(self._questions) as connection, refusals():
            return hot.head(raw(connection))

    def wait(self, after: int, timeout_s: float) -> int:
        return self._news.wait(after, timeout_s)

    def close(self) -> None:
        if self._news.close():
            self._verbs.dispose()
            self._questions.dispose()
            self._keys.close()

    def scrub(self) -> bool:
        return True  # the server's own log is the server's; what it holds of bodies is sealed

    def _sweep(self) -> None:
        with self._connection(self._verbs) as connection:
            hot.lock_for_writing(raw(connection))
            self._keys.sweep(partial(hot.numbers, raw(connection)))
            raw(connection).rollback()

    def _connect(self, *, autocommit: bool = False) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, autocommit=autocommit, options=SESSION, connect_timeout=10)

    def _pool(self, size: int) -> Engine:
        return create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_size=size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            pool_pre_ping=True,
        )

    @contextmanager
    def _connection(self, pool: Engine) -> Iterator[Connection]:
        if self._news.closed:
            raise Unavailable("The node is shutting down.", hint="Try again when it runs.")
        with refusals():
            connection = pool.connect()
        try:
            yield connection
        finally:
            connection.close()
