"""The audit log: leaves, tiles, checkpoints with confirmations, and what was seen of the logs of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Moment, Text

revision = "sharing_0004"
down_revision = "sharing_0003"

TABLES = ("leaf", "tile", "checkpoint", "cosignature", "seen", "check")


def upgrade() -> None:
    op.create_table(
        "sharing_audit_leaf",
        sa.Column("place", Integer, primary_key=True, autoincrement=False),
        sa.Column("number", Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("entry", Blob, nullable=False),
        sa.Column("salt", Blob),
        sa.Column("record", Blob),
        sqlite_strict=True,
    )
    op.create_index("sharing_audit_leaf_kind", "sharing_audit_leaf", ["kind", "place"])
    op.create_table(
        "sharing_audit_tile",
        sa.Column("level", Integer, primary_key=True, autoincrement=False),
        sa.Column("number", Integer, primary_key=True, autoincrement=False),
        sa.Column("hashes", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_audit_checkpoint",
        sa.Column("size", Integer, primary_key=True, autoincrement=False),
        sa.Column("root", Blob, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("note", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_audit_cosignature",
        sa.Column("size", Integer, primary_key=True, autoincrement=False),
        sa.Column("witness", Text, primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("line", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_audit_seen",
        sa.Column("node", Text, primary_key=True),
        sa.Column("size", Integer, nullable=False),
        sa.Column("root", Blob, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("note", Blob, nullable=False),
        sa.Column("witness", Text, nullable=False),
        sa.Column("contradiction", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_audit_check",
        sa.Column("at", Moment, primary_key=True, autoincrement=False),
        sa.Column("size", Integer, nullable=False),
        sa.Column("problems", Integer, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(f"sharing_audit_{name}")
