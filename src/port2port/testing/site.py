"""A site on the memory store: real store, real journal, a clock that moves when told to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from port2port.capability import AlertAction, Ask, Capability, Counters, Layer, Site
from port2port.core.clock import Clock, SteppedClock
from port2port.core.fact import Fact
from port2port.core.ids import node_id, seeded_ids
from port2port.core.party import Compartment, Party
from port2port.store import open_store
from port2port.store.identity import public_bytes

P = TypeVar("P")

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeOthers:
    """Introduces nobody but those it was given."""

    def __init__(self, answers: Mapping[str, object] | None = None) -> None:
        self.answers = dict(answers or {})

    def ask(self, name: str, shape: type[P]) -> Ask[P]:
        return Ask(lambda: self.answers.get(name))  # type: ignore[return-value,arg-type]

    def readers(self, *of: type[Fact]) -> Sequence[str]:
        return ()

    def layers(self) -> Sequence[Layer]:
        return ()

    def actions(self) -> Sequence[AlertAction]:
        return ()


def site(
    folder: Path | None = None,
    *,
    facts: Iterable[type[Fact]] = (),
    capabilities: Iterable[Capability] = (),  # type: ignore[type-arg]
    answers: Mapping[str, object] | None = None,
    url: str = "memory://",
    name: str = "Port of Ostend",
    short_name: str = "Ostend",
    compartment: Compartment = Compartment.A,
    seed: int = 1,
    clock: Clock | None = None,
    demonstration: bool = False,
) -> Site:
    """A site whose store knows the core facts, `facts`, and the facts and tables of `capabilities`."""
    from port2port.capability import core_facts

    capabilities = tuple(capabilities)
    known = [*core_facts(), *facts, *(fact for each in capabilities for fact in each.facts)]
    store = open_store(url, known)
    for each in capabilities:
        if (each.folder / "migrations").is_dir():
            store.migrate(each.name, each.folder / "migrations")
    identity = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
    party = Party(node_id=node_id(public_bytes(identity)), name=name, short_name=short_name, compartment=compartment)
    return Site(
        party=party,
        identity=identity,
        folder=folder or Path("/nonexistent"),
        store=store,
        clock=clock or SteppedClock(START),
        new_id=seeded_ids(seed),
        counters=Counters(),
        others=FakeOthers(answers),
        demonstration=demonstration,
    )
