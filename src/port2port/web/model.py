"""Accounts, sessions and their rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from port2port.core.party import Actor, Role

LANGUAGES = ("nl", "fr", "de", "en")
THEMES = ("day", "dusk", "night", "bright")
"""OpenBridge palettes."""


class Method(StrEnum):
    """How a session began."""

    PASSKEY = "passkey"
    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    SET_UP = "set-up"
    DEMONSTRATION = "demonstration"

    @property
    def is_strong(self) -> bool:
        """Something the person has, unlocked by something he knows or is. A demonstration has nothing to protect."""
        return self in (Method.PASSKEY, Method.DEMONSTRATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One who can sign in."""

    id: str
    name: str
    role: Role
    language: str
    theme: str
    password_hash: str
    """Empty: no password."""
    enabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A passkey (WebAuthn Level 2, public key credential)."""

    id: bytes
    account_id: str
    public_key: bytes
    """COSE_Key, as registered."""
    sign_count: int
    title: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser of one account."""

    token_hash: bytes
    account_id: str
    strong: bool
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Somebody may make himself an account with this role, once."""

    token_hash: bytes
    role: Role
    made_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is behind a request: an account under a living session."""

    account: Account
    session: Session

    @property
    def actor(self) -> Actor:
        return Actor(account=self.account.id, role=self.account.role)

    @property
    def is_restricted(self) -> bool:
        """An administrator without a passkey may do nothing but register one."""
        return self.account.role is Role.ADMINISTRATOR and not self.session.strong


def is_alive(session: Session, now: datetime, idle: timedelta) -> bool:
    """Neither idle for too long nor at its end."""
    return now < session.expires_at and now - session.seen_at < idle
