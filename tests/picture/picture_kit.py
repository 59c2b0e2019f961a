"""What tests of the picture share: a desk at one node, and alerts for it."""

from __future__ import annotations

from datetime import UTC, datetime

from port2port.capability import Running, Site
from port2port.core.alert import AlertRaised, Priority
from port2port.core.fact import Fact
from port2port.runtime import ReaderThread

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Desk:
    """The picture of one node; `tell` appends facts and waits until they are folded."""

    def __init__(self, place: Site, running: Running) -> None:
        self.site, self.running = place, running
        self.queue = running.answers["alerts"]
        self.reader = ReaderThread(place.store, running.readers[0], place.counters)

    def tell(self, *facts: Fact) -> None:
        with self.site.store.transaction() as tx:
            tx.append(*facts)
        self.read()

    def read(self) -> None:
        """Fold what the journal holds, as the node's thread does."""
        while self.reader.position < self.site.store.head():
            assert self.reader._step()


def raised(alert_id: str = "a1", priority: Priority = Priority.HIGH, **more: object) -> AlertRaised:
    given = {
        "capability": "vessels",
        "rule": "picture.cause.test",
        "subject": "vessel:205000001",
        "subject_name": "SHY BITTERN",
        "sentence": "picture.queue.waiting",
        "values": {"n": "3"},
        "source": "ais-coast",
    }
    return AlertRaised(at=NOW, alert_id=alert_id, priority=priority, **{**given, **more})  # type: ignore[arg-type]
