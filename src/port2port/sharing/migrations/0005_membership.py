"""Short codes that are open, and documents that came before what they rest on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Moment, Text

revision = "sharing_0005"
down_revision = "sharing_0004"


def upgrade() -> None:
    op.create_table(
        "sharing_short_code",
        sa.Column("slot", Text, primary_key=True),
        sa.Column("secret", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("expires", Moment, nullable=False),
        sa.Column("tries", Integer, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_early_document",
        sa.Column("digest", Text, primary_key=True),
        sa.Column("bearer", Text, nullable=False),
        sa.Column("data", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.add_column("sharing_invitation", sa.Column("slot", Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sharing_invitation", "slot")
    op.drop_table("sharing_early_document")
    op.drop_table("sharing_short_code")
