"""Recall with receipts, epochs, shortened logs, heads seen elsewhere. Bodies move to the store, sealed.

`salt` and `body` of entries from before stay where they are until they are forgotten.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Moment, Text

revision = "sharing_0002"
down_revision = "sharing_0001"

TABLES = ("checkpoint", "recall", "recall_ahead", "receipt", "head")
LANE_COLUMNS = ("closed", "base", "recalled", "members")
ENTRY_COLUMNS = ("object_id", "version")


def upgrade() -> None:
    op.add_column("sharing_lane", sa.Column("closed", Integer, nullable=False, server_default="0"))
    op.add_column("sharing_lane", sa.Column("base", Integer, nullable=False, server_default="0"))
    op.add_column("sharing_lane", sa.Column("recalled", Text, nullable=False, server_default=""))
    op.add_column("sharing_lane", sa.Column("members", Text, nullable=False, server_default=""))
    op.add_column("sharing_entry", sa.Column("object_id", Text))
    op.add_column("sharing_entry", sa.Column("version", Integer))
    op.create_index(
        "sharing_entry_object",
        "sharing_entry",
        ["object_id"],
        sqlite_where=sa.text("object_id IS NOT NULL AND verdict = 'own'"),
        postgresql_where=sa.text("object_id IS NOT NULL AND verdict = 'own'"),
    )
    op.create_index(
        "sharing_entry_retention",
        "sharing_entry",
        ["retain_until"],
        sqlite_where=sa.text("retain_until IS NOT NULL"),
        postgresql_where=sa.text("retain_until IS NOT NULL"),
    )
    op.create_table(
        "sharing_checkpoint",
        sa.Column("lane", Blob, primary_key=True),
        sa.Column("sequence", Integer, primary_key=True, autoincrement=False),
        sa.Column("chain", Blob, nullable=False),
        sa.Column("ts_ms", Integer, nullable=False),
        sa.Column("signature", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_recall",
        sa.Column("id", Blob, primary_key=True),
        sa.Column("own", Integer, nullable=False),
        sa.Column("origin", Text, nullable=False),
        sa.Column("lane", Blob, nullable=False),
        sa.Column("op", Integer, nullable=False),
        sa.Column("entries", Text, nullable=False),
        sa.Column("count", Integer, nullable=False),
        sa.Column("object_kind", Text, nullable=False),
        sa.Column("object_id", Text, nullable=False),
        sa.Column("reason", Text, nullable=False),
        sa.Column("account", Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("holders", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_recall_ahead",
        sa.Column("lane", Blob, primary_key=True),
        sa.Column("sequence", Integer, primary_key=True, autoincrement=False),
        sa.Column("op", Integer, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_receipt",
        sa.Column("recall", Blob, primary_key=True),
        sa.Column("peer", Text, primary_key=True),
        sa.Column("text", Text, nullable=False),
        sa.Column("signature", Blob, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_head",
        sa.Column("lane", Blob, primary_key=True),
        sa.Column("sequence", Integer, primary_key=True, autoincrement=False),
        sa.Column("chain", Blob, nullable=False),
        sa.Column("ts_ms", Integer, nullable=False),
        sa.Column("signature", Blob, nullable=False),
        sa.Column("told_by", Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(f"sharing_{name}")
    op.drop_index("sharing_entry_retention", "sharing_entry")
    op.drop_index("sharing_entry_object", "sharing_entry")
    for column in ENTRY_COLUMNS:
        op.drop_column("sharing_entry", column)
    for column in LANE_COLUMNS:
        op.drop_column("sharing_lane", column)
