"""Which exercises this node takes part in. What belongs to another one waits, unseen, until a person says so.

The context of an object (live, or the id of an exercise) stands inside its signed label; so nobody can make an
exercise of real life, or the other way round.
"""

from __future__ import annotations

import re

from sqlalchemy import Column, Table, delete, insert, select

from port2port.capability import Site
from port2port.core.errors import BadInput, NotFound
from port2port.core.handling import LIVE
from port2port.sharing.book import Book
from port2port.sharing.facts import ExerciseAccepted, ExerciseEnded
from port2port.sharing.intake import Intake
from port2port.sharing.tables import metadata
from port2port.store import Reading
from port2port.store.types import Moment, Text

table = Table(
    "sharing_exercise",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("accepted_at", Moment),
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def accepted(view: Reading) -> dict[str, str]:
    """Id -> name."""
    return {row.id: row.name for row in view.execute(select(table).order_by(table.c.id))}


def accept(site: Site, known: Book, exercise: str, name: str, account: str) -> int:
    """Take part; answers how many objects had waited for it. Repeating it changes nothing."""
    if not _ID.fullmatch(exercise) or exercise == LIVE or len(name) > 120:
        raise BadInput(
            f"{exercise!r} cannot be an exercise.", hint="Letters, digits, dots and dashes, as its owner says."
        )
    now = site.clock()
    with site.store.transaction() as tx:
        if exercise in accepted(tx):
            return 0
        tx.execute(insert(table), {"id": exercise, "name": name or exercise, "accepted_at": now})
        tx.append(ExerciseAccepted(at=now, exercise=exercise, account=account))
        return Intake(site, known).settle_waiting(tx)


def end(site: Site, exercise: str, account: str) -> None:
    """No longer take part: what still comes waits. Raises `NotFound`."""
    with site.store.transaction() as tx:
        if not tx.execute(delete(table).where(table.c.id == exercise)).rowcount:
            raise NotFound(
                f"This node takes part in no exercise {exercise!r}.", hint="See: port2port network exercises"
            )
        tx.append(ExerciseEnded(at=site.clock(), exercise=exercise, account=account))
