"""The last state of each vessel, its stays in zones, and the alerts that are not over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Integer, Moment, Text

revision = "vessels_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "vessels_track",
        sa.Column("key", Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("data", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "vessels_stay",
        sa.Column("zone", Text, primary_key=True),
        sa.Column("key", Integer, primary_key=True, autoincrement=False),
        sa.Column("data", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "vessels_episode",
        sa.Column("rule", Text, primary_key=True),
        sa.Column("zone", Text, primary_key=True),
        sa.Column("key", Integer, primary_key=True, autoincrement=False),
        sa.Column("other", Integer, primary_key=True, autoincrement=False),
        sa.Column("data", Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for table in ("vessels_track", "vessels_stay", "vessels_episode"):
        op.drop_table(table)
