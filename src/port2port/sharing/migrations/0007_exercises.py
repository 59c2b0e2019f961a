"""The exercises that this node takes part in: objects of others wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Moment, Text

revision = "sharing_0007"
down_revision = "sharing_0006"


def upgrade() -> None:
    op.create_table(
        "sharing_exercise",
        sa.Column("id", Text, primary_key=True),
        sa.Column("name", Text, nullable=False),
        sa.Column("accepted_at", Moment, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("sharing_exercise")
