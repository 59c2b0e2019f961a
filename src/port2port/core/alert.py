"""An alert is a fact that asks a person to act.

One episode, one alert: a vessel that crosses an edge twenty times gives one alert with count 20.
What happened and who must hear of it are two things: the capability that saw it raises, repeats and
ends the alert; the picture keeps who acknowledged it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from port2port.core.fact import Fact
from port2port.core.place import Position


class Priority(IntEnum):
    """Four alert priorities (ISA-18.2 / EEMUA 191): 1 asks for action now, 4 is for the log."""

    URGENT = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Fact):
    """Somebody should look: the first fact of an episode."""

    alert_id: str
    capability: str
    """Who raised it: the capability's folder name."""
    rule: str
    """Word key of what happened, e.g. `vessels.rule.drift`. The picture translates it."""
    priority: Priority
    subject: str
    """Track or object id it is about, e.g. `vessel:205123000`."""
    subject_name: str
    position: Position | None = None
    sentence: str
    """Word key of a sentence a person could say on the radio, filled from `values`."""
    values: dict[str, str]
    """What fills the sentence: things and places, never a person."""
    source: str
    """How we know, e.g. `ais-coast`, or the name of the port that told us."""
    owner: str = ""
    """Short name of the organisation whose object it is; empty: our own."""
    tlp: str = ""
    """The label of what it is about, e.g. `TLP:AMBER`; empty: not shared."""
    detail: str = ""
    """Path of the HTML fragment that shows the subject, e.g. `/vessels/vessel:205123000/detail`."""


@dataclass(frozen=True, kw_only=True)
class AlertRepeated(Fact):
    """The same episode was seen again; nobody is rung."""

    alert_id: str
    count: int
    position: Position | None = None


@dataclass(frozen=True, kw_only=True)
class AlertWorsened(Fact):
    """The same episode got worse: it rings again even when acknowledged."""

    alert_id: str
    priority: Priority
    sentence: str
    values: dict[str, str]
    position: Position | None = None


@dataclass(frozen=True, kw_only=True)
class AlertEnded(Fact):
    """The state that raised it is over. A person still closes it."""

    alert_id: str
    reason: str
    """Word key, e.g. `vessels.ended.moving`."""


@dataclass(frozen=True, kw_only=True)
class AlertAcknowledged(Fact):
    """A person has seen it and deals with it."""

    audited = True

    alert_id: str
    account: str


@dataclass(frozen=True, kw_only=True)
class AlertClosed(Fact):
    """A person is done with it."""

    audited = True

    alert_id: str
    account: str
    cause: str
    """Word key from the list of causes."""
