"""The queue of alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture_alert",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("priority", Integer, nullable=False),
        sa.Column("rang_at", Moment, nullable=False),
        sa.Column("body", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("picture_alert_queue", "picture_alert", ["state", "priority", "rang_at"])


def downgrade() -> None:
    op.drop_table("picture_alert")
