"""The journal, readers' cursors and bodies; on PostgreSQL the outbox that the sequencer empties."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Text

revision = "store_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "store_journal",
        sa.Column("number", Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Integer, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("data", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "store_cursor",
        sa.Column("reader", Text, primary_key=True),
        sa.Column("number", Integer, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "store_body",
        sa.Column("object_id", Text, primary_key=True),
        sa.Column("version", Integer, primary_key=True, autoincrement=False),
        sa.Column("body", Blob, nullable=False),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_table(
            "store_outbox",
            sa.Column("id", Integer, sa.Identity(), primary_key=True),
            sa.Column("at", Integer, nullable=False),
            sa.Column("kind", Text, nullable=False),
            sa.Column("data", Blob, nullable=False),
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("store_outbox")
    for table in ("store_body", "store_cursor", "store_journal"):
        op.drop_table(table)
