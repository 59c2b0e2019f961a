"""A process that records facts and writes down each one that was confirmed, until somebody kills it.

    python store_writer.py URL ACKNOWLEDGED SYNCHRONOUS

For every line it reads it forks one writer (a fresh interpreter would spend its life importing), says the
writer's process id, and says "gone" when that has died. Each run's facts are named `RUN-THREAD-COUNT`.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from port2port.core.alert import AlertEnded
from port2port.store import Store, open_store
from port2port.store.sqlite import SqliteStore

THREADS = 4


def main(url: str, acknowledged: str, synchronous: str) -> None:
    for line in iter(sys.stdin.readline, ""):
        process = os.fork()
        if not process:
            write(url, acknowledged, synchronous, line.strip())
        print(process, flush=True)
        os.waitpid(process, 0)
        print("gone", flush=True)


def write(url: str, acknowledged: str, synchronous: str, run: str) -> None:
    store = open_(url, synchronous, Path(acknowledged).with_suffix(".keys"))
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    threads = [Thread(target=say, args=(store, file, f"{run}-{number}")) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def open_(url: str, synchronous: str, keys: Path) -> Store:
    if url.startswith("sqlite:///"):
        return SqliteStore(Path(url.removeprefix("sqlite:///")), [AlertEnded], synchronous=synchronous)
    return open_store(url, [AlertEnded], keys=keys)


def say(store: Store, file: int, prefix: str) -> None:
    count = 0
    while True:
        count += 1
        name = f"{prefix}-{count}"
        with store.transaction() as tx:
            tx.append(AlertEnded(at=datetime.now(UTC), alert_id=name, reason="vessels.ended.moving"))
            if count % 2:  # half of them touch tables too
                tx.put_body(name, 1, name.encode() * 20)
                tx.move_cursor(prefix, count)
        os.write(file, f"{name}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
