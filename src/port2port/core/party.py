"""Who: organisations with a node, and the persons who act at one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Compartment(StrEnum):
    """The legal regime under which an organisation, and an object, stands (see docs on handling).

    A: security management, GDPR. B: law enforcement, Directive (EU) 2016/680. C: classified, which
    is refused everywhere.
    """

    A = "A"
    B = "B"
    C = "C"


class AuthorityRole(StrEnum):
    """What a node may decide for others. Being a member gives none of these."""

    SETS_LEVELS = "sets-levels"
    INVITES = "invites"
    APPROVES = "approves"


class Role(StrEnum):
    """What a person may do at his own node, from least to most."""

    READER = "reader"
    OPERATOR = "operator"
    SECURITY_OFFICER = "security-officer"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation with a node of its own."""

    node_id: str
    """SHA-256 of its identity key in hex, see `ids.node_id`."""
    name: str
    short_name: str
    """For a queue row or a map, at most 12 characters."""
    compartment: Compartment
    locode: str = ""
    """UN/LOCODE where it has one, e.g. `BEANR`."""
    roles: frozenset[AuthorityRole] = frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something at a node: an account, or the node itself (`system`)."""

    account: str
    role: Role


SYSTEM_ACCOUNT = "system"
