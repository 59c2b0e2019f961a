"""Program accounts: who they are, and how they prove it with every request (HTTP Basic, RFC 7617)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Column, Row, Table, delete, func, insert, select

from port2port.capability import Counters, Site
from port2port.core.errors import BadInput, Conflict, NotFound
from port2port.core.handling import Purpose, Tlp
from port2port.sharing.tables import metadata
from port2port.sharing.taxii.facts import TaxiiAccountAdded, TaxiiAccountRemoved
from port2port.sharing.taxii.limits import MAX_ACCOUNTS, MAX_CREDENTIALS_CHARS, VERIFIED_S
from port2port.sharing.taxii.model import Account
from port2port.store import Reading
from port2port.store.types import Integer, Moment, Text, from_us
from port2port.web.limits import Buckets, Rate
from port2port.web.passwords import Passwords, account_name

accounts = Table(
    "sharing_taxii_account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("hash", Text),
    Column("may_read", Integer),
    Column("may_write", Integer),
    Column("purpose", Text),
    Column("max_tlp", Text),
    Column("created", Moment),
)
_FIND = "SELECT hash, may_read, may_write, purpose, max_tlp, created FROM sharing_taxii_account WHERE name = ?"
PASSWORD_BYTES = 24
ATTEMPTS = Rate(10, timedelta(minutes=1))
"""Passwords that have to be hashed, for one name: ten in a row, then one a minute."""
_MAX_VERIFIED = 1_000


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        name=row.name,
        may_read=bool(row.may_read),
        may_write=bool(row.may_write),
        purpose=Purpose(row.purpose),
        max_tlp=Tlp(row.max_tlp),
        created=row.created,
    )


def find(view: Reading, name: str) -> tuple[Account, str] | None:
    """An account with its password's hash. Asked with every request."""
    for hashed, may_read, may_write, purpose, max_tlp, created_us in view.rows(_FIND, (name,)):
        account = Account(
            name=name,
            may_read=bool(may_read),
            may_write=bool(may_write),
            purpose=Purpose(purpose),
            max_tlp=Tlp(max_tlp),
            created=from_us(created_us),
        )
        return account, hashed
    return None


def all_accounts(view: Reading) -> list[Account]:
    return [_account(row) for row in view.execute(select(accounts).order_by(accounts.c.name))]


def add(
    site: Site, passwords: Passwords, name: str, *, may_read: bool, may_write: bool, purpose: Purpose, max_tlp: Tlp
) -> str:
    """Make an account; answers its password, which is kept nowhere. Raises `BadInput`, `Conflict`."""
    name = account_name(name)
    if ":" in name or "@" in name:
        raise BadInput("A program's name holds neither ':' nor '@'.", hint="Programs sign in as NAME:PASSWORD.")
    if not (may_read or may_write):
        raise BadInput("This account could do nothing.", hint="Let it read, hand in, or both.")
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    hashed = passwords.hash(password)
    now = site.clock()
    values = {"name": name, "hash": hashed, "purpose": purpose.value, "max_tlp": max_tlp.value, "created": now}
    with site.store.transaction() as tx:
        if find(tx, name):
            raise Conflict(f"There is a program account {name} already.", hint="Remove it first, or take another name.")
        if (tx.execute(select(func.count()).select_from(accounts)).scalar() or 0) >= MAX_ACCOUNTS:
            raise Conflict(f"A node has at most {MAX_ACCOUNTS} program accounts.")
        tx.execute(insert(accounts), {**values, "may_read": int(may_read), "may_write": int(may_write)})
        tx.append(
            TaxiiAccountAdded(
                at=now, name=name, may_read=may_read, may_write=may_write, purpose=purpose.value, max_tlp=max_tlp.value
            )
        )
    return password


def remove(site: Site, name: str) -> None:
    """From the next request on, the account is unknown. What it handed in stays in quarantine. Raises `NotFound`."""
    with site.store.transaction() as tx:
        if not tx.execute(delete(accounts).where(accounts.c.name == account_name(name))).rowcount:
            raise NotFound(f"There is no program account {name}.", hint="See them: port2port taxii list")
        tx.append(TaxiiAccountRemoved(at=site.clock(), name=account_name(name)))


class WrongCredentials(Exception):
    """None, or not those of an account. It does not say which."""


class Gate:
    """Checks credentials. A right password is remembered for some minutes, as a keyed digest in memory only.

    Whether the account is unknown or the password wrong, one Argon2id hash is computed; and names that are tried
    too often wait.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._secret = secrets.token_bytes(32)
        self._verified: OrderedDict[bytes, datetime] = OrderedDict()
        self._attempts = Buckets(ATTEMPTS)
        self._lock = Lock()

    def enter(self, view: Reading, authorization: str, now: datetime, passwords: Passwords) -> Account:
        """The account behind an `Authorization` header. Raises `WrongCredentials`, `TooOften`."""
        name, password = _basic(authorization)
        found = find(view, name)
        stored = found[1] if found else ""
        proof = hashlib.blake2b(f"{stored}\0{password}".encode(), key=self._secret).digest()
        if found and self._is_verified(proof, now):
            return found[0]
        self._attempts.take(name, now)
        if not passwords.matches(stored, password) or found is None:
            self._counters.add("sharing.refused.taxii-password")
            raise WrongCredentials
        self._remember(proof, now)
        return found[0]

    def _is_verified(self, proof: bytes, now: datetime) -> bool:
        with self._lock:
            since = self._verified.get(proof)
        return since is not None and timedelta() <= now - since < timedelta(seconds=VERIFIED_S)

    def _remember(self, proof: bytes, now: datetime) -> None:
        with self._lock:
            self._verified.pop(proof, None)
            self._verified[proof] = now
            while len(self._verified) > _MAX_VERIFIED:
                self._verified.popitem(last=False)


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > MAX_CREDENTIALS_CHARS:
        raise WrongCredentials
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        name, separator, password = text.partition(":")
        if not separator:
            raise WrongCredentials
        return account_name(name), password
    except (binascii.Error, UnicodeError, ValueError, BadInput):
        raise WrongCredentials from None
