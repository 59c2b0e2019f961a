"""Accounts, their passkeys and sessions, and invitations to make an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Moment, Text

revision = "web_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "web_account",
        sa.Column("id", Text, primary_key=True),
        sa.Column("name", Text, nullable=False, unique=True),
        sa.Column("role", Text, nullable=False),
        sa.Column("language", Text, nullable=False),
        sa.Column("theme", Text, nullable=False),
        sa.Column("password_hash", Text, nullable=False),
        sa.Column("enabled", Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "web_credential",
        sa.Column("id", Blob, primary_key=True),
        sa.Column("account_id", Text, nullable=False, index=True),
        sa.Column("public_key", Blob, nullable=False),
        sa.Column("sign_count", Integer, nullable=False),
        sa.Column("title", Text, nullable=False),
        sa.Column("added_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sqlite_strict=True,
    )
    op.create_table(
        "web_session",
        sa.Column("token_hash", Blob, primary_key=True),
        sa.Column("account_id", Text, nullable=False, index=True),
        sa.Column("strong", Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "web_invitation",
        sa.Column("token_hash", Blob, primary_key=True),
        sa.Column("role", Text, nullable=False),
        sa.Column("made_by", Text, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for table in ("web_invitation", "web_session", "web_credential", "web_account"):
        op.drop_table(table)
