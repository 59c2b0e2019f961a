"""Tables of the web toolkit and their queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, MetaData, Row, Table, delete, func, insert, select, update

from port2port.core.party import Role
from port2port.store import Reading, Transaction
from port2port.store.types import Blob, Integer, Moment, Text
from port2port.web.model import Account, Credential, Invitation, Session

_meta = MetaData()

account = Table(
    "web_account",
    _meta,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("role", Text),
    Column("language", Text),
    Column("theme", Text),
    Column("password_hash", Text),
    Column("enabled", Integer),
    Column("created_at", Moment),
)
credential = Table(
    "web_credential",
    _meta,
    Column("id", Blob, primary_key=True),
    Column("account_id", Text),
    Column("public_key", Blob),
    Column("sign_count", Integer),
    Column("title", Text),
    Column("added_at", Moment),
    Column("used_at", Moment),
)
session = Table(
    "web_session",
    _meta,
    Column("token_hash", Blob, primary_key=True),
    Column("account_id", Text),
    Column("strong", Integer),
    Column("created_at", Moment),
    Column("seen_at", Moment),
    Column("expires_at", Moment),
)
invitation = Table(
    "web_invitation",
    _meta,
    Column("token_hash", Blob, primary_key=True),
    Column("role", Text),
    Column("made_by", Text),
    Column("expires_at", Moment),
)


def add_account(tx: Transaction, new: Account) -> None:
    tx.execute(insert(account).values(**_account_values(new)))


def find_account(view: Reading, account_id: str) -> Account | None:
    row = view.execute(select(account).where(account.c.id == account_id)).first()
    return _account(row) if row else None


def find_account_by_name(view: Reading, name: str) -> Account | None:
    row = view.execute(select(account).where(account.c.name == name)).first()
    return _account(row) if row else None


def accounts(view: Reading) -> Sequence[Account]:
    return [_account(row) for row in view.execute(select(account).order_by(account.c.name))]


def count_accounts(view: Reading) -> int:
    return int(view.execute(select(func.count()).select_from(account)).scalar_one())


def set_account(tx: Transaction, account_id: str, **values: Any) -> None:
    """Change columns of one account: `role`, `language`, `theme`, `password_hash`, `enabled`."""
    tx.execute(update(account).where(account.c.id == account_id).values(**values))


def add_credential(tx: Transaction, new: Credential) -> None:
    tx.execute(
        insert(credential).values(
            id=new.id,
            account_id=new.account_id,
            public_key=new.public_key,
            sign_count=new.sign_count,
            title=new.title,
            added_at=new.added_at,
            used_at=new.used_at,
        )
    )


def find_credential(view: Reading, credential_id: bytes) -> Credential | None:
    row = view.execute(select(credential).where(credential.c.id == credential_id)).first()
    return _credential(row) if row else None


def credentials(view: Reading, account_id: str) -> Sequence[Credential]:
    found = select(credential).where(credential.c.account_id == account_id).order_by(credential.c.added_at)
    return [_credential(row) for row in view.execute(found)]


def use_credential(tx: Transaction, credential_id: bytes, sign_count: int, now: datetime) -> None:
    tx.execute(update(credential).where(credential.c.id == credential_id).values(sign_count=sign_count, used_at=now))


def remove_credential(tx: Transaction, account_id: str, credential_id: bytes) -> bool:
    mine = (credential.c.id == credential_id) & (credential.c.account_id == account_id)
    return bool(tx.execute(delete(credential).where(mine)).rowcount)


def add_session(tx: Transaction, new: Session) -> None:
    tx.execute(
        insert(session).values(
            token_hash=new.token_hash,
            account_id=new.account_id,
            strong=int(new.strong),
            created_at=new.created_at,
            seen_at=new.seen_at,
            expires_at=new.expires_at,
        )
    )


def find_session(view: Reading, token_hash: bytes) -> tuple[Session, Account] | None:
    """A session with its account, whatever their state."""
    row = view.execute(select(session).where(session.c.token_hash == token_hash)).first()
    owner = find_account(view, row.account_id) if row else None
    return (_session(row), owner) if row and owner else None


def touch_session(tx: Transaction, token_hash: bytes, now: datetime) -> None:
    tx.execute(update(session).where(session.c.token_hash == token_hash).values(seen_at=now))


def remove_session(tx: Transaction, token_hash: bytes) -> None:
    tx.execute(delete(session).where(session.c.token_hash == token_hash))


def remove_sessions(tx: Transaction, account_id: str) -> None:
    tx.execute(delete(session).where(session.c.account_id == account_id))


def sweep(tx: Transaction, now: datetime) -> None:
    """Drop sessions and invitations that are over."""
    tx.execute(delete(session).where(session.c.expires_at <= now))
    tx.execute(delete(invitation).where(invitation.c.expires_at <= now))


def add_invitation(tx: Transaction, new: Invitation) -> None:
    tx.execute(
        insert(invitation).values(
            token_hash=new.token_hash, role=new.role.value, made_by=new.made_by, expires_at=new.expires_at
        )
    )


def find_invitation(view: Reading, token_hash: bytes) -> Invitation | None:
    row = view.execute(select(invitation).where(invitation.c.token_hash == token_hash)).first()
    if row is None:
        return None
    return Invitation(token_hash=row.token_hash, role=Role(row.role), made_by=row.made_by, expires_at=row.expires_at)


def remove_invitation(tx: Transaction, token_hash: bytes) -> bool:
    return bool(tx.execute(delete(invitation).where(invitation.c.token_hash == token_hash)).rowcount)


def _account_values(of: Account) -> dict[str, Any]:
    return {
        "id": of.id,
        "name": of.name,
        "role": of.role.value,
        "language": of.language,
        "theme": of.theme,
        "password_hash": of.password_hash,
        "enabled": int(of.enabled),
        "created_at": of.created_at,
    }


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        language=row.language,
        theme=row.theme,
        password_hash=row.password_hash,
        enabled=bool(row.enabled),
        created_at=row.created_at,
    )


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        id=row.id,
        account_id=row.account_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
        title=row.title,
        added_at=row.added_at,
        used_at=row.used_at,
    )


def _session(row: Row[Any]) -> Session:
    return Session(
        token_hash=row.token_hash,
        account_id=row.account_id,
        strong=bool(row.strong),
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
