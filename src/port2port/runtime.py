"""What keeps a node going: threads that read the journal, tasks that are restarted when they fail.

A loop here must survive whatever a capability does: this is where everything is caught, logged, counted
and tried again after a pause. What failed is not skipped: a reader stays at its entry, and the health
page says so.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

from port2port.capability import Counters, Reader, Task
from port2port.store import Store

PAGE_ENTRIES = 500
WAIT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
REMEMBER_EVERY = 5_000
"""A reader that saw this many entries of no interest stores its cursor all the same."""

log = logging.getLogger("port2port")


@dataclass
class ReaderThread:
    """Feeds one reader, page by page, each page in one transaction with its cursor."""

    store: Store
    reader: Reader
    counters: Counters
    stopping: Event = field(default_factory=Event)
    position: int = 0
    last_error: str = ""

    def start(self) -> None:
        self.thread = Thread(target=self._run, name=f"reads:{self.reader.name}", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()

    def join(self, timeout_s: float) -> None:
        self.thread.join(timeout_s)

    def behind(self) -> int:
        """Entries not yet dealt with."""
        return max(0, self.store.head() - self.position)

    def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        with self.store.reading() as view:
            self.position = view.cursor(self.reader.name)
        while not self.stopping.is_set():
            try:
                if self._step():
                    pause_s, self.last_error = FIRST_PAUSE_S, ""
            except Exception as error:  # the loop must survive its capability; the entry is tried again
                if self.stopping.is_set():
                    return
                self.last_error = f"{type(error).__name__}: {error}"
                self.counters.add(f"{self.reader.name}.failed")
                log.exception("%s failed at entry %d, again in %.1f s", self.reader.name, self.position + 1, pause_s)
                self.stopping.wait(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _step(self) -> bool:
        """Deal with one page; False when nothing came."""
        head = self.store.wait(self.position, WAIT_S)
        if head <= self.position or self.stopping.is_set():
            return False
        kinds = frozenset(fact.kind() for fact in self.reader.facts)
        page = self.store.read(self.position, PAGE_ENTRIES, kinds)
        seen_to = page[-1].number if len(page) == PAGE_ENTRIES else max(head, page[-1].number if page else 0)
        if page or seen_to - self._stored() >= REMEMBER_EVERY:
            with self.store.transaction() as tx:
                if page:
                    self.reader.handle(tx, page)
                tx.move_cursor(self.reader.name, seen_to)
        self.position = seen_to
        return True

    def _stored(self) -> int:
        with self.store.reading() as view:
            return view.cursor(self.reader.name)


async def keep_running(tasks: Sequence[Task], counters: Counters) -> None:
    """Run all tasks until cancelled; one that fails is started again after a growing pause."""
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(_keep(task, counters), name=task.name)


async def _keep(task: Task, counters: Counters) -> None:
    pause_s = FIRST_PAUSE_S
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await task.run()
            return
        except Exception as error:  # a source or server may fail in any way; the node goes on
            counters.add(f"{task.name}.failed")
            log.exception("%s failed (%s), again in %.1f s", task.name, error, pause_s)
        if asyncio.get_running_loop().time() - started > LONGEST_PAUSE_S:
            pause_s = FIRST_PAUSE_S
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def by_section(name: str, numbers: Mapping[str, object]) -> dict[str, object]:
    """A capability's health as sections: its numbers, and each list of rows under a name of its own."""
    rows = {f"{name}.{key}": value for key, value in numbers.items() if isinstance(value, list)}
    return {name: {key: value for key, value in numbers.items() if not isinstance(value, list)}, **rows}


def resident_mb() -> float:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0
