"""Lanes and entries of ours and of others, what came of them, and the network's signed documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Moment, Text

revision = "sharing_0001"
down_revision = None

TABLES = ("lane", "entry", "object", "withheld", "refusal", "ack", "document", "root", "invitation")


def upgrade() -> None:
    op.create_table(
        "sharing_lane",
        sa.Column("id", Blob, primary_key=True),
        sa.Column("own", Integer, nullable=False),
        sa.Column("origin", Text, nullable=False),
        sa.Column("audience", Text, nullable=False),
        sa.Column("urgency", Text, nullable=False),
        sa.Column("epoch", Integer, nullable=False),
        sa.Column("sequence", Integer, nullable=False),
        sa.Column("chain", Blob, nullable=False),
        sa.Column("ts_ms", Integer, nullable=False),
        sa.Column("signature", Blob, nullable=False),
        sa.Column("stopped", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_entry",
        sa.Column("lane", Blob, primary_key=True),
        sa.Column("sequence", Integer, primary_key=True, autoincrement=False),
        sa.Column("op", Integer, nullable=False),
        sa.Column("ts_ms", Integer, nullable=False),
        sa.Column("commitment", Blob, nullable=False),
        sa.Column("chain", Blob, nullable=False),
        sa.Column("salt", Blob),
        sa.Column("body", Blob),
        sa.Column("verdict", Text, nullable=False),
        sa.Column("retain_until", Moment),
        sqlite_strict=True,
    )
    op.create_index(
        "sharing_entry_waiting",
        "sharing_entry",
        ["verdict"],
        sqlite_where=sa.text("verdict LIKE 'waits:%'"),
        postgresql_where=sa.text("verdict LIKE 'waits:%'"),
    )
    op.create_table(
        "sharing_object",
        sa.Column("object_id", Text, primary_key=True),
        sa.Column("origin", Text, primary_key=True),
        sa.Column("kind", Text, nullable=False),
        sa.Column("version", Integer, nullable=False),
        sa.Column("digest", Blob, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_withheld",
        sa.Column("object_id", Text, primary_key=True),
        sa.Column("version", Integer, primary_key=True, autoincrement=False),
        sa.Column("reasons", Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_refusal",
        sa.Column("lane", Blob, primary_key=True),
        sa.Column("reason", Text, primary_key=True),
        sa.Column("origin", Text, nullable=False),
        sa.Column("count", Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_ack",
        sa.Column("peer", Text, primary_key=True),
        sa.Column("lane", Blob, primary_key=True),
        sa.Column("sequence", Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("refused", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_document",
        sa.Column("number", Integer, primary_key=True),
        sa.Column("digest", Text, nullable=False, unique=True),
        sa.Column("data", Blob, nullable=False),
        sa.Column("chain", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_root",
        sa.Column("node_id", Text, primary_key=True),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_invitation",
        sa.Column("key", Blob, primary_key=True),
        sa.Column("name", Text, nullable=False),
        sa.Column("expires", Moment, nullable=False),
        sa.Column("used_by", Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(f"sharing_{name}")
