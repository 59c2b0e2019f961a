"""What a MISP feed of ours holds, and what came in from feeds of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Integer, Moment, Text

revision = "sharing_0006"
down_revision = "sharing_0005"

TABLES = ("misp_shared", "misp_written", "misp_event")


def upgrade() -> None:
    op.create_table(
        "sharing_misp_shared",
        sa.Column("body_id", Text, primary_key=True),
        sa.Column("object_id", Text, nullable=False),
        sa.Column("origin", Text, nullable=False),
        sa.Column("origin_name", Text, nullable=False),
        sa.Column("version", Integer, nullable=False),
        sa.Column("handling", Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_misp_written",
        sa.Column("feed", Text, primary_key=True),
        sa.Column("event", Text, primary_key=True),
        sa.Column("body_id", Text, nullable=False),
        sa.Column("version", Integer, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_misp_event",
        sa.Column("feed", Text, primary_key=True),
        sa.Column("event", Text, primary_key=True),
        sa.Column("timestamp", Integer, nullable=False),
        sa.Column("info", Text, nullable=False),
        sa.Column("organisation", Text, nullable=False),
        sa.Column("tlp", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("body_id", Text, nullable=False),
        sa.Column("version", Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(f"sharing_{name}")
