"""The one thread that numbers facts.

A verb commits its facts into the outbox. Numbers given by a sequence become visible out of order, and
a reader with a cursor would skip some for ever; so one session alone, guarded by an advisory lock, moves
what is committed from outbox to journal. The other processes of the node only listen, and take over
when the lock is free.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import psycopg

from port2port.store.news import News
from port2port.store.postgres import hot

LOOK_S = 0.2
"""How often it looks without having been told to."""

RETRY_S = 1.0
"""Pause before connecting again."""

_log = logging.getLogger(__name__)


def sequence(connect: Callable[[], psycopg.Connection[Any]], news: News) -> None:
    """Number facts and announce the head until the store closes; a lost connection is made anew."""
    while not news.closed:
        try:
            with connect() as connection:
                _work(connection, news)
        except psycopg.Error as error:
            _log.warning("numbering stops until the database answers: %s", error)
            news.pause(RETRY_S)


def _work(connection: psycopg.Connection[Any], news: News) -> None:
    connection.execute(f"LISTEN {hot.OUTBOX}")
    connection.execute(f"LISTEN {hot.JOURNAL}")
    mine = False
    while not news.closed:
        mine = mine or _try_lock(connection)
        while mine and hot.number(connection):
            news.announce(hot.head(connection))
        news.announce(hot.head(connection))
        for _ in connection.notifies(timeout=LOOK_S, stop_after=1):
            pass


def _try_lock(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (hot.NUMBERING,)).fetchone()
    return bool(row and row[0])
