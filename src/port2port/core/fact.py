"""A fact is what happened: past tense, frozen, written once into the node's journal.

Facts carry identifiers and values that are not personal. Bodies (texts, names, pictures) live in
the store under a key of their own, so that they can be forgotten while the journal stays.
Telemetry (positions, frames) is state, never a fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Base of all facts. `at` is when it happened (UTC-aware), not when it was recorded."""

    at: datetime

    audited: ClassVar[bool] = False
    """Whether it goes into the audit log: who gave or got something, decided, or was let in."""

    @classmethod
    def kind(cls) -> str:
        """The name under which the journal knows this fact: stable once published."""
        return cls.__name__


def audited_facts(base: type[Fact] = Fact) -> tuple[type[Fact], ...]:
    """All audited facts of the capabilities that are loaded, by name."""
    found = {base} if base.audited else set()
    found.update(*map(audited_facts, base.__subclasses__()))
    return tuple(sorted(found, key=lambda each: each.kind()))


@dataclass(frozen=True)
class Unknown:
    """A fact whose capability is no longer installed. Readers pass it by; nothing is lost."""

    data: bytes


@dataclass(frozen=True)
class Recorded:
    """A fact with its place in the journal."""

    number: int
    """Dense from 1: number n+1 never exists without n."""
    at: datetime
    """When the journal took it in."""
    kind: str
    fact: Fact | Unknown
