"""What happened at the door: account ids and words only, never a name, an address or a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from port2port.core.fact import Fact
from port2port.core.party import Role


@dataclass(frozen=True, kw_only=True)
class AccountCreated(Fact):
    """A person, or a demonstration role, can sign in from now on."""

    audited = True

    account: str
    role: Role
    by: str
    """Account that did it, or `system`."""


@dataclass(frozen=True, kw_only=True)
class RoleChanged(Fact):
    """An account may do other things from now on."""

    audited = True

    account: str
    role: Role
    by: str


@dataclass(frozen=True, kw_only=True)
class AccountDisabled(Fact):
    """An account can no longer sign in; all its sessions ended at that moment."""

    audited = True

    account: str
    by: str


@dataclass(frozen=True, kw_only=True)
class AccountEnabled(Fact):
    """A disabled account can sign in again."""

    audited = True

    account: str
    by: str


@dataclass(frozen=True, kw_only=True)
class PasskeyAdded(Fact):
    """An account got one more way to sign in."""

    audited = True

    account: str


@dataclass(frozen=True, kw_only=True)
class PasskeyRemoved(Fact):
    """A passkey no longer opens this account."""

    audited = True

    account: str


@dataclass(frozen=True, kw_only=True)
class SignedIn(Fact):
    """A session began."""

    audited = True

    account: str
    method: str
    """`passkey`, `password`, `set-up` or `demonstration`."""


@dataclass(frozen=True, kw_only=True)
class SignInRefused(Fact):
    """Sign-ins were refused: at most one entry a minute, with how many it stands for."""

    audited = True

    reason: str
    """`wrong`, `disabled`, `passkey` or `too-often`."""
    count: int


@dataclass(frozen=True, kw_only=True)
class SignedOut(Fact):
    """A person ended his session."""

    account: str


@dataclass(frozen=True, kw_only=True)
class BackupMade(Fact):
    """An archive of this node was written."""

    audited = True

    parts: tuple[str, ...]
    """`database`, `keys`."""
    encrypted: bool
    size_bytes: int
    deleted: int
    """Older archives that went."""
    account: str


@dataclass(frozen=True, kw_only=True)
class NodeRestored(Fact):
    """This node goes on from an archive; partners are asked for what is newer."""

    audited = True

    backup_of: datetime
    keys_of: datetime | None
    """When the keys were copied; None: there were none."""
    account: str


@dataclass(frozen=True, kw_only=True)
class DataExported(Fact):
    """All data of this organisation was written into files."""

    audited = True

    objects: int
    named: bool
    """Whether objects for named readers were among them."""
    account: str


FACTS: tuple[type[Fact], ...] = (
    AccountCreated,
    RoleChanged,
    AccountDisabled,
    AccountEnabled,
    PasskeyAdded,
    PasskeyRemoved,
    SignedIn,
    SignInRefused,
    SignedOut,
    BackupMade,
    NodeRestored,
    DataExported,
)
ENDS_STREAMS: tuple[type[Fact], ...] = (AccountDisabled, RoleChanged, SignedOut)
"""After one of these, an account's open streams are closed: they were opened under other rights."""
